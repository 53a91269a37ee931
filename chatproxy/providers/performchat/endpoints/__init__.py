"""PerformChat's surface, below `/rest/v1`: what is reachable, and who may call it.

| blueprint | at | who may call |
|---|---|---|
| tokens | `/auth/token`, `/auth/invalidate-token` | a platform key in the body |
| tokens | `/auth/verify` | whoever shows a token, which is what it is about |
| agents, customers | the rest | a platform key in the body |
"""

from collections.abc import Sequence

from flask import Blueprint

from chatproxy.providers.performchat.endpoints import agents, customers, tokens
from chatproxy.services import Services


def blueprints(_services: Services) -> Sequence[Blueprint]:
    """Return the surface."""
    return (tokens.blueprint, agents.blueprint, customers.blueprint)
