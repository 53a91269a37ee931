"""`/proxy/<path>`: forward a call to the provider, with the credentials put in."""

from collections.abc import Iterable
from typing import Any

from flask import Blueprint, Response, request
from werkzeug.wsgi import ClosingIterator

from chatproxy.web.context import StartResponse
from chatproxy.web.jsonbody import with_fields
from chatproxy.web.serving import context, services
from chatproxy.errors import WrongMethod
from chatproxy.forwarding import Answer, Injection, Request, forward, headers
from chatproxy.forwarding.patience import Patience
from chatproxy.providers import DEFAULT
from chatproxy.providers.base import Credentials
from chatproxy.services import Route, Services

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def mounts(services: Services) -> dict[str, Route]:
    """Map each path below which calls are forwarded to its provider."""
    prefix = services.settings.service_prefix
    found = {f"{prefix}/{name}/proxy": route for name, route in services.routes.items()}

    if DEFAULT in services.routes:
        found[f"{prefix}/proxy"] = services.routes[DEFAULT]

    return found


def blueprint(mount: str, route: Route) -> Blueprint:
    """Make the surface of one provider at one place."""
    made = Blueprint(mount.strip("/").replace("/", "-"), __name__)

    def proxy(path: str = "") -> Response:  # noqa: ARG001 - the raw target is forwarded, not this
        return relayed(route, mount)

    made.add_url_rule("/<anything:path>", view_func=proxy, methods=METHODS)
    return made


def relayed(route: Route, mount: str, credentials: Credentials | None = None) -> "Relay":
    """Forward the request that is being served; `mount` stands for the provider's base URL.

    It goes out with the provider's own credentials, or with those that are given.
    """
    credentials = credentials or route.provider.authorise()
    call = _load(mount, credentials)
    answer = _ask(call, mount, route, credentials)
    return Relay(answer)


def _load(mount: str, credentials: Credentials) -> Request:
    """Read what is asked for; refuse what cannot be forwarded."""
    current = context()
    target = current.target.below(mount)

    if request.method not in METHODS:  # HEAD, which the router allows where GET is
        raise WrongMethod("This method is not forwarded.", allowed=METHODS)

    pairs, body = headers.of_request(request.environ), current.body

    if credentials.body is not None:
        pairs, body = with_fields(pairs, credentials.body)

    return Request(request.method, target, pairs, body)


def _ask(call: Request, mount: str, route: Route, credentials: Credentials) -> Answer:
    """Forward the call; take note of how long the provider took and what it thinks of us."""
    current = context()
    peer = route.way()
    worker = services()
    injection = Injection(
        credentials.query,
        credentials.headers,
        credentials.reserved,
        withheld=worker.withheld,
        public=credentials.public,
    )
    patience = Patience(worker.limits, worker.clock.monotonic, current.caller)
    asked = current.seconds()
    seen_mount = mount.removeprefix(current.listener_mount)  # as the caller sees it
    answer = forward(call, peer.upstream, injection, peer.session, patience, seen_mount)

    route.credential.saw(answer.status, route.provider.verdict(answer.status, None))
    current.notes["upstream"] = {
        "provider": route.provider.name,
        "statusCode": answer.status,
        "timeToHeaders": round((current.seconds() - asked) * 1000, 3),
    }
    return answer


class Relay(Response):
    """Hands an answer on as it is: nothing is ordered, joined or renamed."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(status=answer.status)
        self._answer = answer
        self._pairs = answer.pairs

    def add_fields(self, ours: headers.Pairs) -> None:
        """Put fields of ours behind those of the answer."""
        self._pairs = [*self._pairs, *ours]

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Begin the answer, and return its pieces with what closes them."""
        answer = self._answer
        start_response(f"{answer.status} {answer.reason}", self._pairs)
        return ClosingIterator(answer.pieces(), [answer.stream.close])
