"""`POST /webhook/verify`: check the signature of an event."""

import base64
import binascii
import logging

from flask import Blueprint, Response, jsonify
from marshmallow import EXCLUDE, Schema, fields, validate

from chatproxy.errors import MalformedBody
from chatproxy.metrics.table import WEBHOOK_VERDICTS
from chatproxy.providers.stream.provider import Stream
from chatproxy.providers.stream.webhooks import envelopes
from chatproxy.web.current import provider
from chatproxy.web.parsing import load_json

log = logging.getLogger(__name__)

blueprint = Blueprint("stream-webhook", __name__)

#: How an event is written in `rawBody`.
ENCODINGS = ("text", "base64", "sns", "sqs")

#: Those in which Stream sends no signature.
UNSIGNED = ("sns", "sqs")


class Event(Schema):
    """An event as it was received, and its `X-Signature`."""

    class Meta:
        unknown = EXCLUDE

    raw_body = fields.String(data_key="rawBody", required=True)
    signature = fields.String(required=True)
    # A compressed event is not text, so it comes as base64. An envelope is never looked for in what
    # is said to be the event: around a genuine one somebody could have written another.
    encoding = fields.String(load_default="text", validate=validate.OneOf(ENCODINGS))


@blueprint.post("/verify")
def verify() -> Response:
    """Answer `isValid`, and why not where Stream has signed nothing."""
    event = load_json(Event)
    encoding, signature = event["encoding"], event["signature"]
    body = _event_in(event["raw_body"], encoding)
    is_valid = provider(Stream).signatures.is_right(body, _utf_8(signature))
    verdict = "valid" if is_valid else "invalid"

    if encoding in UNSIGNED and not signature:
        verdict = "unsigned"

    WEBHOOK_VERDICTS.add(Stream.name, verdict)
    # Never the body: it has what users write.
    log.info("webhook verified", extra={"isValid": is_valid})
    answer = {"isValid": is_valid}
    return jsonify(answer | {"verdict": verdict} if encoding in UNSIGNED else answer)


def _event_in(text: str, encoding: str) -> bytes:
    content = _utf_8(text)

    if encoding == "sns":
        return envelopes.of_sns(content)

    if encoding == "sqs":
        return envelopes.of_sqs(content)

    return _from_base64(content) if encoding == "base64" else content


def _from_base64(text: bytes) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise MalformedBody("rawBody: Not valid base64.") from error


def _utf_8(text: str) -> bytes:
    # JSON may hold half a surrogate pair. It matches no signature, and must not be a 500.
    return text.encode("utf-8", "surrogatepass")
