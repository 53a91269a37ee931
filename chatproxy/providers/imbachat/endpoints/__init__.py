"""ImbaChat's surface: what is reachable, and who may call it.

| blueprint | at | who may call |
|---|---|---|
| users | `/imbachat/users…`, and the same and `search` below `/imbachat/api/v1` | imbachat.com |
| version | `/imbachat/api/v1` | everybody |
| widget | `/imbachat/token/…`, `/imbachat/widget/…` | whoever reaches the port |
"""

from collections.abc import Sequence

from flask import Blueprint

from chatproxy.providers.imbachat.endpoints import users, version, widget
from chatproxy.services import Services


def blueprints(_services: Services) -> Sequence[Blueprint]:
    """Return the surface."""
    return (users.blueprint, version.blueprint, widget.blueprint)
