"""What the server would decide about a call, and by which rule, without making it."""

import dataclasses
from collections.abc import Sequence

from flask import Flask, Request, request
from werkzeug.exceptions import HTTPException

from chatproxy.access.rules import Caller, Decision
from chatproxy.errors import CallerError
from chatproxy.forwarding.target import Target
from chatproxy.services import Services
from chatproxy.web import access
from chatproxy.web.current import KEY, RequestContext
from chatproxy.web.request_log import place_in
from chatproxy.web.route import Route

#: What endpoints call the user that their path names.
NAMES_OF_USERS = ("user_id", "client_id")


def explain(
    app: Flask, caller: Caller, method: str, target: str, user_id: str | None = None
) -> Decision:
    """Decide about a call at the service's port; `user_id` is the user that it is about.

    Absent, it is the one in the path of an own endpoint, if there is one.
    """
    services: Services = app.extensions["chatproxy"]
    listener = services.settings.listeners()[0]
    context = RequestContext({}, listener, services.clock.monotonic)

    try:
        context.target = Target.read(target)
        environ = {KEY: context, "REQUEST_METHOD": method}
        place_in(environ, context.target)

        with app.test_request_context("/", method=method, environ_overrides=environ):
            return _decided(app, caller, user_id)
    except CallerError as error:
        return Decision(False, f"{error.status}: {error.message}")


def _decided(app: Flask, caller: Caller, user_id: str | None) -> Decision:
    routes: dict[str, Route] = app.extensions["chatproxy.routes"]
    current: RequestContext = request.environ[KEY]

    if request.blueprint is None:
        return Decision(False, _why_not_found(request))

    current.target.refuse_dot_segments()
    route = routes[request.blueprint]

    if not route.needs_key(current.listener):
        return Decision(True, "needs no key: it is open, or brings a credential of its own")

    services: Services = app.extensions["chatproxy"]
    decision = access.decide(caller, route, request.environ, services)

    if not decision.allowed or caller.users.are_all:
        return decision

    users = [user_id] if user_id is not None else _users_named(app, route)

    if users is None:
        reason = f"callers.{caller.name}.users are not `*`, and this shows all users"
    elif others := [one for one in users if not caller.users.have(one)]:
        reason = f"callers.{caller.name}.users has no {others[0]}"
    else:
        return decision

    return dataclasses.replace(decision, allowed=False, reason=reason)


def _users_named(app: Flask, route: Route) -> Sequence[str] | None:
    """Return the users that path and query name, None where the answer is about all users."""
    if route.forwards:
        return []

    view = app.view_functions[request.endpoint or ""]

    if (named := access.SHOWN.get(view)) is not None:
        return named() or None

    found = request.view_args or {}
    return [found[name] for name in NAMES_OF_USERS if name in found]


def _why_not_found(request: Request) -> str:
    error = request.routing_exception
    status = error.code if isinstance(error, HTTPException) else 404
    return f"{status}: nothing is served at this path by this method"
