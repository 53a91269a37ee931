"""A request's way through the stand-in: who calls, what is asked, do it, answer.

Everything that fails does so as a `StreamError`, which becomes the envelope in one place.
"""

from __future__ import annotations

import time
from urllib.parse import parse_qsl

from .. import probes
from ..answers import Answer, Request, json_answer
from . import (
    channels,
    farewells,
    files,
    members,
    messages,
    moderation,
    reactions,
    search,
    settings,
    shelves,
    users,
    visits,
)
from .authentication import Credentials, authenticate, check_not_revoked
from .bodies import read_body
from .call import Call, Route, Routes
from .errors import (
    CODES,
    INPUT,
    INTERNAL,
    KINDS,
    NOT_ALLOWED,
    NOT_FOUND,
    TOO_BIG,
    StreamError,
    envelope,
)
from .limits import Quota, RateLimits
from .rendering import render
from .state import State, now

TABLES = (
    *(users, farewells, moderation, settings, shelves),
    *(channels, visits, members, messages, reactions, search, files),
)
NO_TIME = "0.00ms"
BUDGET = (
    (b"retry-after", b"1"),
    (b"x-budget-used-ms", b"30000"),
    (b"x-budget-limit-ms", b"30000"),
    (b"x-budget-remaining-ms", b"0"),
)


class StreamApplication:
    """The stand-in's side of one app: its credentials, its state, its limits."""

    def __init__(self, credentials: Credentials, rate_limit: int) -> None:
        self.state = State(app=dict(settings.INITIAL), shelves=shelves.stock())
        self._credentials = credentials
        self._limits = RateLimits(rate_limit)
        routes = [route for table in TABLES for route in table.ROUTES]
        names = frozenset(route.endpoint for route in routes)
        self._routes = Routes([*routes, settings.rate_limits_route(self._limits, names)])

    def respond(self, request: Request) -> Answer:
        """Do what is asked; every answer carries its endpoint's quota."""
        started = time.perf_counter()
        method = "GET" if request.head.method == "HEAD" else request.head.method
        found = self._routes.find(method, request.head.path) if _is_path(request) else None
        endpoint = found[0].endpoint if found else "Other"
        quota, allowed = self._limits.spend(endpoint)
        if not allowed:
            return self.failure("429")

        try:
            answer = self._do(request, found, started)
        except StreamError as error:
            answer = _refusal(error, endpoint, started)

        return _finish(answer, quota)

    def failure(self, kind: str) -> Answer:
        """Return an envelope for a status; `429-budget` is the query budget's, with its headers."""
        status = int(kind.partition("-")[0])
        quota, _ = self._limits.spend("Other")
        if status < 400:
            return _finish(json_answer(status, {"duration": NO_TIME}), quota)

        code = CODES.get(status, INTERNAL if status >= 500 else INPUT)
        answer = envelope(status, code, KINDS[code].meaning, NO_TIME)
        if kind == "429-budget":
            return _finish(answer.with_headers(*BUDGET), quota)

        spent = Quota(quota.limit, 0 if status == 429 else quota.remaining, quota.reset)
        return _finish(answer, spent)

    def _do(
        self, request: Request, found: tuple[Route, int, dict[str, str]] | None, started: float
    ) -> Answer:
        query = parse_qsl(request.head.target.partition("?")[2], keep_blank_values=True)
        principal = authenticate(request.head, query, self._credentials, now())
        with self.state.lock:
            user = self.state.users.get(principal.user_id or "", {})
            before = "revoke_tokens_issued_before"
            check_not_revoked(principal, self.state.app.get(before), user.get(before))

        probed = _probe(request)
        if probed is not None:
            return probed

        if found is None:
            raise StreamError(NOT_FOUND, f"url not found: {request.head.path}")

        route, version, params = found
        if route.server_only and not principal.is_server:
            raise StreamError(NOT_ALLOWED, "only allowed with server side auth")

        call = Call(
            self.state, version, principal, params, dict(query), {}, self._credentials.secrets[0]
        )
        read_body(request, route, call)
        return self._handle(route, call, started)

    def _handle(self, route: Route, call: Call, started: float) -> Answer:
        """Run the handler and render what it gives, both under the lock."""
        with self.state.lock:
            try:
                document = render(route.handler(call), call.version)
            except (AttributeError, KeyError, TypeError, ValueError) as error:
                # A handler reads what it is sent without a schema; junk fails somewhere inside.
                raise StreamError(INPUT, f"body is not of the right form: {error!r}") from error

        status = 201 if route.method in ("POST", "PUT") else 200
        return json_answer(status, {**document, "duration": _since(started)})


def _is_path(request: Request) -> bool:
    return request.head.target.startswith("/")


def _refusal(error: StreamError, endpoint: str, started: float) -> Answer:
    status = KINDS[error.code].status
    message = f'{endpoint} failed with error: "{error.message}"'
    answer = envelope(status, error.code, message, _since(started), error.fields)
    if error.code != TOO_BIG:
        return answer

    # Sent while the upload still comes in; nobody could wait for the end of one without limit.
    return answer.at_once()


def _finish(answer: Answer, quota: Quota) -> Answer:
    """Add what every answer carries; the limits' names in lower case, which an SDK relies on."""
    return answer.with_headers(*quota.headers())


def _since(started: float) -> str:
    return f"{(time.perf_counter() - started) * 1000:.2f}ms"


def _probe(request: Request) -> Answer | None:
    try:
        return probes.respond(request, request.head.path)
    except probes.ProbeError as error:
        raise StreamError(INPUT, str(error)) from error
