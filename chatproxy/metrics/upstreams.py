"""What is counted of the way to one upstream."""

from chatproxy.errors import (
    AnswerBroken,
    ChatproxyError,
    ProxyTimeout,
    ProxyUnreachable,
    UpstreamBroken,
    UpstreamError,
    UpstreamTimeout,
    UpstreamUnreachable,
)
from chatproxy.metrics import table
from chatproxy.metrics.requests import NONE, class_of

#: What a failure is called. An error has the kind of the nearest class in its inheritance.
KINDS: dict[type[ChatproxyError], str] = {
    UpstreamUnreachable: "unreachable",
    UpstreamBroken: "broken",
    UpstreamTimeout: "timeout",
    ProxyUnreachable: "proxy_unreachable",
    ProxyTimeout: "proxy_timeout",
    AnswerBroken: "answer_broken",
    UpstreamError: "other",
}
CREDENTIAL_REFUSED = "credential_refused"

#: What an answer can say of our own credential, if it says anything.
VERDICTS = ("accepted", "refused")


class UpstreamCounts:
    """Counts for one upstream, by the name of its provider or server."""

    def __init__(self, name: str = NONE) -> None:
        self._name = name

    def begin(self) -> None:
        """Have the series there before anything happens: a rate needs a first value."""
        for kind in (*KINDS.values(), CREDENTIAL_REFUSED):
            table.UPSTREAM_FAILURES.add(self._name, kind, by=0)

        table.UPSTREAM_CALLS.add(self._name, "2xx", by=0)

        for counter in (table.UPSTREAM_OPENED, table.UPSTREAM_REUSED, table.UPSTREAM_CLOSED):
            counter.add(self._name, by=0)

        for gauge in (table.UPSTREAM_CONNECTIONS, table.UPSTREAM_IDLE):
            gauge.set(0, self._name)

    def opened(self, seconds: float) -> None:
        """Count a new connection, and how long the call waited for it."""
        table.UPSTREAM_OPENED.add(self._name)
        table.UPSTREAM_CONNECTIONS.add(self._name)
        table.UPSTREAM_WAIT.observe(seconds, self._name)

    def closed(self) -> None:
        """Count the end of a connection."""
        table.UPSTREAM_CLOSED.add(self._name)
        table.UPSTREAM_CONNECTIONS.add(self._name, by=-1)

    def reused(self) -> None:
        """Count a call that begins on a kept connection."""
        table.UPSTREAM_REUSED.add(self._name)

    def idle(self, connections: int) -> None:
        """Note how many connections are in no call."""
        table.UPSTREAM_IDLE.set(connections, self._name)

    def answered(self, status: int, seconds: float) -> None:
        """Count an answer, and how long its head took."""
        table.UPSTREAM_CALLS.add(self._name, class_of(status))
        table.UPSTREAM_ANSWER.observe(seconds, self._name)

    def failed(self, error: ChatproxyError) -> None:
        """Count a call without a whole answer."""
        kind = next(KINDS[one] for one in type(error).__mro__ if one in KINDS)
        table.UPSTREAM_FAILURES.add(self._name, kind)

    def credential_refused(self) -> None:
        """Count an answer that refuses our own credential."""
        table.UPSTREAM_FAILURES.add(self._name, CREDENTIAL_REFUSED)

    def credential_is(self, verdict: str) -> None:
        """Note what the last answer said of our own credential."""
        for one in VERDICTS:
            table.UPSTREAM_CREDENTIAL.set(float(one == verdict), self._name, one)
