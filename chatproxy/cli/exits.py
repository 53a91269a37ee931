"""How a command ends: the exit codes, and one line on stderr instead of a traceback."""

import contextlib
import errno
import os
import signal
import sys
from collections.abc import Iterator
from typing import TextIO

import click

from chatproxy.errors import CallerError, ChatproxyError, SettingsError

#: The answer is no: there is no such user, the token is not valid, a problem was found.
NO = 1
#: The command line or the settings are at fault. click's own errors have the same.
USAGE = 2
#: Something that the command needs does not work: database, Redis, provider, disk.
AWAY = 3
#: As for a program that the signal ends, and as shells have it.
INTERRUPTED = 128 + signal.SIGINT
CLOSED = 128 + signal.SIGPIPE


class Failure(click.ClickException):
    """A command cannot do what it is asked to. `code` is the exit code."""

    def __init__(self, message: str, code: int = NO) -> None:
        super().__init__(message)
        self.exit_code = code  # type: ignore[misc]  # click has one for each class


class OutputClosed(Exception):  # noqa: N818 - it ends a command quietly
    """Nobody reads the output any more."""


@contextlib.contextmanager
def ending() -> Iterator[None]:
    """End the process as the commands do, with one of the codes above."""
    _make_streams_sound()

    try:
        with (end := _End()):
            yield

        _flush(sys.stdout)
        status = end.status
    except (BrokenPipeError, OutputClosed):
        status = CLOSED
    except OSError as error:
        status = AWAY
        _say(f"Error: the output cannot be written ({error.strerror})")

    _discard_what_is_left()
    sys.exit(status)


@contextlib.contextmanager
def closed_output_told() -> Iterator[None]:
    """Tell that nobody reads the output by an error of our own: click has a code for the other."""
    try:
        yield
    except BrokenPipeError as error:
        raise OutputClosed from error


class _End(contextlib.AbstractContextManager["_End"]):
    """Turns what ends a command into its exit code, and tells it on stderr."""

    status = 0

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        if error is None:
            return True

        if isinstance(error, click.exceptions.Exit):
            self.status = error.exit_code
        elif isinstance(error, SystemExit):
            self.status = _number(error.code)
        elif isinstance(error, KeyboardInterrupt | click.Abort):
            self.status = INTERRUPTED
            _say("Interrupted")
        elif isinstance(error, click.ClickException):
            self.status = error.exit_code
            with contextlib.suppress(OSError):
                error.show()
        elif isinstance(error, ChatproxyError):
            self.status = code_of(error)
            _say(f"Error: {text_of(error)}")
        else:
            return False

        return True


def code_of(error: ChatproxyError) -> int:
    """Return the exit code for an error of the package."""
    if isinstance(error, SettingsError):
        return USAGE

    return NO if isinstance(error, CallerError) else AWAY


def text_of(error: ChatproxyError) -> str:
    """Return an error's text for whoever runs the command."""
    if isinstance(error, SettingsError):
        return error.message.replace("chatproxy cannot start: ", "", 1)

    return f"{error.message} ({error.detail})" if error.detail else error.message


def _number(code: str | int | None) -> int:
    if isinstance(code, str):
        _say(code)
        return NO

    return code or 0


def _say(text: str) -> None:
    # Where stderr leads nowhere, the code alone tells.
    with contextlib.suppress(OSError):
        click.echo(text, err=True)


def _make_streams_sound() -> None:
    # A database must not get the number of a standard stream that was closed (`>&-`), or what is
    # meant for a person would be written into it.
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)

    # Python has none for one that was closed.
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115 - until the process ends

        # A name may have characters that the terminal's encoding lacks.
        if mode == "w" and (reconfigure := getattr(getattr(sys, name), "reconfigure", None)):
            reconfigure(errors="backslashreplace")


def _flush(stream: TextIO | None) -> None:
    if stream is not None:
        stream.flush()


def _discard_what_is_left() -> None:
    # What could not be written is still in the buffer: at its end the interpreter would try again,
    # and print a traceback.
    for stream in (sys.stdout, sys.stderr):
        try:
            _flush(stream)
        except OSError as error:
            if error.errno in (errno.EPIPE, errno.ENOSPC, errno.EBADF, errno.EIO, errno.EFBIG):
                _lead_nowhere(stream)


def _lead_nowhere(stream: TextIO | None) -> None:
    with contextlib.suppress(OSError, ValueError, AttributeError):
        assert stream is not None  # noqa: S101 - it was flushed
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
