"""How a line of the table becomes what is reachable, and by whom."""

import dataclasses
from collections.abc import Callable, Iterable
from typing import Any

from flask import Blueprint, Flask, request
from werkzeug.routing import BaseConverter

from chatproxy.web.current import context

#: Asked before a view: returns what it made of the caller, for `current.authenticated`,
#: or raises what the caller is answered instead.
Guard = Callable[[], Any]


@dataclasses.dataclass(frozen=True)
class Route:
    """One line: a blueprint, the path below which it stands, and who may call it."""

    path: str
    blueprint: Blueprint
    guard: Guard


def anybody() -> None:
    """Let whoever reaches the port call."""


class Anything(BaseConverter):
    """The rest of a path whatever it holds, nothing, slashes and line ends included.

    What a path may be is decided from its raw form, not by the router.
    """

    regex = r"[\s\S]*"
    part_isolating = False


def register(app: Flask, routes: Iterable[Route]) -> None:
    """Register every blueprint at its place, with its guard before all its views."""
    app.url_map.converters["anything"] = Anything
    guards: dict[str, Guard] = {}

    for route in routes:
        app.register_blueprint(route.blueprint, url_prefix=route.path)
        guards[route.blueprint.name] = route.guard

    @app.before_request
    def ask_guard() -> None:
        # Without a blueprint no view is called: the router has found nothing.
        if request.blueprint is not None:
            context().surface = request.blueprint.partition("-")[0]
            context().authenticated = guards[request.blueprint]()
