"""How a setting is declared and read.

A settings class is a frozen dataclass derived from `Section`, with fields made by `variable`. The
declaration alone holds a variable's name, default, meaning and check; reading, error messages,
redaction and the test of the documentation all use it.
"""

import contextlib
import dataclasses
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar

from marshmallow import Schema

from chatproxy.settings import secret_text
from chatproxy.settings.fields import BaseURL, TextList, texts_in
from chatproxy.settings.files import Files, MountedFile, reason_of
from chatproxy.settings.local_secrets import LocalSecrets
from chatproxy.settings.private_files import UntrustedFile
from chatproxy.settings.secret_text import stripped

#: Where Docker and Kubernetes mount secrets, a variable holds the path of the file.
FILE_SUFFIX = "_FILE"


#: Characters of the longest secret; what is longer is another file.
LONGEST_SECRET = 65536

#: Looks at the content of the file that a variable names, and at the values beside it, if some are
#: named; yields the end of the line "NAME: PATH …" for each fault.
Check = Callable[..., Iterator[str]]


class Section:
    """One part of the settings."""

    def problems(self) -> Iterator[str]:
        """Yield a line for each fault that no variable shows by itself.

        A variable that has a fault of its own is `FAULTY` here.
        """
        yield from ()

    def warnings(self) -> Iterator[str]:
        """Yield what the operator should know at the start."""
        yield from ()


class ProviderSection(Section):
    """The settings of a provider.

    `root_port` is the port of a listener of its own, or None. `at_client_root` is "true" where it
    stands at the root of the client door as well. `underscored` names the headers with
    a `_` that its callers send; gunicorn drops all others. `caller_keys` names the fields in which
    callers show us a credential; they are forwarded to no provider. `knows_users` means that it
    needs the directory, `on_by_default` that it is on without `PROVIDERS`. `tokens_stay` says why
    a revocation here does not end its tokens, and is empty if it does. `published` are the secrets
    of its stand-in and of the compose file, which everybody knows. `endpoints` are those of its own
    that services call, each as `METHOD /path`. `user_parameters` and `user_headers` name what in a
    forwarded call says for which user it is, in lower case with `_` for `-` the former, and
    `user_objects` the parameters whose JSON object has the same. `permissions_document` is the
    variable that names a document of permissions, where the provider has some of its own.
    """

    root_port: int | None = None
    at_client_root: str = "false"
    underscored: ClassVar[tuple[str, ...]] = ()
    caller_keys: ClassVar[tuple[str, ...]] = ()
    knows_users: ClassVar[bool] = True
    on_by_default: ClassVar[bool] = False
    tokens_stay: ClassVar[str] = ""
    published: ClassVar[frozenset[str]] = frozenset()
    endpoints: ClassVar[tuple[str, ...]] = ()
    user_parameters: ClassVar[tuple[str, ...]] = ()
    user_objects: ClassVar[tuple[str, ...]] = ()
    user_headers: ClassVar[tuple[str, ...]] = ()
    permissions_document: ClassVar[str] = ""

    def servers(self) -> Iterator[tuple[str, str]]:
        """Yield (variable, URL) for each server that is called."""
        for attribute, one in declared(type(self)):
            if one.is_server and isinstance(url := getattr(self, attribute), str):
                yield one.name, url

    def commands_before_start(self) -> Iterator[tuple[str, ...]]:
        """Yield the commands of `chatproxy` that prepare the directory."""
        yield from ()


class FaultyValue(Exception):  # noqa: N818 - it ends a check, and is no error of its own
    """A check has looked at a value that is already known to be faulty."""


class _Faulty:
    """Stands for the value of a faulty variable. It is given, and has no value to look at."""

    # So the checks of a section can be made where some of its variables are faulty: all problems
    # are told at once, and none that is only the echo of another.

    def _refuse(self, *_: Any) -> Any:
        raise FaultyValue

    __eq__ = __hash__ = __contains__ = __iter__ = __len__ = __getattr__ = _refuse
    __lt__ = __gt__ = __le__ = __ge__ = _refuse

    def __bool__(self) -> bool:
        return True


FAULTY: Any = _Faulty()


class Expecting(Protocol):
    """A field that says what text it expects; see `fields`."""

    expects: str


@dataclasses.dataclass(frozen=True)
class Variable:
    """One environment variable.

    A `secret` is left out of every repr, redacted in every log line, and may be given as the path
    of a file in `NAME_FILE`. A `kept` one is generated and kept if a local run does not set it.
    With a `check` it names a file, and its value is a `MountedFile`; with `once` as well, the file
    counts as it was at the start. `beside` are attributes whose values the check looks at, too; one
    that is faulty is None there.
    """

    name: str
    field: Any
    meaning: str
    secret: bool
    required: bool
    default: Any
    kept: bool
    check: Check | None
    once: bool
    beside: Sequence[str]

    @property
    def is_server(self) -> bool:
        """Say whether it is the URL of a server that we call."""
        return isinstance(self.field, BaseURL)

    @property
    def expects(self) -> str:
        """The end of the sentences "set it to …" and "is not …"."""
        return str(self.field.expects)


def variable(
    name: str,
    field: Expecting,
    *,
    meaning: str,
    secret: bool = False,
    default: Any = dataclasses.MISSING,
    kept: bool = False,
    check: Check | None = None,
    once: bool = False,
    beside: Sequence[str] = (),
) -> Any:
    """Declare a dataclass field that is read from the environment variable `name`.

    Without a default the variable is required.
    """
    required = default is dataclasses.MISSING
    one = Variable(name, field, meaning, secret, required, default, kept, check, once, beside)
    metadata = {"variable": one}

    if required:
        return dataclasses.field(repr=not secret, metadata=metadata)

    return dataclasses.field(default=default, repr=not secret, metadata=metadata)


SectionT = TypeVar("SectionT", bound=Section)


def declared(section: type[Any]) -> Iterator[tuple[str, Variable]]:
    """Yield (attribute, variable) for each declared field of a settings class."""
    for field in dataclasses.fields(section):
        if "variable" in field.metadata:
            yield field.name, field.metadata["variable"]


def is_given(environ: Mapping[str, str], name: str) -> bool:
    """Say whether the variable, or its `_FILE` form, has a value; an empty one has none."""
    # Compose files and scripts often pass a variable that is not set as an empty one.
    return any(stripped(environ.get(form, "")) for form in (name, name + FILE_SUFFIX))


def read(
    section: type[SectionT],
    environ: Mapping[str, str],
    problems: list[str],
    kept: LocalSecrets | None = None,
    files: Files | None = None,
) -> SectionT:
    """Read a settings class from the environment.

    Each fault is appended to `problems` as one line with the variable and the remedy, and the
    value is then `FAULTY`. `kept` generates the variables that allow it if they are absent.
    `files` keeps what was read.
    """
    files = files or Files()
    variables = dict(declared(section))
    raw = {name: _text(one, environ, problems, files, kept) for name, one in variables.items()}
    given = {name: text for name, text in raw.items() if isinstance(text, str)}
    schema = Schema.from_dict({name: one.field for name, one in variables.items()})()
    refused = schema.validate(given)

    for name, one in variables.items():
        if name in refused:
            # Without the value, which may be a secret.
            problems.append(f"{one.name}: is not {one.expects}.")
        elif one.required and raw[name] is None:
            problems.append(f"{one.name}: is missing. Set it to {one.expects}.")

    sound = schema.load({name: text for name, text in given.items() if name not in refused})

    for name, one in variables.items():
        if one.check is not None and name in sound:
            others = [_value_of(beside, variables, sound, raw) for beside in one.beside]
            sound[name] = _mounted(one, one.check, sound[name], others, problems, files)

    missing = {name for name, one in variables.items() if one.required and name not in sound}
    faulty = {name for name, text in raw.items() if text is FAULTY} | missing | set(refused)
    return section(**sound, **dict.fromkeys(faulty, FAULTY))


def problems_of(section: Section) -> Iterator[str]:
    """Yield the faults that no variable of a section shows by itself, as far as can be told."""
    with contextlib.suppress(FaultyValue):
        yield from section.problems()


def is_sound(section: Section) -> bool:
    """Say whether no variable of a section has a problem of its own."""
    return all(getattr(section, name) is not FAULTY for name, _ in declared(type(section)))


def accepting(section: Any, further: Mapping[str, Collection[str]]) -> Any:
    """Return a section whose lists of secrets have further ones at their ends, by variable."""
    longer = {
        name: (*getattr(section, name), *further[one.name])
        for name, one in declared(type(section))
        if one.name in further
    }
    return dataclasses.replace(section, **longer)


def lists_of(section: Section) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield (variable, secrets) for each list of secrets, of which the first signs, all verify."""
    for attribute, one in declared(type(section)):
        value = getattr(section, attribute)

        if one.secret and isinstance(value, tuple):
            yield one.name, value


def secrets_of(section: Section) -> Iterator[str]:
    """Yield every secret of a section, lists item by item."""
    for attribute, one in declared(type(section)):
        if not one.secret:
            continue

        value = getattr(section, attribute)
        yield from value if isinstance(value, tuple) else [value] if value else []


def _value_of(
    name: str, variables: Mapping[str, Variable], sound: Mapping[str, Any], raw: Mapping[str, Any]
) -> Any:
    """Return an attribute's value, None where it is faulty."""
    return sound.get(name, variables[name].default if raw[name] is None else None)


def _mounted(
    one: Variable,
    check: Check,
    path: str,
    others: Collection[Any],
    problems: list[str],
    files: Files,
) -> MountedFile | Any:
    """Return the file that a variable names, `FAULTY` after a problem."""
    try:
        content = files.content(Path(path), once=one.once)
    except (OSError, ValueError) as error:
        problems.append(
            f"{one.name}: {path} cannot be used: it cannot be read ({reason_of(error)}). "
            f"Name {one.expects.removeprefix('the path of ')}."
        )
        return FAULTY

    faults = [f"{one.name}: {path} {fault}" for fault in check(content, *others)]
    problems.extend(faults)
    return FAULTY if faults else MountedFile(path, content)


def _text(
    one: Variable,
    environ: Mapping[str, str],
    problems: list[str],
    files: Files,
    kept: LocalSecrets | None,
) -> Any:
    """Return the text of a variable, None if it is absent, `FAULTY` after a problem."""
    text = stripped(environ.get(one.name, ""))
    path = stripped(environ.get(one.name + FILE_SUFFIX, "")) if one.secret else ""

    # Not one before the other: nobody could tell which of two secrets is in force.
    if text and path:
        problems.append(f"{one.name}: is set twice. Keep it or {one.name}{FILE_SUFFIX}, not both.")
        return FAULTY

    if path:
        return _file_text(one, path, problems, files)

    if not text and one.kept and kept is not None:
        return _kept_text(one, kept, problems, files)

    return _sound(one, one.name, text, problems) or None


def _kept_text(one: Variable, kept: LocalSecrets, problems: list[str], files: Files) -> Any:
    # Whether this is a local run cannot be told; what else is wrong is told already.
    if kept is FAULTY:
        return FAULTY

    try:
        text = stripped(kept.text(one.name, files))
    except UntrustedFile as error:
        problems.append(f"{one.name}: {error.strerror}. Or set it to {one.expects}.")
        return FAULTY
    except (OSError, ValueError) as error:
        problems.append(
            f"{one.name}: is missing and cannot be made here ({reason_of(error)}). "
            f"Set it to {one.expects}."
        )
        return FAULTY

    if not text:
        problems.append(
            f"{one.name}: the one kept in {kept.folder} is empty. Set it, or remove it."
        )
        return FAULTY

    return _sound(one, f"{one.name}, as kept in {kept.folder}", text, problems)


def _file_text(one: Variable, path: str, problems: list[str], files: Files) -> Any:
    name = one.name + FILE_SUFFIX

    try:
        text = stripped(files.content(Path(path)).decode())
    except (OSError, ValueError) as error:
        problems.append(f"{name}: cannot be read ({reason_of(error)}). Name a readable file.")
        return FAULTY

    if len(text) > LONGEST_SECRET:
        problems.append(f"{name}: the file is too large for a secret. Write {one.expects} into it.")
        return FAULTY

    if not text:
        problems.append(f"{name}: the file is empty. Write {one.expects} into it.")
        return FAULTY

    return _sound(one, name, text, problems)


def _sound(one: Variable, called: str, text: str, problems: list[str]) -> Any:
    """Return the text, `FAULTY` if it is a secret with something in it that no secret has."""
    if not one.secret:
        return text

    # The whole as well: a list may be in quotes, or one of its texts.
    texts = (text, *(texts_in(text) if isinstance(one.field, TextList) else ()))
    fault = next(secret_text.faults(one.name, texts), None)

    if fault is None:
        return text

    problems.append(f"{called}: is not {one.expects}: it {fault}.")
    return FAULTY
