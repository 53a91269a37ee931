"""`POST /webhook/<provider>`: receive an event, and hand it on to the target once."""

import dataclasses
import logging
from collections.abc import Iterator
from functools import partial

from flask import Blueprint, Response, jsonify, request

from chatproxy.errors import (
    CallerError,
    ChatproxyError,
    MalformedBody,
    NotConfigured,
    StillUnderWay,
    UpstreamTimeout,
    WebhookForeign,
    WebhookForged,
)
from chatproxy.forwarding.headers import CONTROL, Fields
from chatproxy.metrics.table import WEBHOOK_DELIVERIES, WEBHOOK_VERDICTS
from chatproxy.providers.base import SendsEvents
from chatproxy.providers.events import Received
from chatproxy.receiving.once import Answer, Outcome
from chatproxy.receiving.receiver import Receiver
from chatproxy.services import Backend
from chatproxy.settings.webhooks import WebhookSettings
from chatproxy.web.current import context, services
from chatproxy.web.parsing import header, read_bytes
from chatproxy.web.route import Route, anybody

log = logging.getLogger(__name__)

#: Characters of an id that are logged. A sender can write thousands.
SHOWN = 128

#: Fields that only a web page's browser sends, and no vendor.
OF_BROWSERS = ("Origin", "Sec-Fetch-Site")

NOT_SET = "Webhooks are received where WEBHOOK_TARGET is set."
FROM_A_PAGE = "An event without a signature must not come from a web page."
ELSEWHERE = "Another delivery of this webhook has failed. Try again."


def routes(path: str, backend: Backend) -> Iterator[Route]:
    """Yield the routes at which a provider's events are received."""
    # Vendors call from outside and bring a signature, by a name that a tunnel or a gateway has.
    # What comes out of a queue is brought by a service of the company's own.
    both = Route(
        path,
        blueprint(backend),
        anybody,
        "client",
        any_host=True,
        provider=backend.provider.name,
        for_services=partial(_is_a_services, backend),
    )
    yield from (both, dataclasses.replace(both, door="service"))


def blueprint(backend: Backend) -> Blueprint:
    """Make the blueprint that receives a provider's events."""
    found = Blueprint(f"{backend.provider.name}-receiving", __name__)

    @found.post("")
    def receive() -> Response:
        """Answer what the target answers."""
        receiver, settings = _configured()
        event = _load(backend, settings)
        outcome = _deliver(backend.provider.name, event, receiver, settings)
        return _answer(outcome)

    return found


def _is_a_services(backend: Backend) -> bool:
    """Say whether the access document is asked: of what nobody has signed."""
    provider, settings = backend.provider, services().settings.webhooks
    assert isinstance(provider, SendsEvents)  # noqa: S101 - see `routes`
    passes = settings is not None and settings.unsigned == "pass"
    return passes and not header(provider.signature_header)


def _configured() -> tuple[Receiver, WebhookSettings]:
    found = services()

    if found.receiver is None or found.settings.webhooks is None:
        raise NotConfigured(NOT_SET)

    return found.receiver, found.settings.webhooks


def _load(backend: Backend, settings: WebhookSettings) -> Received:
    provider = backend.provider
    assert isinstance(provider, SendsEvents)  # noqa: S101 - see `routes`
    passes = settings.unsigned == "pass"

    try:
        event = provider.received(read_bytes(), header, unsigned=passes)
    except (WebhookForged, WebhookForeign) as error:
        WEBHOOK_VERDICTS.add(provider.name, error.verdict)
        raise
    except MalformedBody:
        WEBHOOK_VERDICTS.add(provider.name, "invalid")
        raise

    WEBHOOK_VERDICTS.add(provider.name, event.verdict)

    if event.verdict == "unsigned" and any(map(header, OF_BROWSERS)):
        raise CallerError(FROM_A_PAGE)

    if any(CONTROL.search(value.encode("latin-1")) for _, value in event.fields):
        raise CallerError("A header holds a control character.")

    return event


def _deliver(
    provider: str, event: Received, receiver: Receiver, settings: WebhookSettings
) -> Outcome:
    fields = _fields(provider, event, settings)

    def deliver() -> Answer:
        return receiver.target.take(fields, event.content.upload())

    became = "failed"

    try:
        outcome = receiver.receive(event.key_at(provider), deliver)
        became = outcome.became
    except ChatproxyError as error:
        became = _kind_of(error)
        raise
    finally:
        WEBHOOK_DELIVERIES.add(provider, became)
        # Never the body: it has what users write.
        context().notes["webhook"] = {
            "verdict": event.verdict,
            "form": event.form,
            "id": event.id[:SHOWN],
            "outcome": became,
        }

    return outcome


def _fields(provider: str, event: Received, settings: WebhookSettings) -> Fields:
    is_as_sent = event.form == "webhook"
    media = request.environ.get("CONTENT_TYPE") if is_as_sent else None
    ours = [
        ("Content-Type", media or "application/json"),
        ("Accept-Encoding", "identity"),
        ("X-Request-Id", context().id),
        ("X-Chatproxy-Provider", provider),
        ("X-Chatproxy-Verdict", event.verdict),
        ("X-Chatproxy-Form", event.form),
    ]

    if settings.target_token is not None:
        ours.append(("Authorization", f"Bearer {settings.target_token}"))

    return [*ours, *event.fields]


def _kind_of(error: ChatproxyError) -> str:
    if isinstance(error, UpstreamTimeout):
        return "timeout"

    return "waited" if isinstance(error, StillUnderWay) else "unreachable"


def _answer(outcome: Outcome) -> Response:
    answer = outcome.answer

    if outcome.became == "failed elsewhere":
        found = jsonify({"errorMsg": ELSEWHERE})
        found.status_code = answer.status
    else:
        found = Response(answer.body or b"", status=answer.status)
        found.headers.pop("Content-Type")

        if answer.body and answer.content_type:
            found.headers["Content-Type"] = answer.content_type

    if outcome.became in ("duplicate", "failed elsewhere"):
        found.headers["X-Chatproxy-Duplicate"] = "true"

    return found
