"""gunicorn's request, with a limit on its head as a whole.

gunicorn limits the number of fields and each of them, which lets 800 KB through: work of a tenth of
a second, in which the worker does nothing else.
"""

from gunicorn.http import message
from gunicorn.http.parser import RequestParser

#: Bytes of all header fields together, and of all trailers. Others take 16 to 32 KiB.
LARGEST_HEAD = 64 * 1024


class Request(message.Request):  # type: ignore[misc]  # gunicorn has no annotations
    """One request."""

    @property
    def max_buffer_headers(self) -> int:
        """The bytes that are read in search of a head's end; above them the answer is 431."""
        return LARGEST_HEAD

    @max_buffer_headers.setter
    def max_buffer_headers(self, _product: int) -> None:
        # gunicorn sets it to the product of its two limits, and has no setting for it.
        pass


def install() -> None:
    """Make gunicorn's workers use this request."""
    RequestParser.mesg_class = Request
