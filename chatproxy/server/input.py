"""The caller's body as it arrives on the socket.

gunicorn's own `read(n)` returns when `n` bytes are there, so a body that is sent
slowly would be held back; and it ends a cut body of known length quietly. Here a
piece is returned as soon as there is one, and every way in which a body can fail
has its name.
"""

import contextlib
import select
import socket
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from gunicorn.http.body import Body, ChunkedReader, LengthReader
from gunicorn.http.errors import NoMoreData, ParseException

from chatproxy.errors import BodyStalled, MalformedBody, TruncatedBody
from chatproxy.forwarding.body import CallerBody, Meanwhile, framing
from chatproxy.forwarding.timeouts import Limits


def body_of(
    environ: Mapping[str, Any], limits: Limits, monotonic: Callable[[], float]
) -> CallerBody | None:
    """Return the request's body, or None where it has none; raise `MalformedBody`."""
    has_body, length = framing(
        environ.get("CONTENT_LENGTH") or None, environ.get("HTTP_TRANSFER_ENCODING")
    )

    if not has_body:
        return None

    stream = environ["wsgi.input"]
    is_ours = isinstance(stream, Body)
    source = SocketInput(stream, limits, monotonic) if is_ours else _Plain(stream)
    return CallerBody(source, length)


class SocketInput:
    """A body behind gunicorn's parser."""

    def __init__(self, body: Body, limits: Limits, monotonic: Callable[[], float]) -> None:
        self._body = body
        self._unreader = _unreader_of(body)
        self._watched = _WatchedSocket(self._unreader.sock, limits, monotonic)

    def read1(self, most: int, meanwhile: Meanwhile | None) -> bytes:
        """Return the next bytes as they arrive, nothing at the end.

        A piece of a chunked body may be larger than `most`: up to a mebibyte.
        """
        try:
            with self._watching(meanwhile):
                return self._next(most)
        except NoMoreData as error:
            raise TruncatedBody("The body ended before its last chunk.") from error
        except (ParseException, ValueError) as error:
            raise MalformedBody("The chunked body cannot be read.") from error
        except OSError as error:
            raise TruncatedBody("The connection broke within the body.") from error

    @contextlib.contextmanager
    def _watching(self, meanwhile: Meanwhile | None) -> Iterator[None]:
        """Read through the watched socket, and only now: the next head is not a body."""
        plain, self._unreader.sock = self._unreader.sock, self._watched
        self._watched.meanwhile = meanwhile

        try:
            yield
        except BaseException:
            self._body.failed = True  # where the next request would start is unknown
            raise
        finally:
            self._unreader.sock = plain

    def _next(self, most: int) -> bytes:
        reader = self._body.reader

        if isinstance(reader, LengthReader):
            return self._next_of_length(reader, most)

        if isinstance(reader, ChunkedReader):
            return next((piece for piece in reader.parser or () if piece), b"")

        return bytes(self._body.read(most))

    def _next_of_length(self, reader: LengthReader, most: int) -> bytes:
        wanted = min(reader.length, most)
        piece: bytes = self._unreader.read(None, read_ahead=wanted) if wanted else b""

        if len(piece) > wanted:
            self._unreader.unread(piece[wanted:])
            piece = piece[:wanted]

        reader.length -= len(piece)
        return piece


class _WatchedSocket:
    """The caller's socket for reading, with a limit on each wait and another thing to watch."""

    def __init__(self, sock: socket.socket, limits: Limits, monotonic: Callable[[], float]) -> None:
        self._sock = sock
        self._limits = limits
        self._monotonic = monotonic
        self._until: float | None = None
        self.meanwhile: Meanwhile | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)

    def recv(self, size: int) -> bytes:
        """Return what is there, or wait for it; raise `BodyStalled` at the limit."""
        self._check_time()
        self._sock.settimeout(0.0)

        try:
            return self._sock.recv(size)
        except BlockingIOError:
            self._wait()
            return self._sock.recv(size)
        finally:
            self._sock.settimeout(None)

    def _wait(self) -> None:
        poll = select.poll()
        poll.register(self._sock.fileno(), select.POLLIN)

        if self.meanwhile is not None:
            poll.register(self.meanwhile.fileno(), select.POLLIN)

        assert self._until is not None  # noqa: S101 - set by the check before each read
        until = min(self._monotonic() + self._limits.body_idle, self._until)

        while (left := until - self._monotonic()) > 0:
            ready = {descriptor for descriptor, _ in poll.poll(left * 1000)}

            if self._sock.fileno() in ready:
                return

            if self.meanwhile is not None and ready:
                self.meanwhile.look()

        raise BodyStalled("The caller sent no more of its body in time.")

    def _check_time(self) -> None:
        """Bound the whole body, from its first read; chunk framing and trailers included."""
        now = self._monotonic()

        if self._until is None:
            self._until = now + self._limits.body_total
        elif now > self._until:
            raise BodyStalled("The body took too long to arrive.")


class _Plain:
    """A body behind any other WSGI server, which must have read it to its end."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def read1(self, most: int, meanwhile: Meanwhile | None) -> bytes:  # noqa: ARG002
        return bytes(self._stream.read(most))


def _unreader_of(body: Body) -> Any:
    reader = body.reader
    return reader.unreader if isinstance(reader, LengthReader) else reader.req.unreader
