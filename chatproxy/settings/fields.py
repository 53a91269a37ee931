"""The marshmallow fields that check a variable's text.

A field's `expects` completes the sentences "set it to …" and "is not …" in error messages. It is
set beside the check, so that the two cannot differ.
"""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from marshmallow import fields, validate

from chatproxy.formats import durations
from chatproxy.formats.compact_jwt import SHORTEST_SAFE_KEY
from chatproxy.formats.rates import Rate

#: Digits that a number may have. `int` takes time that grows with their square (CVE-2020-10735).
MOST_DIGITS = 20

DAY = 24 * 3600

APP_ID = re.compile(r"[A-Za-z0-9._~-]{1,64}")
#: `scheme://host:port` without a path, as the `Origin` header has it (RFC 6454 section 6.2).
ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://[^\s/?#@]+")
#: A name or an address without a port; a dot in front stands for all names below as well.
HOST_NAME = re.compile(r"\.?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*|\[[0-9A-Fa-f:.]+\]")


class Text(fields.String):
    """A text that passes a check."""

    # Not marshmallow's `validate=`: since version 4 a validator that returns False has passed.

    def __init__(self, check: Callable[[str], bool], expects: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._check = check
        self.expects = expects

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> str:
        text = str(super()._deserialize(value, attr, data, **kwargs))

        if not self._check(text):
            raise self.make_error("validator_failed")

        return text


class FilePath(Text):
    """The path of a file. Whether the file can be read is checked where it is read."""

    def __init__(self, kind: str, **kwargs: Any) -> None:
        super().__init__(bool, f"the path of {kind}", **kwargs)


class BaseURL(Text):
    """An http or https URL with a host and at most a path after it."""

    def __init__(self, example: str, *, of: str = "", **kwargs: Any) -> None:
        expects = f"{of or 'an http or https URL without query'}, such as {example}"
        super().__init__(is_base_url, expects, **kwargs)


class ProviderKey(Text):
    """A provider's key: visible ASCII, so that it can be the value of a header (RFC 9110 5.5)."""

    def __init__(self, expects: str, **kwargs: Any) -> None:
        super().__init__(is_visible_ascii, expects, **kwargs)


class AppId(Text):
    """The id of an app of the directory."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            lambda text: APP_ID.fullmatch(text) is not None,
            "the id of an app, as `chatproxy apps list` shows it",
            **kwargs,
        )


class OneOf(Text):
    """One of a few words."""

    def __init__(self, *words: str, **kwargs: Any) -> None:
        *first, last = words
        listed = f"{', '.join(first)} or {last}" if len(words) < 3 else f"one of {', '.join(words)}"
        super().__init__(lambda text: text in words, listed, **kwargs)


class WholeNumber(fields.Field[int]):
    """A whole number within a range, in ASCII digits."""

    # `int` alone would also read `1_000`, ` 7 ` and the digits of other scripts, such as `٣`.

    def __init__(self, low: int, high: int, *, of: str = "a whole number", **kwargs: Any) -> None:
        super().__init__(validate=validate.Range(low, high), **kwargs)
        self.expects = f"{of} from {low} to {high}"

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> int:
        text = str(value)

        if not (text.isascii() and text.isdigit() and len(text) < MOST_DIGITS):
            raise self.make_error("validator_failed")

        return int(text)


class Port(WholeNumber):
    """A TCP port."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(1, 65535, of="a port number", **kwargs)


class Seconds(fields.Float):
    """A number of seconds above zero."""

    def __init__(self, high: int, **kwargs: Any) -> None:
        above_zero = validate.Range(0, high, min_inclusive=False)
        super().__init__(allow_nan=False, validate=above_zero, **kwargs)
        self.expects = f"a number of seconds above 0, at most {high}"


class Duration(fields.Field[int]):
    """A duration such as `15m` or `24h` within a range; its value is in seconds."""

    def __init__(self, low: int, high: int, *, example: str, **kwargs: Any) -> None:
        super().__init__(validate=validate.Range(low, high), **kwargs)
        self.expects = (
            f"a duration from {durations.written(low)} to {durations.written(high)}, "
            f"such as {example}"
        )

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> int:
        try:
            return durations.seconds_of(str(value))
        except ValueError as error:
            raise self.make_error("validator_failed") from error


class RateField(fields.Field[Rate]):
    """A rate such as `10 per 15 minutes`."""

    expects = "a rate such as `10 per 15 minutes`"

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Rate:  # noqa: ARG002
        try:
            return Rate.read(str(value))
        except ValueError as error:
            raise self.make_error("validator_failed") from error


class TextList(fields.Field[tuple[str, ...]]):
    """A comma list of at least one text, without the white space around each."""

    def __init__(self, expects: str, check: Callable[[str], bool] = bool, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._check = check
        self.expects = expects

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> tuple[str, ...]:
        items = texts_in(str(value))

        if not all(items) or not all(self._check(item) for item in items):
            raise self.make_error("validator_failed")

        return items


class OneSecret(fields.Field[tuple[str, ...]]):
    """A list of one secret that passes a check. It may have commas."""

    def __init__(self, check: Callable[[str], bool], expects: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._check = check
        self.expects = expects

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> tuple[str, ...]:  # noqa: ARG002
        if not self._check(str(value)):
            raise self.make_error("validator_failed")

        return (str(value),)


class Origins(TextList):
    """A comma list of origins, or `*` where any may be meant."""

    def __init__(self, *, or_any: bool = True, **kwargs: Any) -> None:
        super().__init__(
            f"a comma list of origins such as https://app.example{', or *' if or_any else ''}",
            lambda text: ORIGIN.fullmatch(text) is not None or (or_any and text == "*"),
            **kwargs,
        )


class HostNames(TextList):
    """A comma list of host names, as `Host` has them but without a port."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            "a comma list of host names without a port, such as chatproxy,.chat.example",
            lambda text: HOST_NAME.fullmatch(text) is not None,
            **kwargs,
        )


class SigningSecrets(TextList):
    """A comma list of HMAC keys, each as long as the hash (RFC 7518 section 3.2)."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            f"a random text of at least {SHORTEST_SAFE_KEY} bytes, or a comma list of such texts",
            lambda secret: len(secret.encode()) >= SHORTEST_SAFE_KEY,
            **kwargs,
        )


def texts_in(text: str) -> tuple[str, ...]:
    """Split a comma list, without the white space around each text."""
    return tuple(item.strip() for item in text.split(","))


def is_base_url(text: str) -> bool:
    """Check for an http or https URL with a host and at most a path after it."""
    # Our paths are appended to it byte for byte, so a query or a fragment would swallow them, and a
    # dot segment would take them elsewhere. A user in it would be a credential in a log.
    try:
        url = urlsplit(text)
        port = url.port
        (url.hostname or "").encode("idna")  # as for the look-up, and the certificate's check
    except ValueError:
        return False

    dots = any(segment in (".", "..") for segment in url.path.split("/"))
    plain = not (dots or url.query or url.fragment or url.username or url.password or "\\" in text)
    is_web = url.scheme in ("http", "https") and bool(url.hostname)
    return is_web and plain and is_visible_ascii(text) and port != 0


def is_visible_ascii(text: str) -> bool:
    """Check for ASCII without spaces and control characters."""
    return text.isascii() and text.isprintable() and " " not in text
