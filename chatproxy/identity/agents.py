"""Agents: the bots of an app, with whom its users talk."""

import dataclasses
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import func, select, update

from chatproxy.errors import IdentityError
from chatproxy.identity.apps import checked_id, checked_name
from chatproxy.identity.database import Database
from chatproxy.identity.records import Agent
from chatproxy.identity.tables import agents

#: The id decides between those that were made in the same moment, or pages would overlap.
BY_AGE = (agents.c.created, agents.c.id)

COLUMNS = tuple(agents.c[field.name] for field in dataclasses.fields(Agent))


class Agents:
    """The agents of the directory."""

    def __init__(self, database: Database, now: Callable[[], float]) -> None:
        self._database = database
        self._now = now

    def create(
        self, name: str, app_id: str, agent_id: str | None = None, *, active: bool = True
    ) -> Agent:
        """Make an agent, with an id of its own where none is given; raise `IdentityError`."""
        agent_id = uuid.uuid4().hex if agent_id is None else agent_id
        agent = self._agent(name, app_id, agent_id, active=active)

        if not self._insert_missing([agent]):
            raise IdentityError(f"there is an agent {agent.id} already")

        return agent

    def seed(self, seeds: Sequence[Mapping[str, Any]]) -> int:
        """Make those agents that are missing, all or none; return how many were made.

        Each has `id`, `name`, `app` and `active`. One that is there stays as it is: somebody
        may have switched it off since. Two replicas that start together make each once.
        Raises `IdentityError`.
        """
        wanted = [
            self._agent(one["name"], one["app"], one["id"], active=one["active"]) for one in seeds
        ]

        if len({(agent.app_id, agent.id) for agent in wanted}) != len(wanted):
            raise IdentityError("an id is there twice")

        return self._insert_missing(wanted)

    def find(self, app_id: str, agent_id: str) -> Agent | None:
        """Return an agent of the app, active or not."""
        wanted = select(*COLUMNS).where(agents.c.app_id == app_id, agents.c.id == agent_id)
        row = self._database.row(wanted)
        return None if row is None else Agent(*row)

    def first_active(self, app_id: str) -> Agent | None:
        """Return the app's oldest active agent."""
        wanted = (
            select(*COLUMNS)
            .where(agents.c.app_id == app_id, agents.c.active.is_(True))
            .order_by(*BY_AGE)
            .limit(1)
        )
        row = self._database.row(wanted)
        return None if row is None else Agent(*row)

    def page(self, app_id: str, offset: int, limit: int) -> tuple[Sequence[Agent], int]:
        """Return some of the app's agents, oldest first, and how many there are in all."""
        mine = agents.c.app_id == app_id
        counting = select(func.count()).select_from(agents).where(mine)
        wanted = select(*COLUMNS).where(mine).order_by(*BY_AGE).offset(offset).limit(limit)

        # In one connection, so that on SQLite both see the same moment.
        with self._database.reading() as connection:
            total = connection.execute(counting).scalar_one()
            return [Agent(*row) for row in connection.execute(wanted)], total

    def list(self, app_id: str | None = None) -> Sequence[Agent]:
        """Return all agents, oldest first."""
        wanted = select(*COLUMNS).order_by(*BY_AGE)
        wanted = wanted if app_id is None else wanted.where(agents.c.app_id == app_id)
        return [Agent(*row) for row in self._database.rows(wanted)]

    def set_active(self, app_id: str, agent_id: str, *, active: bool) -> None:
        """Switch an agent on or off; raise `IdentityError` where there is none."""
        with self._database.writing() as connection:
            changed = connection.execute(
                update(agents)
                .where(agents.c.app_id == app_id, agents.c.id == agent_id)
                .values(active=active, updated=self._now())
            )

        if changed.rowcount != 1:
            raise IdentityError(f"there is no agent {agent_id}")

    def _agent(self, name: str, app_id: str, agent_id: str, *, active: bool) -> Agent:
        now = self._now()
        return Agent(
            app_id, checked_id(agent_id, of="an agent"), checked_name(name), active, now, now
        )

    def _insert_missing(self, wanted: Sequence[Agent]) -> int:
        """Insert those that are not there; return how many that were."""
        made = 0

        with self._database.writing(refusal="there is no such app") as connection:
            for agent in wanted:
                statement = self._database.insert(agents).values(dataclasses.asdict(agent))
                unless_there = statement.on_conflict_do_nothing().returning(agents.c.id)
                made += connection.execute(unless_there).first() is not None

        return made
