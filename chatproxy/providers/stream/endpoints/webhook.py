"""`POST /webhook/verify`: check the signature of an event."""

import base64
import binascii
import logging

from flask import Blueprint, Response, jsonify
from marshmallow import EXCLUDE, Schema, fields, validate

from chatproxy.errors import MalformedBody
from chatproxy.metrics.table import WEBHOOK_VERDICTS
from chatproxy.providers.stream.provider import Stream
from chatproxy.web.current import provider
from chatproxy.web.parsing import load_json

log = logging.getLogger(__name__)

blueprint = Blueprint("stream-webhook", __name__)


class Event(Schema):
    """An event as it was received, and its `X-Signature`."""

    class Meta:
        unknown = EXCLUDE

    raw_body = fields.String(data_key="rawBody", required=True)
    signature = fields.String(required=True)
    # A compressed event is not text, so it comes as base64.
    encoding = fields.String(load_default="text", validate=validate.OneOf(["text", "base64"]))


@blueprint.post("/verify")
def verify() -> Response:
    """Answer `isValid`."""
    event = load_json(Event())
    body = _bytes_of(event["raw_body"], event["encoding"])
    is_valid = provider(Stream).verify_event(body, _utf_8(event["signature"]))
    WEBHOOK_VERDICTS.add(Stream.name, "valid" if is_valid else "invalid")
    # Never the body: it has what users write.
    log.info("webhook verified", extra={"isValid": is_valid})
    return jsonify({"isValid": is_valid})


def _bytes_of(text: str, encoding: str) -> bytes:
    if encoding == "text":
        return _utf_8(text)

    try:
        return base64.b64decode(_utf_8(text), validate=True)
    except binascii.Error as error:
        raise MalformedBody("rawBody: Not valid base64.") from error


def _utf_8(text: str) -> bytes:
    # JSON may hold half a surrogate pair. It matches no signature, and must not be a 500.
    return text.encode("utf-8", "surrogatepass")
