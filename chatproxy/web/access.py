"""Whether a caller may make a call, by the access document.

Here a refusal is made, and nowhere else: `CallerUnknown`, `CallerNotAllowed`, `CallerLimited` and
`CallerAmbiguous`.
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from flask import request

from chatproxy.access.keys import HEADER
from chatproxy.access.patterns import Segments, segments_of
from chatproxy.access.rules import Caller, Decision
from chatproxy.errors import (
    BadTarget,
    CallerAmbiguous,
    CallerLimited,
    CallerNotAllowed,
    CallerUnknown,
    TooManyRequests,
)
from chatproxy.services import Services
from chatproxy.web import guards, named_users, presented
from chatproxy.web.current import KEY, RequestContext, context, limiter, services
from chatproxy.web.route import Route

MISSING = f"This needs the key of a caller, in {HEADER} or as Bearer."
UNKNOWN = "The key is not that of a caller."
TWO_KEYS = "The request holds two different keys. Send one."
KEY_IN_PATH = "The path must hold no key."
View = TypeVar("View", bound=Callable[..., Any])

#: By view, whom it shows. See `shows`.
SHOWN: dict[Callable[..., Any], Callable[[], Sequence[str]]] = {}

TOO_MANY = "Too many calls of this caller. Try again later."


def check(route: Route) -> None:
    """Let the caller make a call by this route; raise a refusal.

    Nothing of a body is read. Without a document everybody may do everything.
    """
    # Asked for once: when the document changes meanwhile, the call is decided by this one.
    found = services()
    access = found.access

    if access is None:
        return

    current = context()

    if not route.needs_key(current.listener):
        return

    environ: presented.Environ = request.environ
    key = _one_of(_keys(route, environ, current, found))
    caller = access.caller_of(key)

    if caller is None:
        # One count for all surfaces: at each of them the key would be the same.
        guards.count_failure_of_address("access")
        raise CallerUnknown(UNKNOWN)

    current.called_by, current.may_do = caller.name, caller

    # It would go on with the path, and into other people's logs.
    if presented.has_key(current.path, key, access):
        raise BadTarget(KEY_IN_PATH)

    decision = decide(caller, route, environ, found)

    if not decision.allowed:
        raise CallerNotAllowed(f"{caller.name} may not make this call.", detail=decision.reason)

    if caller.rate is not None:
        _count(caller)


def decide(caller: Caller, route: Route, environ: presented.Environ, found: Services) -> Decision:
    """Decide whether a caller may make a request, as far as it can be told unread."""
    current: RequestContext = environ[KEY]

    if not route.forwards:
        endpoint = _endpoint(route, found.settings.service_prefix)
        return caller.may_use(route.provider, presented.method_of(environ), endpoint)

    # The one that is forwarded: however the mount was spelt, and by whichever of its names.
    target = current.target.below(route.path)
    query = target.query or ""
    users: tuple[str, ...] = ()

    if not caller.users.are_all:
        section = found.settings.provider_settings[route.provider]
        users = tuple(named_users.named(environ, query, section))

    methods = presented.methods_of(environ, query)
    return caller.may_forward(route.provider, methods, target.path, users)


def acts_for(*user_ids: str) -> None:
    """Raise `CallerNotAllowed` if the caller may not act for one of the users."""
    caller = context().may_do

    if caller is not None and not all(map(caller.users.have, user_ids)):
        raise CallerNotAllowed(
            f"{caller.name} may not act for this user.",
            detail=f"callers.{caller.name}.users has no such one",
        )


def acts_for_all() -> None:
    """Raise `CallerNotAllowed` unless the caller may act for all users, whom a list shows."""
    caller = context().may_do

    if caller is not None and not caller.users.are_all:
        raise CallerNotAllowed(
            f"{caller.name} may not see all users.",
            detail=f"callers.{caller.name}.users are not `*`",
        )


def shows(named: Callable[[], Sequence[str]] = tuple) -> Callable[[View], View]:
    """Mark a view that shows the users whom `named` finds in the request, all if it finds none.

    The view checks that by itself; this is how `explain` knows.
    """

    def mark(view: View) -> View:
        SHOWN[view] = named
        return view

    return mark


def may_use(provider: str) -> None:
    """Raise `CallerNotAllowed` if the caller may use nothing of a provider."""
    caller = context().may_do

    if caller is not None and provider not in caller.providers:
        raise CallerNotAllowed(
            f"{caller.name} may not use {provider}.",
            detail=f"{provider} is not among callers.{caller.name}.providers",
        )


def is_restricted() -> bool:
    """Say whether the caller may act for some users only."""
    caller = context().may_do
    return caller is not None and not caller.users.are_all


def _keys(
    route: Route, environ: presented.Environ, current: RequestContext, found: Services
) -> set[str]:
    keys = set(presented.keys_in(environ))

    if route.forwards:
        reserved = found.backends[route.provider].provider.authorise().reserved
        keys.update(presented.keys_in_place(environ, current.target.query or "", reserved))

    return keys


def _one_of(keys: set[str]) -> str:
    if not keys:
        raise CallerUnknown(MISSING)

    if len(keys) > 1:
        raise CallerAmbiguous(TWO_KEYS)

    return keys.pop()


def _endpoint(route: Route, prefix: str) -> Segments:
    rule = request.url_rule
    assert rule is not None  # noqa: S101 - a blueprint was found by it
    # Those of the status door are below no prefix.
    return _segments(rule.rule if route.door == "status" else rule.rule.removeprefix(prefix))


@functools.lru_cache(maxsize=256)  # of the rules that there are
def _segments(rule: str) -> Segments:
    return segments_of(rule)


def _count(caller: Caller) -> None:
    assert caller.rate is not None  # noqa: S101 - asked before

    try:
        limiter().spend(f"calls of {caller.name}", caller.rate, TOO_MANY)
    except TooManyRequests as error:
        raise CallerLimited.of(error) from error
