"""What is counted of each request of a caller, and of each error."""

from typing import NamedTuple, get_args

from chatproxy.errors import (
    CallerAmbiguous,
    CallerLimited,
    CallerNotAllowed,
    CallerUnknown,
    ChatproxyError,
    Limit,
    Side,
    TokenExpired,
    TokenForged,
    TokenMalformed,
    TokenOfAnotherApp,
    TokenRejected,
    TokenRevoked,
    TokenUnknown,
    TooManyRequests,
    Unauthenticated,
)
from chatproxy.metrics import table
from chatproxy.metrics.series import OTHER, store

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

#: The route of a request for which there is none, and the provider of one that has none.
NONE = "none"

#: Why a user token was refused.
REASONS: dict[type[TokenRejected], str] = {
    TokenMalformed: "malformed",
    TokenForged: "forged",
    TokenUnknown: "unknown",
    TokenExpired: "expired",
    TokenRevoked: "revoked",
    TokenOfAnotherApp: "other_app",
    TokenRejected: "other",
}


#: Why the access document lets a call not pass.
ACCESS: dict[type[ChatproxyError], str] = {
    CallerUnknown: "unknown",
    CallerAmbiguous: "ambiguous",
    CallerNotAllowed: "not_allowed",
    CallerLimited: "limited",
}


#: What a webhook can be found to be, and what can become of one.
VERDICTS = ("valid", "invalid", "unsigned", "foreign")
OUTCOMES = (
    *("delivered", "refused", "failed", "timeout", "unreachable"),
    *("duplicate", "failed elsewhere", "waited"),
)


def begin(provider: str) -> None:
    """Have a provider's series there before anything happens: a rate needs a first value."""
    for reason in REASONS.values():
        table.TOKENS_REFUSED.add(provider, reason, by=0)

    for one in (table.TOKENS_MINTED, table.TOKENS_REVOKED, table.AUTHENTICATION_FAILURES):
        one.add(provider, by=0)

    for limit in get_args(Limit):
        table.LIMIT_HITS.add(limit, by=0)


def begin_receiving(provider: str) -> None:
    """Have the series of a provider's webhooks there before anything happens."""
    for verdict in VERDICTS:
        table.WEBHOOK_VERDICTS.add(provider, verdict, by=0)

    for outcome in OUTCOMES:
        table.WEBHOOK_DELIVERIES.add(provider, outcome, by=0)


class Ended(NamedTuple):
    """A request that has ended: what it is counted by. `hundreds` are those of its status.

    That is 0 where there was no answer, and a text is empty where there is none.
    """

    route: str
    provider: str
    method: str
    hundreds: int
    caller: str


class _Places(NamedTuple):
    """Where the series of such requests are."""

    requests: int
    first_byte: int
    last_byte: int
    received: int
    sent: int


def class_of(status: int) -> str:
    """Return the class of a status, such as `2xx`."""
    return f"{status // 100}xx" if 100 <= status < 600 else NONE


def count(ended: Ended, *, first: float, last: float, received: int, sent: int) -> None:
    """Count a request. `first` and `last` are the seconds until these bytes of the answer."""
    # One look-up for all of its series: with names and labels each would cost a microsecond.
    current = store()
    places = current.looked_up.get(ended) or _look_up(ended)
    cells = current.cells
    cells[places.requests] += 1.0
    table.FIRST_BYTE.observe_at(cells, places.first_byte, first)
    table.LAST_BYTE.observe_at(cells, places.last_byte, last)

    if received:
        cells[places.received] += received

    if sent:
        cells[places.sent] += sent


def _look_up(ended: Ended) -> _Places:
    route, provider = ended.route or NONE, ended.provider or NONE
    known = ended.method if ended.method in METHODS else OTHER
    of_route = (route, provider, known, class_of(ended.hundreds * 100))
    found = _Places(
        table.REQUESTS.place(*of_route, ended.caller),
        table.FIRST_BYTE.place(*of_route),
        table.LAST_BYTE.place(*of_route),
        table.RECEIVED.place(route, provider),
        table.SENT.place(route, provider),
    )

    # Callers may make up a method for each request.
    if known is ended.method:
        store().looked_up[ended] = found

    return found


def count_broken(provider: str, side: Side) -> None:
    """Count a request that did not end well."""
    table.BROKEN.add(provider or NONE, side)


def count_refusal(provider: str, error: ChatproxyError, caller: str = "") -> None:
    """Count what an error says about the caller, its credential, and the limits."""
    provider = provider or NONE

    if (reason := ACCESS.get(type(error))) is not None:
        table.ACCESS_REFUSALS.add(caller, reason)

    # Above a limit 429 is answered in place of the refusal, which is then its context. A surface
    # may also answer it by an error of its own, and then it is the cause.
    told = next((one for one in (error, error.__cause__, error.__context__) if _refuses(one)), None)

    if isinstance(told, TokenRejected):
        why = next(REASONS[kind] for kind in type(told).__mro__ if kind in REASONS)
        table.TOKENS_REFUSED.add(provider, why)

    if told is not None or (isinstance(error, TooManyRequests) and error.limit == "failures"):
        table.AUTHENTICATION_FAILURES.add(provider)

    if isinstance(error, TooManyRequests):
        table.LIMIT_HITS.add(error.limit)


def _refuses(error: BaseException | None) -> bool:
    return isinstance(error, Unauthenticated)
