"""Whether a caller may make a call, by the access document.

Here a refusal is made, and nowhere else: `CallerUnknown`, `CallerNotAllowed`, `CallerLimited` and
`CallerAmbiguous`.
"""

import functools
from collections.abc import Iterable, Iterator
from urllib.parse import unquote

from flask import request

from chatproxy.access.keys import HEADER, PREFIX
from chatproxy.access.patterns import Segments, segments_of
from chatproxy.access.rules import METHODS, Caller, Decision
from chatproxy.errors import (
    BadTarget,
    CallerAmbiguous,
    CallerLimited,
    CallerNotAllowed,
    CallerUnknown,
    TooManyRequests,
)
from chatproxy.forwarding.credentials import QUERY_SEPARATOR, plain_name, without
from chatproxy.web import guards
from chatproxy.web.current import context, limiter, services
from chatproxy.web.parsing import header
from chatproxy.web.route import Route

MISSING = f"This needs the key of a caller, in {HEADER} or as Bearer."
UNKNOWN = "The key is not that of a caller."
TWO_KEYS = "The request holds two different keys. Send one."
KEY_IN_PATH = "The path must hold no key."
TOO_MANY = "Too many calls of this caller. Try again later."

#: Fields of a query by which some servers let a request change its own method. The headers for it
#: are never forwarded (`forwarding.headers`).
METHOD_FIELDS = frozenset(
    {"_method", "x_http_method_override", "x_http_method", "x_method_override"}
)
FORM = "application/x-www-form-urlencoded"


def check(route: Route) -> None:
    """Let the caller make a call by this route; raise a refusal.

    Nothing of a body is read. Without a document everybody may do everything.
    """
    # Asked for once: when the document changes meanwhile, the call is decided by this one.
    access, current = services().access, context()

    if access is None or not route.needs_key(current.listener):
        return

    key = _presented(route)
    caller = access.caller_of(key)

    if caller is None:
        # One count for all surfaces: at each of them the key would be the same.
        guards.count_failure_of_address("access")
        raise CallerUnknown(UNKNOWN)

    current.called_by, current.may_do = caller.name, caller

    # It would go on with the path, and into other people's logs.
    if key in unquote(current.path):
        raise BadTarget(KEY_IN_PATH)

    decision = decide(caller, route)

    if not decision.allowed:
        raise CallerNotAllowed(_message(caller), detail=decision.reason)

    if caller.rate is not None:
        _count(caller)


def decide(caller: Caller, route: Route) -> Decision:
    """Decide whether a caller may make the current call, as far as it can be told unread."""
    if not route.forwards:
        return caller.may_use(route.provider, _method(), _endpoint(route))

    # The one that is forwarded: however the mount was spelt, and by whichever of its names.
    target = context().target.below(route.path)
    named = () if caller.users.are_all else tuple(_users_named(route.provider, target.query or ""))
    return caller.may_forward(route.provider, _methods(target.query), target.path, named)


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


def is_restricted() -> bool:
    """Say whether the caller may act for some users only."""
    caller = context().may_do
    return caller is not None and not caller.users.are_all


def _presented(route: Route) -> str:
    keys = set(_keys(route))

    if not keys:
        raise CallerUnknown(MISSING)

    if len(keys) > 1:
        raise CallerAmbiguous(TWO_KEYS)

    return keys.pop()


def _keys(route: Route) -> Iterator[str]:
    # gunicorn joins repeated fields by commas, which no key has.
    for one in (header(HEADER) or "").split(","):
        if one.strip():
            yield one.strip()

    authorization = header("Authorization") or ""

    for one in authorization.split(","):
        scheme, _, credential = one.strip().rpartition(" ")

        if credential.startswith(PREFIX) and scheme.strip().lower() in ("", "bearer"):
            yield credential

    # In place of the credential of an SDK that can set no header. The provider gets ours instead.
    if route.forwards:
        reserved = services().backends[route.provider].provider.authorise().reserved
        yield from _in_place(reserved - {"authorization"}, context().target.query or "")


def _in_place(names: Iterable[str], query: str) -> Iterator[str]:
    wanted = frozenset(names)

    for name in wanted:
        value = header(name)

        if value is not None and value.startswith(PREFIX):
            yield value

    if PREFIX in query:
        for pair in QUERY_SEPARATOR.split(query)[::2]:
            name, _, value = pair.partition("=")

            if value.startswith(PREFIX) and plain_name(unquote(name)) in wanted:
                yield unquote(value)


def _method() -> str:
    return "GET" if request.method == "HEAD" else request.method


def _methods(query: str | None) -> tuple[str, ...]:
    # Where a provider could take the call for one of another method, the rule must allow each.
    is_form = (request.environ.get("CONTENT_TYPE") or "").strip().lower().startswith(FORM)
    may_change = is_form or (query is not None and without(query, METHOD_FIELDS) != query)
    return METHODS if may_change else (_method(),)


def _endpoint(route: Route) -> Segments:
    rule = request.url_rule
    assert rule is not None  # noqa: S101 - a blueprint was found by it
    # Those of the status door are below no prefix.
    prefix = "" if route.door == "status" else services().settings.service_prefix
    return _segments(rule.rule.removeprefix(prefix))


@functools.lru_cache(maxsize=256)  # of the rules that there are
def _segments(rule: str) -> Segments:
    return segments_of(rule)


def _users_named(provider: str, query: str) -> Iterator[str]:
    section = services().settings.provider_settings[provider]

    for name in section.user_headers:
        if (value := header(name)) is not None:
            yield value.encode("latin-1").decode("utf-8", "replace")

    for pair in QUERY_SEPARATOR.split(query)[::2]:
        name, _, value = pair.replace("+", " ").partition("=")

        if plain_name(unquote(name)) in section.user_parameters:
            yield unquote(value)


def _count(caller: Caller) -> None:
    assert caller.rate is not None  # noqa: S101 - asked before

    try:
        limiter().spend(f"calls of {caller.name}", caller.rate, TOO_MANY)
    except TooManyRequests as error:
        raise CallerLimited.of(error) from error


def _message(caller: Caller) -> str:
    return f"{caller.name} may not make this call."
