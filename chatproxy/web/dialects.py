"""In whose format a failure is reported: that of the surface on which it happened."""

from collections.abc import Mapping

from chatproxy.providers.base import Dialect
from chatproxy.services import Backend, Services


class Dialects:
    """The dialects of an application.

    `mounts` maps the paths below which calls are forwarded to their providers.
    """

    def __init__(self, services: Services, mounts: Mapping[str, Backend]) -> None:
        prefix = services.settings.service_prefix
        self._by_path = {mount: backend.provider.dialect for mount, backend in mounts.items()}

        for backend in services.backends.values():
            for path, dialect in backend.provider.dialects.items():
                self._by_path[f"{prefix}{path}"] = dialect

    def of(self, path: str) -> Dialect | None:
        """Return the dialect of a raw path, None for the sidecar's own."""
        # The longest match wins, since one surface may lie below another.
        found = (one for one in self._by_path if path == one or path.startswith(one + "/"))
        longest = max(found, key=len, default=None)
        return None if longest is None else self._by_path[longest]

    def refuse_websocket(self, path: str, upgrade: str) -> None:
        """Raise a surface's refusal of what the field `Upgrade` asks for, where it has one."""
        # Werkzeug matches a WebSocket handshake to WebSocket rules only, and would answer 400 in
        # its own words. Flask raises the router's error later than this is called.
        dialect = self.of(path)
        refusal = None if dialect is None else dialect.no_websocket

        if refusal is not None and "websocket" in upgrade.lower():
            raise refusal()
