"""Routes of a ChatSDK server that are made with its API key and for no user.

Calls to `/api/*` go out with the real key, so a user's own token must not lead there: it
would make a client an administrator (the vendor's public code, server routes).
"""

from collections.abc import Sequence

from chatproxy.providers.paths import folded_segments

#: Below /api. A star stands for one segment, two at the end for any rest.
KEY_ROUTES: Sequence[tuple[str, tuple[str, ...]]] = (
    ("*", ("auth", "connect")),
    ("*", ("server", "**")),
    ("*", ("admin", "**")),
    ("*", ("users", "ensure")),
    ("*", ("users", "bulk-ensure")),
    ("*", ("users", "*", "revoke-tokens")),
    ("DELETE", ("users", "*")),
)


def asks_for_a_key_only(method: str, path: str) -> bool:
    """Say whether a server could read the path as one of these routes.

    Compared is the folded form, since servers differ in what they overlook.
    """
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
