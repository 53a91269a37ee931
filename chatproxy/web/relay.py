"""Forwarding a request to a provider with our credentials."""

import dataclasses
from collections.abc import Callable, Container, Iterable
from typing import Any, TypeVar

from flask import Blueprint, Response

from chatproxy import forwarding
from chatproxy.errors import WrongMethod
from chatproxy.forwarding import Answer, Switched, Way, headers
from chatproxy.forwarding.body import CallerBody, with_json_fields
from chatproxy.forwarding.call import Call
from chatproxy.forwarding.credentials import Credentials
from chatproxy.forwarding.target import Target
from chatproxy.forwarding.timeouts import CHECK_CALLER_EVERY, Caller, Deadline, Limits
from chatproxy.logs import correlation
from chatproxy.logs.access import Forwarded
from chatproxy.services import Backend
from chatproxy.web.current import RequestContext, context, current_request, services
from chatproxy.web.request_log import StartResponse

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
REQUEST_ID = "x-request-id"

AnswerT = TypeVar("AnswerT", Answer, Switched | Answer)


@dataclasses.dataclass(frozen=True)
class Waits:
    """How long an answer is waited for, and who is asked, and how often, whether anybody does."""

    limits: Limits
    caller: Caller
    check_every: float = CHECK_CALLER_EVERY


def proxy(backend: Backend, mount: str) -> Blueprint:
    """Make the blueprint that forwards everything below `mount` to one provider."""
    blueprint = Blueprint(mount.strip("/").replace("/", "-"), __name__)

    def forwarded(path: str = "") -> Response:  # noqa: ARG001 - the raw target is forwarded
        return relay(backend, mount)

    blueprint.add_url_rule("/<anything:path>", view_func=forwarded, methods=METHODS)
    return blueprint


def relay(
    backend: Backend,
    mount: str,
    credentials: Credentials | None = None,
    *,
    upload: CallerBody | None = None,
    waits: Waits | None = None,
) -> "Relay":
    """Forward the current request; `mount` stands for the provider's base URL.

    `credentials` are used in place of the provider's own, and `upload` in place of the body, which
    has been read then.
    """
    current = context()
    target = current.target.below(mount)
    found = credentials or backend.provider.credentials_for(target.path)
    call = _load(current, target, found)
    call.upload = upload or call.upload

    def ask(way: Way, deadline: Deadline, public_mount: str) -> Answer:
        return forwarding.forward(call, way, found, deadline, mount=public_mount)

    return Relay(_ask(current, call, mount, backend, ask, waits))


def switch(
    backend: Backend, mount: str, protocol: str, credentials: Credentials, dropped: Container[str]
) -> "Switched | Relay":
    """Ask the provider for another protocol, as the current request does.

    Fields of a `dropped` name, in lower case, do not go on. Returns the provider's answer where it
    refuses.
    """
    current = context()
    call = _load(current, current.target.below(mount), credentials)
    call.fields = [pair for pair in call.fields if pair[0].lower() not in dropped]

    def ask(way: Way, deadline: Deadline, public_mount: str) -> Switched | Answer:
        return forwarding.switch(call, way, credentials, deadline, protocol, mount=public_mount)

    found = _ask(current, call, mount, backend, ask)
    return found if isinstance(found, Switched) else Relay(found)


def _load(current: RequestContext, target: Target, credentials: Credentials) -> Call:
    environ = current_request().environ
    method = environ["REQUEST_METHOD"]

    if method not in METHODS:  # HEAD, which werkzeug adds to GET
        raise WrongMethod("This method is not forwarded.", allowed=METHODS)

    fields, body = headers.of_request(environ), current.body

    if credentials.body is not None:
        most = services().settings.max_json_bytes
        fields, body = with_json_fields(fields, body, credentials.body, most)

    return Call(method, target, fields, body)


def _ask(
    current: RequestContext,
    call: Call,
    mount: str,
    backend: Backend,
    ask: Callable[[Way, Deadline, str], AnswerT],
    waits: Waits | None = None,
) -> AnswerT:
    if (peer := backend.peer) is None:
        raise backend.not_configured()

    upstream, name = peer.way.upstream, backend.provider.name

    if current.span is not None:
        call.fields = current.span.forward(
            call.fields, str(call.method), name, upstream.host, upstream.port
        )

    if waits is None:
        deadline = Deadline(peer.limits, current.monotonic, current)
    else:
        deadline = Deadline(
            waits.limits, current.monotonic, waits.caller, check_every=waits.check_every
        )

    started = current.seconds()
    # Where the provider is at the root, its redirects must be, too.
    public_mount = mount.removeprefix(current.mount)
    answer = ask(peer.way, deadline, public_mount)

    if current.span is not None:
        current.span.answered(answer.status)

    # A forwarded call is often the first to show that the provider refuses our credential.
    backend.credential.saw(answer.status, backend.provider.verdict(answer.status, None))
    seconds = current.seconds() - started
    theirs = _take_their_id(answer, current.id)
    current.notes["upstream"] = Forwarded(name, answer.status, seconds, theirs)
    return answer


def _take_their_id(answer: Answer | Switched, ours: str) -> str:
    # The caller gets ours, by which it is found here; two would be joined by most clients, and
    # be none. The provider's support asks for theirs.
    theirs = headers.value_of(answer.fields, REQUEST_ID)

    if theirs is not None:
        answer.fields[:] = [pair for pair in answer.fields if pair[0].lower() != REQUEST_ID]

        if correlation.is_request_id(theirs) and theirs != ours:
            return theirs

    return ""


class Relay(Response):
    """Passes an answer on as it is: nothing is sorted, joined or renamed."""

    # Werkzeug's response would add a content type, re-encode `Location` and drop `Content-Length`
    # from a 204. So nothing of it is made: of a view's response Flask itself needs only the type.

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._fields = [*answer.fields, *headers.OPENED_AS_A_PAGE]

    @property
    def answered(self) -> int:
        """The provider's status."""
        return self._answer.status

    def add_fields(self, ours: headers.Fields) -> None:
        """Append fields of our own."""
        self._fields = [*self._fields, *ours]

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Start the answer; return its pieces, with what closes them."""
        answer = self._answer
        start_response(f"{answer.status} {answer.reason}", self._fields)
        # PEP 3333: the server calls `close` on what it gets here, even if the caller leaves early.
        # Unclosed, the connection to the provider would stay open.
        return answer.pieces
