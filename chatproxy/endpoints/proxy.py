"""`/proxy/<path>`: forward a call to the provider, with the credentials put in."""

from collections.abc import Iterable
from typing import Any

from flask import Blueprint, Response, request
from werkzeug.wsgi import ClosingIterator

from chatproxy.context import StartResponse
from chatproxy.endpoints.serving import context, services
from chatproxy.errors import WrongMethod
from chatproxy.forwarding import Answer, Injection, Request, forward, headers
from chatproxy.forwarding.patience import Patience
from chatproxy.services import Route, Services

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def mounts(services: Services) -> dict[str, Route]:
    """Map each path below which calls are forwarded to its provider."""
    prefix = services.settings.service_prefix
    found = {f"{prefix}/{name}/proxy": route for name, route in services.routes.items()}

    if services.default is not None:
        found[f"{prefix}/proxy"] = services.default

    return found


def blueprint(mount: str, route: Route) -> Blueprint:
    """Make the surface of one provider at one place."""
    made = Blueprint(mount.strip("/").replace("/", "-"), __name__)

    def proxy(path: str = "") -> Response:  # noqa: ARG001 - the raw target is forwarded, not this
        call = _load(mount, route)
        answer = _ask(call, mount, route)
        return _Relay(answer)

    made.add_url_rule("/<anything:path>", view_func=proxy, methods=METHODS)
    return made


def _load(mount: str, route: Route) -> Request:
    """Read what is asked for; refuse what cannot be forwarded."""
    current = context()
    target = current.target.below(mount)

    if request.method not in METHODS:  # HEAD, which the router allows where GET is
        raise WrongMethod("This method is not forwarded.", allowed=METHODS)

    return Request(request.method, target, headers.of_request(request.environ), body=current.body)


def _ask(call: Request, mount: str, route: Route) -> Answer:
    """Forward the call; take note of how long the provider took and what it thinks of us."""
    current = context()
    credentials = route.provider.authorise()
    worker = services()
    injection = Injection(
        credentials.query,
        credentials.headers,
        credentials.reserved,
        withheld=frozenset({worker.settings.user_id_header.partition(".")[0].lower()}),
    )
    patience = Patience(worker.limits, worker.clock.monotonic, current.caller)
    asked = current.seconds()
    seen_mount = mount.removeprefix(current.listener_mount)  # as the caller sees it
    answer = forward(call, route.upstream, injection, route.session, patience, seen_mount)

    refused = route.provider.refuses_credential(answer.status)
    route.credential.saw(answer.status, refused=refused)
    current.notes["upstream"] = {
        "provider": route.provider.name,
        "statusCode": answer.status,
        "timeToHeaders": round((current.seconds() - asked) * 1000, 3),
    }
    return answer


class _Relay(Response):
    """Hands an answer on as it is: nothing is added, ordered, joined or renamed."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(status=answer.status)
        self._answer = answer

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Begin the answer, and return its pieces with what closes them."""
        answer = self._answer
        start_response(f"{answer.status} {answer.reason}", answer.pairs)
        return ClosingIterator(answer.pieces(), [answer.stream.close])
