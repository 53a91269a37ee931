"""gunicorn's response, with two of its habits changed.

It adds `Server` and `Date` to every answer, so a forwarded answer would have each
twice; and it ignores an application's `Connection: close`, so a caller whose
upload is not wanted would go on sending.
"""

from collections.abc import Iterable

from gunicorn import util
from gunicorn.http import wsgi

OWN_FIELDS = frozenset({"server", "date"})


class Response(wsgi.Response):  # type: ignore[misc]  # gunicorn has no annotations
    """Leaves an answer's own `Server` and `Date` alone, and obeys `Connection: close`."""

    def process_headers(self, headers: Iterable[tuple[str, str]]) -> None:
        """Take the application's fields, in their order."""
        listed = list(headers)
        super().process_headers(listed)  # checks them, and leaves out `Server` and `Date` too
        dropped = util.hop_headers - OWN_FIELDS
        self.headers = [(name, value) for name, value in listed if name.lower() not in dropped]

        if ("Connection", "close") in listed:
            self.force_close()

    def default_headers(self) -> list[str]:
        """Return the server's own lines, less those that the answer has already."""
        present = {name.lower() for name, _ in self.headers}
        own = OWN_FIELDS & present
        lines: list[str] = super().default_headers()
        return [line for line in lines if line.partition(":")[0].lower() not in own]


def install() -> None:
    """Have gunicorn's workers of every class use this response."""
    wsgi.Response = Response
