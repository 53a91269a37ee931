"""Pages of a list: `?page=` and `?limit=`, and `pagination` in the answer."""

import dataclasses
from collections.abc import Iterator
from typing import Any

from flask import Response

from chatproxy.settings.fields import WholeNumber
from chatproxy.web.answers import private_listing
from chatproxy.web.parsing import load_query
from chatproxy.web.user_schema import ObjectSchema

#: The default of 20 and the maximum are the vendor's.
MOST_ROWS = 100
MOST_PAGES = 1_000_000


class PageQuery(ObjectSchema):
    """Which page, and how many rows it has."""

    page = WholeNumber(1, MOST_PAGES, load_default=1)
    limit = WholeNumber(1, MOST_ROWS, load_default=20)


@dataclasses.dataclass(frozen=True)
class Page:
    """The page that a request asks for."""

    number: int
    limit: int

    @property
    def offset(self) -> int:
        """The number of rows before this page."""
        return (self.number - 1) * self.limit

    def answer(self, rows: Iterator[dict[str, Any]], total: int) -> Response:
        """Answer the rows of this page, and how many there are in all."""
        pagination = {
            "page": self.number,
            "limit": self.limit,
            "total": total,
            "total_pages": -(-total // self.limit),
        }
        return private_listing({"data": rows, "pagination": pagination})


def requested_page() -> Page:
    """Read the page from the query; raise `CallerError`."""
    query = load_query(PageQuery)
    return Page(query["page"], query["limit"])
