"""Routes of a ChatSDK server that only a service may call, with the API key.

Calls to `/api/*` go out with the real API key, so a client must not reach these routes with
its own token: it would act as an administrator. Decision 0012 tells why this is a list.
"""

from collections.abc import Sequence

from chatproxy.providers.paths import folded_segments

#: Method and path below /api, from the server routes in the vendor's public code. `*` stands
#: for one segment, `**` for any rest.
KEY_ROUTES: Sequence[tuple[str, tuple[str, ...]]] = (
    ("*", ("auth", "connect")),
    ("*", ("server", "**")),
    ("*", ("admin", "**")),
    ("*", ("users", "ensure")),
    ("*", ("users", "bulk-ensure")),
    ("*", ("users", "*", "revoke-tokens")),
    ("DELETE", ("users", "*")),
)


def needs_api_key(method: str, path: str) -> bool:
    """Return whether any server could read the path as one of these routes."""
    _, *rest = folded_segments(path)
    return any(
        route_method in ("*", method) and _fits(route, rest) for route_method, route in KEY_ROUTES
    )


def _fits(route: tuple[str, ...], segments: Sequence[str]) -> bool:
    if route[-1] == "**":
        return list(segments[: len(route) - 1]) == list(route[:-1])

    return len(route) == len(segments) and all(
        part in ("*", segment) for part, segment in zip(route, segments, strict=True)
    )
