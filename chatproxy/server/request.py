"""gunicorn's request, with a limit on its head as a whole, and a short way to read a plain one.

gunicorn limits the number of fields and each of them, which lets 800 KB through: work of a tenth of
a second, in which the worker does nothing else.

Nearly all heads are plain: they come in one piece, and hold nothing that any rule is about. Such a
one is taken apart here. Whatever is not plain is read by gunicorn's own code, and what that refuses
is never plain: `tests/server/test_request.py` compares the two.
"""

import re
from typing import Any

from gunicorn import http
from gunicorn.http import message
from gunicorn.http.body import Body, LengthReader
from gunicorn.http.parser import RequestParser

from chatproxy.names import remembered

#: Bytes of all header fields together, and of all trailers. Others take 16 to 32 KiB.
LARGEST_HEAD = 64 * 1024

#: Without a fragment, and without `//` at its beginning, which gunicorn reads in its own way.
REQUEST_LINE = re.compile(r'([A-Z]{3,20}) (/(?!/)[!"$-~]*) HTTP/1\.([01])')

NAME = re.compile(r"[!#$%&'*+\-.^`|~0-9A-Za-z]{1,64}")

#: gunicorn has rules for what it says.
EXPECTATION = "EXPECT"

FRAMING = frozenset({"CONTENT-LENGTH", "TRANSFER-ENCODING"})


class Request(message.Request):  # type: ignore[misc]  # gunicorn has no annotations
    """One request."""

    path: str
    query: str

    _has_framing = True
    _closes: bool | None = None

    @property
    def max_buffer_headers(self) -> int:
        """The bytes that are read in search of a head's end; above them the answer is 431."""
        return LARGEST_HEAD

    @max_buffer_headers.setter
    def max_buffer_headers(self, _product: int) -> None:
        # gunicorn sets it to the product of its two limits, and has no setting for it.
        pass

    def parse(self, unreader: Any) -> bytes:
        """Read the head; return what has come after it."""
        data: bytes = unreader.read()

        if not data:
            raise StopIteration

        # Shorter than one field may be, so that none is too long.
        end = data.find(b"\r\n\r\n", 0, self.limit_request_field_size)

        if end > 0 and self._take(data[:end].decode("latin-1")):
            return data[end + 4 :]

        unreader.unread(data)
        return bytes(super().parse(unreader))

    def _take(self, head: str) -> bool:
        cfg = self.cfg
        line, *lines = head.split("\r\n")

        if (
            # In any part of it no other line ends, and no control bytes.
            not (line + "".join(lines)).isprintable()
            or (found := REQUEST_LINE.fullmatch(line)) is None
            or len(line) > self.limit_request_line
            or len(lines) > self.limit_request_fields
            or cfg.secure_scheme_headers
            or (self.req_number == 1 and cfg.proxy_protocol != "off")
        ):
            return False

        headers, names = [], []

        for one in lines:
            given, colon, value = one.partition(":")
            name = _plain(given)

            if not (name and colon):
                return False

            names.append(name)
            headers.append((name, value.strip(" ")))

        # Of these there may be one only.
        if names.count("HOST") > 1 or names.count("CONTENT-TYPE") > 1:
            return False

        self.method, self.uri, minor = found.groups()
        self.version = (1, int(minor))
        self.path, _, self.query = self.uri.partition("?")
        self.fragment = ""
        self.headers = headers
        self._has_framing = not FRAMING.isdisjoint(names)
        return True

    def set_body_reader(self) -> None:
        """Find out how the body is framed."""
        if self._has_framing:
            super().set_body_reader()
        else:
            self.body = Body(LengthReader(self.unreader, 0))

    def should_close(self) -> bool:
        """Say whether this is the last request of its connection."""
        # Asked for three times.
        if self._closes is None:
            self._closes = bool(super().should_close())

        return self.must_close or self._closes

    def is_read(self) -> bool:
        """Say whether its body certainly has no more bytes on the connection."""
        reader = self.body.reader
        return isinstance(reader, LengthReader) and reader.length == 0 and not self.body.failed


@remembered
def _plain(name: str) -> str:
    # Empty for one that gunicorn has to look at: one with a `_` may be dropped.
    upper = name.upper()
    return upper if NAME.fullmatch(name) and upper != EXPECTATION else ""


class Parser(RequestParser):  # type: ignore[misc]  # gunicorn has no annotations
    """The requests of a connection."""

    mesg_class = Request

    def finish_body(self, *args: Any, **kwargs: Any) -> bool:
        """Discard what is unread of the last request's body; say whether that was possible."""
        if self.mesg is not None and self.mesg.is_read():
            return True

        return bool(super().finish_body(*args, **kwargs))


def install() -> None:
    """Make gunicorn's workers read requests so."""
    # gunicorn has no setting for it: `http.get_parser` looks the class up in that module.
    http.RequestParser = Parser
