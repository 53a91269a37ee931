"""Registering the routes of the table, each behind its guard."""

import dataclasses
from collections.abc import Callable, Iterable
from typing import Any

from flask import Blueprint, Flask, request
from werkzeug.routing import BaseConverter

from chatproxy.web.current import context, surface_path
from chatproxy.web.dialects import Dialects
from chatproxy.web.same_origin import SameOrigin

#: Called before a view. Returns what it knows of the caller, for `current.authenticated`, or raises
#: the error with which the caller is refused.
Guard = Callable[[], Any]


def anybody() -> None:
    """Let everybody call who can reach the port."""


def no_pages() -> bool:
    """Refuse web pages of other sites."""
    return False


def any_page() -> bool:
    """Let web pages of other sites call: the blueprint itself says which may do what."""
    return True


@dataclasses.dataclass(frozen=True)
class Route:
    """One line of the table: a path, the blueprint below it, and who may call.

    `pages` says whether the request may come from a web page of another site. With `any_host` it
    is served whatever its `Host` is.
    """

    path: str
    blueprint: Blueprint
    guard: Guard
    pages: Callable[[], bool] = no_pages
    any_host: bool = False


class Anything(BaseConverter):
    """The rest of a path, whatever it holds: nothing, slashes and line ends included."""

    # What a path may hold is decided from its raw form (`forwarding.target`), not by the router.
    # Werkzeug's own `path` converter takes no empty rest and no double slash at its start.
    regex = r"[\s\S]*"
    part_isolating = False


def register(
    app: Flask, routes: Iterable[Route], dialects: Dialects, same_origin: SameOrigin
) -> None:
    """Register every blueprint, with its guard before all its views."""
    app.url_map.converters["anything"] = Anything
    lines: dict[str, Route] = {}

    for route in routes:
        assert route.blueprint.name not in lines  # noqa: S101 - one guard must not replace another
        app.register_blueprint(route.blueprint, url_prefix=route.path)
        lines[route.blueprint.name] = route

    @app.before_request
    def admit() -> None:
        current = context()

        # Raised here and not by the layer outside, so that a bad head, too, is answered in the
        # format of its surface.
        if current.refusal is not None:
            raise current.refusal

        # Without a line nothing is served, and a page of another site cannot read how we say so.
        environ, line = request.environ, lines.get(request.blueprint or "")

        if line is None or not line.any_host:
            same_origin.check_host(environ)

        if line is not None and not line.pages():
            same_origin.check_site(environ)

        if (upgrade := environ.get("HTTP_UPGRADE")) is not None:
            dialects.refuse_websocket(surface_path(), upgrade)

        # Without a blueprint nothing was found, and no view is called.
        if request.blueprint is not None:
            # On every route: a proxy in front that resolves `x%2f..%2f` has let the request through
            # for another path than the one that is served here.
            current.target.refuse_dot_segments()
            current.surface = request.blueprint.partition("-")[0]
            current.authenticated = lines[request.blueprint].guard()
