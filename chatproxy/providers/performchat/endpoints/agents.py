"""`/rest/v1/agents`: the bots of a company."""

from typing import Any

from flask import Blueprint, Response

from chatproxy.web.serving import directory, private
from chatproxy.errors import NotFound
from chatproxy.identity.agents import Agent
from chatproxy.providers.performchat.endpoints import access
from chatproxy.providers.performchat.endpoints.paging import asked_page, paged
from chatproxy.providers.performchat.endpoints.pathids import plain_id
from chatproxy.formats.timestamps import iso

blueprint = Blueprint("performchat-agents", __name__)


@blueprint.get("/rest/v1/agents")
def show_all() -> Response:
    """Answer a page of the company's agents."""
    page, limit = asked_page()
    key = access.platform_key(access.body())
    agents, total = directory().agents.page(key.app_id, (page - 1) * limit, limit)
    return paged([_shown(agent) for agent in agents], total, page, limit)


@blueprint.get("/rest/v1/agents/<agent_id>")
def show(agent_id: str) -> Response:
    """Answer one agent; another company's is as unknown as none."""
    key = access.platform_key(access.body())
    agent = directory().agents.find(key.app_id, plain_id(agent_id))

    if agent is None:
        raise NotFound("Agent not found")

    return private(_shown(agent) | {"prompt_template": None})


def _shown(agent: Agent) -> dict[str, Any]:
    return {
        "id": agent.id,
        "name": agent.name,
        "active": agent.active,
        "created_at": iso(agent.created),
        "updated_at": iso(agent.updated),
    }
