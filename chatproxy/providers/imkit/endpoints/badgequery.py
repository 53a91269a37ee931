"""Which badges a request asks for, and the count that it sets."""

import re
from typing import Any
from urllib.parse import parse_qsl

from marshmallow import Schema, ValidationError, fields, validate

from chatproxy.errors import BadTarget, InvalidBody, MalformedBody, NotFound
from chatproxy.web.current import context
from chatproxy.web.parsing import decoded_id, load, load_json, read_json, segments_below
from chatproxy.web.user_schema import LONGEST_ID, BoundedList, ObjectSchema, text_field
from chatproxy.web.validators import TEXT_MESSAGES

PLACE = "/imkit/badge/"

#: Clients that one request may ask for; the vendor's sample has no limit.
MOST_ASKED = 500
LARGEST_COUNT = 10**9

NO_ARRAY = "The body must be a JSON array of ids."
SOURCE = r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}\Z"
#: What a count may be, as JSON Schema.
ANY_COUNT = {
    "anyOf": [
        {"type": "integer", "minimum": 0, "maximum": LARGEST_COUNT},
        {"type": "string", "pattern": "^0{0,10}(?:[0-9]{1,9}|10{9})$"},
        {"enum": ["", False, None]},
    ]
}
DIGITS = re.compile(r"[0-9]{1,20}")

#: Names that a source must not have, in lower case: the other fields of the object, and the
#: names by which JavaScript reaches what all objects share.
RESERVED = frozenset({"clientid", "total", "__proto__", "constructor", "prototype"})


class ClientIds(Schema):
    """Ids of clients, from a query, a path or a body."""

    client_ids = BoundedList(text_field(LONGEST_ID), MOST_ASKED, data_key="clientId", required=True)


def _not_reserved(source: str) -> None:
    if source.lower() in RESERVED:
        raise ValidationError("This name is not free.")


class Count(fields.Field[int]):
    """A whole number, also as digits. Empty values count as 0, as in the vendor's sample."""

    default_error_messages = {  # noqa: RUF012 - marshmallow's form
        "invalid": f"Must be a whole number from 0 to {LARGEST_COUNT}."
    }

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> int:
        if value is False or value == "":
            return 0

        # The sample parses any text that begins with digits. Here `12 apples` is refused.
        is_digits = isinstance(value, str) and DIGITS.fullmatch(value) is not None
        is_whole = isinstance(value, float) and value.is_integer()
        number = int(value) if is_digits or is_whole else value

        if type(number) is not int or not 0 <= number <= LARGEST_COUNT:  # True is an int too
            raise self.make_error("invalid")

        return number


class CountBody(ObjectSchema):
    """The body that sets a count."""

    error_messages = {"type": "The body must be a JSON object."}  # noqa: RUF012

    source = fields.String(
        required=True,
        error_messages={"required": TEXT_MESSAGES["required"]},
        validate=[
            validate.Regexp(SOURCE, error="Must be 1 to 64 of A-Z a-z 0-9, and later . _ : -"),
            _not_reserved,
        ],
    )
    count = Count(load_default=0, allow_none=True, metadata=ANY_COUNT)


def ids_in_query() -> list[str]:
    """Return all values of `clientId` in the query; raise `BadTarget`."""
    query = context().target.query or ""

    # Flask keeps bytes that are not UTF-8 percent-encoded, which would be another id.
    try:
        pairs = parse_qsl(query, keep_blank_values=True, errors="strict")
    except UnicodeDecodeError as error:
        raise BadTarget("The query is not UTF-8.") from error

    return _ids_in_target([value for name, value in pairs if name == "clientId"])


def ids_in_body() -> list[str]:
    """Return the ids in the body, a JSON array; raise `MalformedBody`, `InvalidBody`."""
    ids = read_json(refusal=NO_ARRAY)

    if not isinstance(ids, list):
        raise MalformedBody(NO_ARRAY)

    return _checked(ids)


def id_in_path() -> str:
    """Return the id in the raw path; raise `NotFound`, `BadTarget`."""
    # In the raw path an encoded slash is part of the id. One slash at the end is ignored.
    segment, *rest = segments_below(PLACE)

    if rest not in ([], [""]):
        raise NotFound("Nothing is served at this path.")

    return _ids_in_target([decoded_id(segment, "client")])[0]


def source_and_count() -> tuple[str, int]:
    """Read the source whose count is set, and the count; raise `InvalidBody`."""
    body = load_json(CountBody)
    return body["source"], body["count"] or 0


def _ids_in_target(ids: list[str]) -> list[str]:
    try:
        return _checked(ids)
    except InvalidBody as error:  # there is no body that could be invalid
        raise BadTarget(error.message) from error


def _checked(ids: list[Any]) -> list[str]:
    checked: list[str] = load(ClientIds, {"clientId": ids})["client_ids"]
    return checked
