"""What each field of the document may hold."""

import re
from collections.abc import Callable
from typing import Any, TypeVar

from marshmallow import RAISE, Schema, ValidationError, fields, validate

from chatproxy.access.keys import DIGEST, PREFIX, digest_of
from chatproxy.access.patterns import ANY, EndpointPattern, PathPattern, Wildcard
from chatproxy.access.rules import METHODS
from chatproxy.formats.rates import Rate

T = TypeVar("T")
Messages = dict[str, str | list[Any] | dict[Any, Any]]

#: It becomes a field of each log line and a label of metrics.
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
NAMED = "a name of 1 to 64 letters, digits and . _ -, which begins with a letter or digit"

MOST_KEYS = 10
MOST_ITEMS = 1_000
LONGEST_PATTERN = 1_024
ANY_METHOD = ANY

TEXTS: Messages = {"required": "is missing", "null": "is empty", "invalid": "must be text"}
LISTS: Messages = {"required": "is missing", "null": "is empty", "invalid": "must be a list"}
OBJECTS: Messages = {"required": "is missing", "null": "is empty", "type": "must be an object"}

EMPTY_DIGEST = digest_of("")


class Parsed(fields.Field[T]):
    """A text that a function reads, which raises `ValueError` with what is wrong."""

    default_error_messages = TEXTS

    def __init__(self, read: Callable[[str], T], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._read = read

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> T:  # noqa: ARG002
        if not isinstance(value, str):
            raise self.make_error("invalid")

        try:
            return self._read(value)
        except ValueError as error:
            raise ValidationError(str(error)) from error


def many(read: Callable[[str], Any], most: int = MOST_ITEMS, **kwargs: Any) -> fields.List[Any]:
    """Declare a list of texts that a function reads."""
    return fields.List(Parsed(read), validate=_at_most(most), error_messages=LISTS, **kwargs)


def _at_most(most: int) -> validate.Length:
    return validate.Length(0, most, error=f"has more than {most} items")


def _digest(text: str) -> bytes:
    # Without the text: it may be a key.
    if text.startswith(PREFIX):
        raise ValueError(
            "is a key, and stands in a file now: make another one by `chatproxy access key`, and "
            "write its digest"
        )

    found = DIGEST.fullmatch(text)

    if found is None:
        raise ValueError("is no digest: `sha256:` and 64 hexadecimal digits")

    digest = bytes.fromhex(found[1])

    if digest == EMPTY_DIGEST:
        raise ValueError("is the digest of an empty text: of no key")

    return digest


def _method(text: str) -> str:
    if text not in (*METHODS, ANY_METHOD):
        raise ValueError(f"is no method: {', '.join(METHODS)}, or '{ANY_METHOD}' for each")

    return text


def _path(text: str) -> PathPattern:
    return PathPattern.read(_bounded(text))


def _endpoint(text: str) -> EndpointPattern:
    return EndpointPattern.read(_bounded(text), METHODS)


def _user(text: str) -> Wildcard:
    if not text or text.count(ANY) > 1:
        raise ValueError("is a user's id, with one `*` at most, which stands for any characters")

    return Wildcard(_bounded(text))


def _bounded(text: str) -> str:
    if len(text) > LONGEST_PATTERN:
        raise ValueError(f"is longer than {LONGEST_PATTERN} characters")

    return text


def _rate(text: str) -> Rate:
    try:
        return Rate.read(text)
    except ValueError as error:
        raise ValueError("is no rate, such as `300 per minute` or `10 per 15 minutes`") from error


class Strict(Schema):
    """An object without any other field: a slip in a name must not pass for a rule."""

    class Meta:
        unknown = RAISE

    error_messages = {"type": "must be an object"}  # noqa: RUF012 - marshmallow's form


class RuleSchema(Strict):
    """Calls that may be forwarded."""

    providers = many(str)
    methods = many(_method, required=True)
    paths = many(_path, required=True)


class CallerSchema(Strict):
    """A caller."""

    keys = many(_digest, MOST_KEYS, required=True)
    providers = many(str)
    calls = fields.List(
        fields.Nested(RuleSchema, error_messages=OBJECTS),
        validate=_at_most(MOST_ITEMS),
        error_messages=LISTS,
    )
    endpoints = many(_endpoint)
    users = many(_user)
    limit = Parsed(_rate)


class DocumentSchema(Strict):
    """The document. Each caller is checked by itself."""

    callers = fields.Dict(
        required=True, error_messages=OBJECTS | {"invalid": "must be an object: callers by name"}
    )
