"""Whether a request may be a web page's: what it says of its host and of the site that sent it.

A sidecar on loopback trusts whoever reaches it, and so does every page in a browser on this machine
that sends a request there. Two things give such a page away, both written by the browser and
out of the page's reach:

- `Sec-Fetch-Site` and `Origin` name the site that it belongs to (Fetch Metadata; RFC 6454).
- `Host` names the host of its URL. A page whose own name was made to lead to this machine (DNS
  rebinding) is of the same origin, but that name is none of ours.

Callers that are no browsers send the host that they were given, and nothing of the rest.
"""

import functools
from collections.abc import Mapping
from typing import Any

from chatproxy.errors import CrossSite, Misdirected
from chatproxy.formats.authority import host_of, is_loopback
from chatproxy.forwarding.target import DEFAULT_PORTS
from chatproxy.settings.listeners import Listener
from chatproxy.settings.sidecar import SidecarSettings

#: `none` is a request of the user's own: an address typed in, a bookmark.
OWN_SITES = (None, "same-origin", "none")

#: Values of `Host` that are remembered: callers choose them.
MOST_HOSTS = 64


class SameOrigin:
    """The rules, as the settings have them."""

    def __init__(self, settings: SidecarSettings) -> None:
        names = [name.removeprefix(".") for name in settings.allowed_hosts]
        below = [name for name in settings.allowed_hosts if name.startswith(".")]
        self._hosts = frozenset(map(host_of, names))
        self._domains = tuple(name.lower() for name in below)
        self._lists_hosts = bool(settings.allowed_hosts)
        self._trusted = frozenset(settings.trusted_origins)
        self._is_ours = functools.lru_cache(MOST_HOSTS)(self._names_us)

    def check_host(self, environ: Mapping[str, Any], listener: Listener) -> None:
        """Raise `Misdirected` if a request names a host that is not ours."""
        host = environ.get("HTTP_HOST")

        # Monitors call by an address of the pod, which no setting can know, and all that is there
        # is the sidecar's state.
        if listener.door == "status":
            return

        # Others call a listener beyond loopback by names that only the settings can know.
        if not self._lists_hosts and not listener.is_local:
            return

        # Only HTTP/1.0 may lack it (`web.request_log`), and no browser does.
        if host is not None and not self._is_ours(host):
            raise Misdirected("The host of this request is not served. ALLOWED_HOSTS names more.")

    def check_site(self, environ: Mapping[str, Any]) -> None:
        """Raise `CrossSite` if a page of another site sent a request."""
        # No browser sends one of them empty; gateways do, to remove it.
        site = environ.get("HTTP_SEC_FETCH_SITE") or None
        origin = environ.get("HTTP_ORIGIN") or None

        if site is None and origin is None:
            return

        if origin in self._trusted:
            return

        from_here = origin is None or is_own(origin, environ.get("HTTP_HOST"))

        if not from_here or site not in OWN_SITES:
            raise CrossSite(
                "Web pages of other sites may not call this. TRUSTED_ORIGINS names those that may."
            )

    def _names_us(self, authority: str) -> bool:
        host = host_of(authority)
        listed = host in self._hosts or f".{host}".endswith(self._domains)
        return listed or is_loopback(host)


def is_own(origin: str, host: str | None) -> bool:
    """Say whether an `Origin` is that of the `Host` to which its request was sent."""
    # Either scheme: a proxy before us may have ended TLS. Some callers write the scheme's own port.
    scheme, _, authority = origin.partition("://")

    if scheme not in DEFAULT_PORTS or host is None:
        return False

    own_port = f":{DEFAULT_PORTS[scheme]}"
    return authority.removesuffix(own_port) == host.removesuffix(own_port)
