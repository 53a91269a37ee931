"""The caller's body as it arrives on the socket.

gunicorn's own `read(n)` waits until there are `n` bytes, which delays a body that is sent slowly,
and it ends a cut body of known length like a whole one. Here a piece is returned as soon as there
is one, and every way in which a body can fail has an error of its own.
"""

import contextlib
import select
import socket
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from gunicorn.http.body import Body, ChunkedReader, LengthReader
from gunicorn.http.errors import NoMoreData, ParseException

from chatproxy.errors import BodyStalled, MalformedBody, TruncatedBody
from chatproxy.forwarding.body import CallerBody, Held, Watched, framing
from chatproxy.forwarding.timeouts import Limits
from chatproxy.server.waits import WAITS, What


def body_of(
    environ: Mapping[str, Any], limits: Limits, monotonic: Callable[[], float], held: Held
) -> CallerBody | None:
    """Return the request's body, None if it has none; raise `MalformedBody`."""
    has_body, length = framing(
        environ.get("CONTENT_LENGTH") or None, environ.get("HTTP_TRANSFER_ENCODING")
    )

    if not has_body:
        return None

    stream = environ["wsgi.input"]
    is_gunicorns = isinstance(stream, Body)
    source = SocketInput(stream, limits, monotonic) if is_gunicorns else _WSGIInput(stream)
    return CallerBody(source, length, held)


class SocketInput:
    """A body behind gunicorn's parser."""

    def __init__(self, body: Body, limits: Limits, monotonic: Callable[[], float]) -> None:
        self._body = body
        self._unreader = _unreader_of(body)
        self._timed = _TimedSocket(self._unreader.sock, limits, monotonic)

    def has(self, size: int) -> bool:
        """Say whether so many bytes were read from the socket together with the head."""
        # Chunks may be there in part, which cannot be seen from here.
        is_sized = isinstance(self._body.reader, LengthReader)
        return is_sized and self._unreader.buf.getbuffer().nbytes >= size

    def read1(self, most: int, watched: Watched | None) -> bytes:
        """Return the next bytes as they arrive, nothing at the end.

        A piece of a chunked body may be larger than `most`, up to a mebibyte.
        """
        # gunicorn parses chunks while we read, so a malformed body is noticed only here. Unnamed,
        # its errors would become a 500 for a fault of the caller's.
        try:
            with self._watching(watched):
                return self._next(most)
        except NoMoreData as error:
            raise TruncatedBody("The body ended before its last chunk.") from error
        except (ParseException, ValueError) as error:
            raise MalformedBody("The chunked body cannot be read.") from error
        except OSError as error:
            raise TruncatedBody("The connection broke within the body.") from error

    @contextlib.contextmanager
    def _watching(self, watched: Watched | None) -> Iterator[None]:
        # Only during this read: gunicorn reads the next request's head through the same unreader,
        # and that has a time limit of its own.
        plain, self._unreader.sock = self._unreader.sock, self._timed
        self._timed.watched = watched

        try:
            yield
        except BaseException:
            # Makes gunicorn's parser end the connection: where the next request would start is
            # unknown, and guessing it is how requests are smuggled (RFC 9112 section 11.2).
            self._body.failed = True
            raise
        finally:
            self._unreader.sock = plain

    def _next(self, most: int) -> bytes:
        reader = self._body.reader

        if isinstance(reader, LengthReader):
            return self._next_of_length(reader, most)

        if isinstance(reader, ChunkedReader):
            # Past `reader.read(n)`, which collects n bytes first. An empty piece is no end.
            return next((piece for piece in reader.parser or () if piece), b"")

        return bytes(self._body.read(most))

    def _next_of_length(self, reader: LengthReader, most: int) -> bytes:
        wanted = min(reader.length, most)
        # Without a size the unreader returns what it has, or the result of one recv(2).
        piece: bytes = self._unreader.read(None, read_ahead=wanted) if wanted else b""

        if len(piece) > wanted:
            # It read past this body together with the head: the next request, pipelined.
            self._unreader.unread(piece[wanted:])
            piece = piece[:wanted]

        reader.length -= len(piece)
        return piece


class _TimedSocket:
    """The caller's socket for reading, with limits on the wait and a second one to watch."""

    def __init__(self, sock: socket.socket, limits: Limits, monotonic: Callable[[], float]) -> None:
        self._sock = sock
        self._limits = limits
        self._monotonic = monotonic
        self._until: float | None = None
        self._has_some = False
        self.watched: Watched | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)

    def recv(self, size: int) -> bytes:
        self._check_time()
        self._sock.settimeout(0.0)

        try:
            received = self._sock.recv(size)
        except BlockingIOError:
            self._wait()
            received = self._sock.recv(size)
        finally:
            self._sock.settimeout(None)  # as gunicorn set it

        self._has_some = True
        return received

    def _wait(self) -> None:
        poll = select.poll()
        poll.register(self._sock.fileno(), select.POLLIN)

        if self.watched is not None:
            poll.register(self.watched.fileno(), select.POLLIN)

        assert self._until is not None  # noqa: S101 - set by the check before each read
        until = min(self._monotonic() + self._limits.body_idle, self._until)

        # A body with a second connection to watch is passed on as it comes, and nothing is held.
        holds = self.watched is None and self._has_some

        with WAITS.waiting(self._sock, What.BODY, holds=holds) as wait:
            while (left := until - self._monotonic()) > 0:
                ready = {descriptor for descriptor, _ in poll.poll(left * 1000)}

                if wait.ended:
                    raise BodyStalled("There are too many callers, and this one was the slowest.")

                if self._sock.fileno() in ready:
                    return

                if self.watched is not None and ready:
                    self.watched.on_readable()

        raise BodyStalled("The caller sent no more of its body in time.")

    def _check_time(self) -> None:
        # Counted from the first read, and in every recv(2), so that it also bounds what never
        # becomes a piece: chunk sizes, chunk extensions and trailers.
        now = self._monotonic()

        if self._until is None:
            self._until = now + self._limits.body_total
        elif now > self._until:
            raise BodyStalled("The body took too long to arrive.")


class _WSGIInput:
    """The body under any other WSGI server, such as Werkzeug's test client."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def has(self, size: int) -> bool:  # noqa: ARG002
        return False

    def read1(self, most: int, watched: Watched | None) -> bytes:  # noqa: ARG002
        return bytes(self._stream.read(most))


def _unreader_of(body: Body) -> Any:
    # A chunked reader hands its unreader to a generator and keeps only the request.
    reader = body.reader
    return reader.unreader if isinstance(reader, LengthReader) else reader.req.unreader
