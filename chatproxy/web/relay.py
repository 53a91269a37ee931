"""Forwarding a call to a provider, with the credentials put in."""

from collections.abc import Iterable
from typing import Any

from flask import Blueprint, Response, request
from werkzeug.wsgi import ClosingIterator

from chatproxy.errors import WrongMethod
from chatproxy.forwarding import Answer, forward, headers
from chatproxy.forwarding.call import Call
from chatproxy.forwarding.credentials import Credentials
from chatproxy.forwarding.timeouts import Deadline
from chatproxy.services import Backend
from chatproxy.web.current import context, services
from chatproxy.web.request_log import StartResponse

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def proxy(backend: Backend, mount: str) -> Blueprint:
    """Make the surface that forwards to one provider whatever stands below `mount`."""
    made = Blueprint(mount.strip("/").replace("/", "-"), __name__)

    def forwarded(path: str = "") -> Response:  # noqa: ARG001 - the raw target is forwarded
        return relay(backend, mount)

    made.add_url_rule("/<anything:path>", view_func=forwarded, methods=METHODS)
    return made


def relay(backend: Backend, mount: str, credentials: Credentials | None = None) -> "Relay":
    """Forward the request that is being served; `mount` stands for the provider's base URL.

    It goes out with the provider's own credentials, or with those that are given.
    """
    credentials = credentials or backend.provider.authorise()
    call = _load(mount, credentials)
    answer = _ask(call, mount, backend, credentials)
    return Relay(answer)


def _load(mount: str, credentials: Credentials) -> Call:
    """Read what is asked for; refuse what cannot be forwarded."""
    current = context()
    target = current.target.below(mount)

    if request.method not in METHODS:  # HEAD, which the router allows where GET is
        raise WrongMethod("This method is not forwarded.", allowed=METHODS)

    fields, body = credentials.into_json(
        headers.of_request(request.environ), current.body, services().settings.max_json_bytes
    )
    return Call(request.method, target, fields, body)


def _ask(call: Call, mount: str, backend: Backend, credentials: Credentials) -> Answer:
    """Forward the call; take note of how long the provider took and what it thinks of us."""
    current, worker = context(), services()
    deadline = Deadline(worker.limits, worker.clock.monotonic, current.caller)
    asked = current.seconds()
    seen_mount = mount.removeprefix(current.listener_mount)  # as the caller sees it
    answer = forward(call, backend.way(), credentials, deadline, mount=seen_mount)

    backend.credential.saw(answer.status, backend.provider.verdict(answer.status, None))
    current.notes["upstream"] = {
        "provider": backend.provider.name,
        "statusCode": answer.status,
        "timeToHeaders": round((current.seconds() - asked) * 1000, 3),
    }
    return answer


class Relay(Response):
    """Hands an answer on as it is: nothing is ordered, joined or renamed."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(status=answer.status)
        self._answer = answer
        self._fields = answer.fields

    def add_fields(self, ours: headers.Fields) -> None:
        """Put fields of ours behind those of the answer."""
        self._fields = [*self._fields, *ours]

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Begin the answer, and return its pieces with what closes them."""
        answer = self._answer
        start_response(f"{answer.status} {answer.reason}", self._fields)
        return ClosingIterator(answer.pieces, [answer.pieces.close])
