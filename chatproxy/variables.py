"""How a setting is declared, read and checked.

A settings class is a frozen dataclass whose fields are made by `variable`. The
declaration is the only place that knows a variable's name, default, meaning and
check: reading, error messages, redaction and the test of the documentation all
come from it.
"""

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from marshmallow import Schema, fields, validate

from chatproxy import durations
from chatproxy.keptsecrets import KeptSecrets
from chatproxy.signing.compact import SHORTEST_SAFE_KEY

FILE_SUFFIX = "_FILE"
MOST_DIGITS = 20
EXPECTS_SIGNING_SECRETS = (
    f"a random text of at least {SHORTEST_SAFE_KEY} bytes, or a comma list of such texts"
)

T = TypeVar("T")


@dataclasses.dataclass(frozen=True)
class Variable:
    """One environment variable.

    `expects` completes the sentences "set it to …" and "is not …". A `secret` is
    left out of every repr, removed from every log line, and may be given as the
    path of a file in `NAME_FILE`. A `kept` one is made and kept on a local run that
    does without it.
    """

    name: str
    field: fields.Field[Any]
    expects: str
    meaning: str
    secret: bool
    required: bool
    default: Any
    kept: bool


def variable(
    name: str,
    field: fields.Field[Any],
    *,
    expects: str,
    meaning: str,
    secret: bool = False,
    default: Any = dataclasses.MISSING,
    kept: bool = False,
) -> Any:
    """Declare a dataclass field that is read from the environment variable `name`.

    Without a default the variable is required.
    """
    required = default is dataclasses.MISSING
    declared = Variable(name, field, expects, meaning, secret, required, default, kept)
    metadata = {"variable": declared}

    if required:
        return dataclasses.field(repr=not secret, metadata=metadata)

    return dataclasses.field(default=default, repr=not secret, metadata=metadata)


def declared(section: type) -> Iterator[tuple[str, Variable]]:
    """Yield (attribute, variable) for each declared field of a settings class."""
    for field in dataclasses.fields(section):
        if "variable" in field.metadata:
            yield field.name, field.metadata["variable"]


def is_given(environ: Mapping[str, str], name: str) -> bool:
    """Say whether the variable, or its file form, has a value. Empty is absent."""
    return any(environ.get(form, "").strip() for form in (name, name + FILE_SUFFIX))


def read(
    section: type[T],
    environ: Mapping[str, str],
    problems: list[str],
    kept: KeptSecrets | None = None,
) -> T | None:
    """Read a settings class from the environment.

    Each fault is appended to `problems` as one line that names the variable and
    the mend, never the value. The result is None where anything was wrong. `kept`
    holds the texts of variables that may be made here where they are absent.
    """
    before = len(problems)
    raw = {
        attribute: text
        for attribute, one in declared(section)
        if (text := _text(one, environ, problems, kept)) is not None
    }
    schema = Schema.from_dict({attribute: one.field for attribute, one in declared(section)})()
    faulty = schema.validate(raw)

    for attribute, one in declared(section):
        if attribute in faulty:
            problems.append(f"{one.name}: is not {one.expects}.")
        elif one.required and attribute not in raw and not _mentioned(one, problems[before:]):
            problems.append(f"{one.name}: is missing. Set it to {one.expects}.")

    if len(problems) > before:
        return None

    return section(**schema.load(raw))


def secrets_of(settings: object) -> Iterator[str]:
    """Yield every secret text that a settings object holds, lists taken apart."""
    for attribute, one in declared(type(settings)):
        if not one.secret:
            continue

        value = getattr(settings, attribute)
        yield from value if isinstance(value, tuple) else [value] if value else []


class Text(fields.String):
    """A text that passes a check. marshmallow takes a plain function's False for a pass."""

    def __init__(self, check: Callable[[str], bool], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._check = check

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> str:
        text = str(super()._deserialize(value, attr, data, **kwargs))

        if not self._check(text):
            raise self.make_error("validator_failed")

        return text


class WholeNumber(fields.Field[int]):
    """ASCII digits within a range. Python itself would also read `1_000` and `٣`."""

    def __init__(self, low: int, high: int, **kwargs: Any) -> None:
        super().__init__(validate=validate.Range(low, high), **kwargs)

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> int:
        text = str(value)

        if not (text.isascii() and text.isdigit() and len(text) < MOST_DIGITS):
            raise self.make_error("validator_failed")

        return int(text)


class Duration(fields.Field[int]):
    """A span such as `15m` or `24h` within a range; its value is seconds."""

    def __init__(self, low: int, high: int, **kwargs: Any) -> None:
        super().__init__(validate=validate.Range(low, high), **kwargs)

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> int:
        try:
            return durations.seconds_of(str(value))
        except ValueError as error:
            raise self.make_error("validator_failed") from error


class TextList(fields.Field[tuple[str, ...]]):
    """A comma list of texts, white space around each left out, at least one."""

    def __init__(self, check: Callable[[str], bool] = bool, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._check = check

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> tuple[str, ...]:
        items = tuple(item.strip() for item in str(value).split(","))

        if not all(items) or not all(self._check(item) for item in items):
            raise self.make_error("validator_failed")

        return items


class SigningSecrets(TextList):
    """A comma list of HMAC keys, each hard to guess (RFC 7518 section 3.2)."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(lambda secret: len(secret.encode()) >= SHORTEST_SAFE_KEY, **kwargs)


def is_base_url(text: str) -> bool:
    """Check for an http(s) URL with a host and nothing but a path behind it."""
    try:
        url = urlsplit(text)
        port = url.port
    except ValueError:
        return False

    dots = any(segment in (".", "..") for segment in url.path.split("/"))
    plain = not (dots or url.query or url.fragment or url.username or url.password or "\\" in text)
    printable = text.isascii() and text.isprintable() and " " not in text
    return bool(url.scheme in ("http", "https") and url.hostname and plain and printable) and (
        port != 0
    )


def _text(
    one: Variable,
    environ: Mapping[str, str],
    problems: list[str],
    kept: KeptSecrets | None,
) -> str | None:
    """Return the variable's text, from its file where it names one, or None."""
    text = environ.get(one.name, "").strip()
    path = environ.get(one.name + FILE_SUFFIX, "").strip() if one.secret else ""

    if text and path:
        problems.append(f"{one.name}: is set twice. Keep it or {one.name}{FILE_SUFFIX}, not both.")
        return None

    if path:
        return _file_text(one, path, problems)

    if not text and one.kept and kept is not None:
        return _kept_text(one, kept, problems)

    return text or None


def _kept_text(one: Variable, kept: KeptSecrets, problems: list[str]) -> str | None:
    try:
        return kept.text(one.name)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "the one kept there is no text"
        problems.append(
            f"{one.name}: is missing and cannot be made here ({reason}). Set it to {one.expects}."
        )
        return None


def _file_text(one: Variable, path: str, problems: list[str]) -> str | None:
    name = one.name + FILE_SUFFIX

    try:
        text = Path(path).read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a text file"
        problems.append(f"{name}: cannot be read ({reason}). Name a readable file.")
        return None

    if not text:
        problems.append(f"{name}: the file is empty. Write {one.expects} into it.")
        return None

    return text


def _mentioned(one: Variable, problems: list[str]) -> bool:
    """Say whether a problem with this variable is already listed."""
    return any(
        problem.startswith((f"{one.name}:", f"{one.name}{FILE_SUFFIX}:")) for problem in problems
    )
