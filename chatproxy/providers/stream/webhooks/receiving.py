"""What a call of Stream's holds: an event, and whether Stream has sent it."""

import re
from collections.abc import Callable, Iterator
from functools import partial

from chatproxy.errors import MalformedBody, WebhookForeign, WebhookForged
from chatproxy.providers.events import Content, Received
from chatproxy.providers.stream.webhooks import HEADER, ID_HEADER, KEY_HEADER
from chatproxy.providers.stream.webhooks.envelopes import OBJECT, unwrapped
from chatproxy.providers.stream.webhooks.gzipped import MAGIC, inflated, is_whole, pieces
from chatproxy.providers.stream.webhooks.signatures import Signatures

#: How an event comes that Stream sends itself.
WEBHOOK = "webhook"

#: Fields of the head that go on with the event. With the secret the target may check it again.
HANDED_ON = (ID_HEADER, "X-Webhook-Attempt", KEY_HEADER, HEADER)

SIGNATURE = re.compile(r"[0-9a-f]{64}")

NO_EVENT = "The body holds no event."
FOREIGN = f"This webhook is for another application: {KEY_HEADER} is not the key of this one."
MALFORMED = f"{HEADER} must be 64 digits of lower-case hexadecimal."
INVALID = f"{HEADER} is not the signature of this body."
UNSIGNED = f"There is no {HEADER}."

#: Returns a field of the request's head, None if absent.
Header = Callable[[str], str | None]


def received(
    body: bytes, header: Header, api_key: str, signatures: Signatures, *, unsigned: bool
) -> Received:
    """Return the event in a call.

    Raises `WebhookForeign`, `WebhookForged` and `MalformedBody`. With `unsigned` what comes by a
    queue is accepted without a signature.
    """
    if not body:
        raise MalformedBody(NO_EVENT)

    if header(KEY_HEADER) not in (None, api_key):
        raise WebhookForeign(FOREIGN)

    fields = [(name, value) for name in HANDED_ON if (value := header(name))]
    signature = header(HEADER)

    if signature:
        form, content = _signed(body, signature, signatures)
        return Received("valid", form, header(ID_HEADER) or "", content, fields)

    if not unsigned:
        raise WebhookForged(UNSIGNED, verdict="unsigned")

    form, content = _unsigned(body)
    return Received("unsigned", form, header(ID_HEADER) or "", content, fields)


def _signed(body: bytes, signature: str, signatures: Signatures) -> tuple[str, Content]:
    # Before anything is hashed or inflated: whoever reaches the port can send this.
    if not SIGNATURE.fullmatch(signature):
        raise WebhookForged(MALFORMED, verdict="invalid")

    if (found := signatures.signed_pieces(body, signature.encode())) is not None:
        return WEBHOOK, Content(found)

    # Of an envelope only the event inside goes on, for which the signature is.
    form, event = unwrapped(body) or (WEBHOOK, body)

    if event is not body:
        found = signatures.signed_pieces(event, signature.encode())

        if found is not None:
            return form, Content(found)

    raise WebhookForged(INVALID, verdict="invalid")


def _unsigned(body: bytes) -> tuple[str, Content]:
    wrapped = unwrapped(body)

    if wrapped is None:
        raise MalformedBody(NO_EVENT)

    form, event = wrapped
    is_packed = event.startswith(MAGIC)
    make = partial(inflated if is_packed else pieces, event)

    if (is_packed and not is_whole(event)) or not _begins_an_object(make()):
        raise MalformedBody(NO_EVENT)

    return form, Content(make)


def _begins_an_object(found: Iterator[bytes]) -> bool:
    first = next((piece for piece in found if piece.strip()), b"")
    return first.lstrip().startswith(OBJECT)
