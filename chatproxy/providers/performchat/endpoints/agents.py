"""`/rest/v1/agents`: the bots of a company."""

from typing import Any

from flask import Blueprint, Response

from chatproxy.errors import NotFound
from chatproxy.formats.timestamps import iso
from chatproxy.identity.records import Agent
from chatproxy.providers.performchat.endpoints.access import Company
from chatproxy.web.answers import private
from chatproxy.web.current import authenticated, directory

listing = Blueprint("performchat-agents", __name__)
single = Blueprint("performchat-agent", __name__)


@listing.get("")
def show_all() -> Response:
    """Answer a page of the company's agents."""
    company = authenticated(Company)
    page = company.page
    agents, total = directory().agents.page(company.app_id, page.offset, page.limit)
    answer: Response = page.answer((_agent_body(agent) for agent in agents), total)
    return answer


@single.get("")
def show(agent_id: str) -> Response:
    """Answer one agent; 404 for an agent of another company."""
    company = authenticated(Company)
    agent = None if "\0" in agent_id else directory().agents.find(company.app_id, agent_id)

    if agent is None:
        raise NotFound("Agent not found")

    return private(_agent_body(agent) | {"prompt_template": None})


def _agent_body(agent: Agent) -> dict[str, Any]:
    return {
        "id": agent.id,
        "name": agent.name,
        "active": agent.active,
        "created_at": iso(agent.created),
        "updated_at": iso(agent.updated),
    }
