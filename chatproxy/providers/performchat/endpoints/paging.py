"""Lists in pages: `?page=` and `?limit=`, and what the vendor says beside the rows."""

import dataclasses
from collections.abc import Sequence
from typing import Any

from flask import Response
from marshmallow import EXCLUDE, Schema

from chatproxy.settings.fields import WholeNumber
from chatproxy.web.answers import private
from chatproxy.web.parsing import load_query

MOST_ROWS = 100
MOST_PAGES = 1_000_000


class PageQuery(Schema):
    """Which page, and how many rows it has."""

    class Meta:
        unknown = EXCLUDE

    page = WholeNumber(1, MOST_PAGES, load_default=1)
    limit = WholeNumber(1, MOST_ROWS, load_default=20)


@dataclasses.dataclass(frozen=True)
class Page:
    """Which rows of a list are asked for."""

    number: int
    limit: int

    @property
    def offset(self) -> int:
        """How many rows come before."""
        return (self.number - 1) * self.limit

    def answer(self, rows: Sequence[dict[str, Any]], total: int) -> Response:
        """Answer the rows, and how many there are in all."""
        pagination = {
            "page": self.number,
            "limit": self.limit,
            "total": total,
            "total_pages": -(-total // self.limit),
        }
        return private({"data": list(rows), "pagination": pagination})


def requested_page(_document: Any = None) -> Page:
    """Return the page that the query asks for; raise `CallerError`."""
    query = load_query(PageQuery())
    return Page(query["page"], query["limit"])
