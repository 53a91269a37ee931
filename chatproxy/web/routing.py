"""Registering the routes of the table, each behind its guard."""

import dataclasses
from collections.abc import Callable, Iterable
from typing import Any

from flask import Blueprint, Flask, request
from werkzeug.routing import BaseConverter

from chatproxy.web.current import context, surface_path
from chatproxy.web.dialects import Dialects

#: Called before a view. Returns what it knows of the caller, for `current.authenticated`, or raises
#: the error with which the caller is refused.
Guard = Callable[[], Any]


@dataclasses.dataclass(frozen=True)
class Route:
    """One line of the table: a path, the blueprint below it, and who may call."""

    path: str
    blueprint: Blueprint
    guard: Guard


def anybody() -> None:
    """Let everybody call who can reach the port."""


class Anything(BaseConverter):
    """The rest of a path, whatever it holds: nothing, slashes and line ends included."""

    # What a path may hold is decided from its raw form (`forwarding.target`), not by the router.
    # Werkzeug's own `path` converter takes no empty rest and no double slash at its start.
    regex = r"[\s\S]*"
    part_isolating = False


def register(app: Flask, routes: Iterable[Route], dialects: Dialects) -> None:
    """Register every blueprint, with its guard before all its views."""
    app.url_map.converters["anything"] = Anything
    guards: dict[str, Guard] = {}

    for route in routes:
        assert route.blueprint.name not in guards  # noqa: S101 - one guard must not replace another
        app.register_blueprint(route.blueprint, url_prefix=route.path)
        guards[route.blueprint.name] = route.guard

    @app.before_request
    def admit() -> None:
        current = context()

        # Raised here and not by the layer outside, so that a bad head, too, is answered in the
        # format of its surface.
        if current.refusal is not None:
            raise current.refusal

        if (upgrade := request.environ.get("HTTP_UPGRADE")) is not None:
            dialects.refuse_websocket(surface_path(), upgrade)

        # Without a blueprint nothing was found, and no view is called.
        if request.blueprint is not None:
            # On every route: a proxy in front that resolves `x%2f..%2f` has let the request through
            # for another path than the one that is served here.
            current.target.refuse_dot_segments()
            current.surface = request.blueprint.partition("-")[0]
            current.authenticated = guards[request.blueprint]()
