"""Where the sidecar listens, and what it serves there.

Each route belongs to one door (`routes`), and a listener serves the routes of its door. A door
without a listener of its own is served by the service's.
"""

import dataclasses
import functools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

from chatproxy.formats.authority import is_loopback
from chatproxy.settings.sidecar import SidecarSettings
from chatproxy.settings.variables import FAULTY, ProviderSection, declared

#: Who may come: the company's own services; anybody who brings a credential of their own; probes.
Door = Literal["service", "client", "status"]


@dataclasses.dataclass(frozen=True)
class Listener:
    """A port.

    `setting` names the variable that it comes from. `serves` are the doors whose routes are
    reached by it, `mount` is the path that it has at its root, and `rest` the one below which
    everything is looked for that is below no route of its own; either may be empty.
    """

    setting: str
    host: str
    port: int
    door: Door
    serves: frozenset[Door]
    mount: str = ""
    rest: str = ""

    @functools.cached_property
    def is_local(self) -> bool:
        """Whether only this machine reaches it."""
        return is_loopback(self.host)

    @property
    def address(self) -> str:
        """Host and port, with an IPv6 address in brackets."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def listeners(
    own: SidecarSettings, providers: Mapping[str, ProviderSection]
) -> tuple[Listener, ...]:
    """Return every listener, the service's first."""
    doors: tuple[tuple[str, str | None, int | None, Door], ...] = (
        ("CLIENT_PORT", own.client_host, own.client_port, "client"),
        ("STATUS_PORT", own.status_host, own.status_port, "status"),
    )
    at_door = next((name for name, one in providers.items() if _is_at_client_root(one)), None)
    rest = {} if at_door is None else {"client": f"{own.service_prefix}/{at_door}"}
    apart = [
        Listener(
            setting, host or own.bind_host, port, door, frozenset({door}), rest=rest.get(door, "")
        )
        for setting, host, port, door in doors
        if port is not None
    ]
    serves = frozenset[Door](("service", "client", "status")) - {one.door for one in apart}
    service = Listener("HTTP_PORT", own.bind_host, own.http_port, "service", serves)
    at_root = [
        dataclasses.replace(
            service,
            setting=dict(declared(type(section)))["root_port"].name,
            port=section.root_port,
            mount=proxy_path(own.service_prefix, name),
        )
        for name, section in providers.items()
        if section.root_port is not None
    ]
    return (service, *apart, *at_root)


def doorless(own: SidecarSettings, providers: Mapping[str, ProviderSection]) -> Iterator[str]:
    """Yield a line for each provider that is to stand at the root of a door that is not there."""
    for section in providers.values():
        if _is_at_client_root(section) and own.client_port is None:
            name = dict(declared(type(section)))["at_client_root"].name
            yield f"{name}: is the root of the client door, which is off. Set CLIENT_PORT as well."


def _is_at_client_root(section: ProviderSection) -> bool:
    return section.at_client_root is not FAULTY and section.at_client_root == "true"


def proxy_path(prefix: str, provider: str) -> str:
    """Return the path below which calls are forwarded to a provider."""
    return f"{prefix}/{provider}/proxy"


def clashes(table: Iterable[Listener]) -> Iterator[str]:
    """Yield a line for each port that several listeners have."""
    # Of different addresses too: the port tells which door a request came in by.
    settings_of: dict[int, list[str]] = defaultdict(list)

    for one in table:
        if one.port is not FAULTY:
            settings_of[one.port].append(one.setting)

    for first, *others in settings_of.values():
        if others:
            number = "two" if len(others) == 1 else f"{len(others) + 1} different ones"
            yield f"{first}: is also the port of {', '.join(others)}. Choose {number}."
