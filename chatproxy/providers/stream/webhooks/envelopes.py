"""Events by way of Amazon's queues: Stream signs none of these.

Source: the vendor's documentation and official SDKs (`parseSqs`, `parseSns`); Amazon's "Parsing
message formats" of SNS. Amazon signs an SNS envelope by a certificate whose address is in the
envelope. It is never fetched here: whoever sends the envelope chooses it.
"""

import base64
import binascii
import time
from collections.abc import Mapping
from typing import Any

from chatproxy.errors import MalformedBody
from chatproxy.formats import strictjson
from chatproxy.providers.stream.webhooks.gzipped import MAGIC

#: What an SNS envelope is that holds no event: the topic asks for, or tells of, a subscription.
CONTROLS = ("SubscriptionConfirmation", "UnsubscribeConfirmation")

#: The first byte of an event, which is a JSON object.
OBJECT = b"{"

NO_ENVELOPE = "This is no SNS envelope: a JSON object with Type and Message."
NO_EVENT = "The SNS envelope holds no event: its Type is not Notification."


def unwrapped(body: bytes) -> tuple[str, bytes] | None:
    """Return the form of a queue's message and the event in it, None if there is none.

    What tells of a subscription is returned as it is. The event may be compressed.
    """
    if (envelope := envelope_in(body)) is None:
        event = of_sqs(body)
        is_one = event is not body or body.lstrip().startswith((OBJECT, MAGIC))
        return ("sqs", event) if is_one else None

    if envelope["Type"] in CONTROLS:
        return "sns-subscription", body

    return ("sns", of_sns(body)) if envelope["Type"] == "Notification" else None


def of_sns(body: bytes) -> bytes:
    """Return the event in an SNS envelope; raise `MalformedBody`. It may be compressed."""
    envelope = envelope_in(body)

    if envelope is None:
        raise MalformedBody(NO_ENVELOPE)

    if envelope["Type"] != "Notification":
        raise MalformedBody(NO_EVENT)

    return of_sqs(str(envelope["Message"]).encode("utf-8", "surrogatepass"))


def of_sqs(message: bytes) -> bytes:
    """Return the event in the body of an SQS message. It may be compressed."""
    # Where compression is on it is base64 of gzip, else the event itself or base64 of it: the
    # vendor's SDKs differ. JSON has a brace, which base64 has not.
    try:
        return base64.b64decode(message, validate=True)
    except binascii.Error:
        return message


def envelope_in(body: bytes) -> Mapping[str, Any] | None:
    """Return the SNS envelope that a body is, None if it is none."""
    if not body.lstrip().startswith(OBJECT):
        return None

    try:
        document = strictjson.read(body)
    except ValueError:
        return None
    finally:
        time.sleep(0)  # it may have taken long: let the worker's other requests run

    if not isinstance(document, dict):
        return None

    texts = (document.get("Type"), document.get("Message"))
    return document if all(isinstance(one, str) for one in texts) else None
