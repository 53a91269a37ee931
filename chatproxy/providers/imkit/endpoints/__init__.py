"""IMKit's surface, below `/imkit`: what is reachable, and who may call it.

| blueprint | at | who may call |
|---|---|---|
| clients | `/admin/clients…` | a platform key |
| me | `/me`, `/me/badge` | a client; a platform key for the client that it names |
| verify | `/verify` | whoever shows a token, which is what it is about |
| badge | `/badge…` | whoever reaches the port, as at the vendor's |
| socket | `/socket.io` | whoever shows a good token within seconds |
| forwarded | every other path | a client; a platform key; `/admin/…` a platform key only |
"""

from collections.abc import Sequence

from flask import Blueprint

from chatproxy.providers.imkit.endpoints import badge, clients, forwarded, me, socket, verify
from chatproxy.services import Services


def blueprints(services: Services) -> Sequence[Blueprint]:
    """Return the surface."""
    return (
        clients.blueprint,
        me.blueprint,
        verify.blueprint,
        badge.blueprint,
        socket.blueprint(services),
        forwarded.blueprint,
    )
