"""ChatSDK's surface: what is reachable, and who may call it.

| blueprint | at | who may call |
|---|---|---|
| tokens | `POST /tokens` | a platform key, asked after the body was read |
| tokens | the other token routes | a user token, which is what they are about |
| users | `/api/users/…` | a platform key |
| api | the rest of `/api/*` | a user token |
| websocket | `/ws` | nobody: it says where to go |
"""

from collections.abc import Sequence

from flask import Blueprint

from chatproxy.providers.chatsdk.endpoints import api, tokens, users, websocket
from chatproxy.services import Services


def blueprints(_services: Services) -> Sequence[Blueprint]:
    """Return the surface."""
    return (tokens.blueprint, users.blueprint, api.blueprint, websocket.blueprint)
