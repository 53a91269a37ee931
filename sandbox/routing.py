"""The routing table of a stand-in: which handler a request is for."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar
from urllib.parse import unquote

from .answers import Answer

C = TypeVar("C")


@dataclass(frozen=True)
class Route(Generic[C]):
    """One endpoint. `{id}` in the path takes one segment; the method `*` is any.

    What is `server_only` is refused to the customer's users; what `is_open` needs no credentials.
    """

    method: str
    path: str
    handler: Callable[[C], Answer]
    server_only: bool = False
    is_open: bool = False


class Found(NamedTuple, Generic[C]):
    """The route of a request, and the decoded values in its path."""

    route: Route[C]
    values: dict[str, str]


class Routes(Generic[C]):
    """A table read from top to bottom, so literal paths stand before patterns."""

    def __init__(self, routes: Iterable[Route[C]]) -> None:
        self._by_length: dict[int, list[tuple[list[str], Route[C]]]] = {}
        self.add(*routes)

    def add(self, *routes: Route[C]) -> None:
        """Put routes at the end of the table."""
        for route in routes:
            parts = route.path.split("/")
            self._by_length.setdefault(len(parts), []).append((parts, route))

    def find(self, method: str, path: str) -> Found[C] | None:
        """Return the first route that fits; a HEAD is a GET without its body."""
        wanted = ("*", "GET" if method == "HEAD" else method)
        segments = path.split("/")
        for parts, route in self._by_length.get(len(segments), ()):
            values = _match(parts, segments) if route.method in wanted else None
            if values is not None:
                return Found(route, values)

        return None


def _match(parts: Sequence[str], segments: Sequence[str]) -> dict[str, str] | None:
    values = {}
    for part, segment in zip(parts, segments, strict=True):
        if part.startswith("{") and segment:
            values[part[1:-1]] = unquote(segment)
        elif part != segment:
            return None

    return values
