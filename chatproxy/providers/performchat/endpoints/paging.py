"""Lists in pages: `?page=` and `?limit=`, and what the vendor says beside the rows."""

from collections.abc import Sequence
from typing import Any

from flask import Response
from marshmallow import EXCLUDE, Schema

from chatproxy.web.serving import load_query, private
from chatproxy.settings.variables import WholeNumber

MOST_ROWS = 100
MOST_PAGES = 1_000_000


class PageQuery(Schema):
    """Which page, and how many rows it has."""

    class Meta:
        unknown = EXCLUDE

    page = WholeNumber(1, MOST_PAGES, load_default=1)
    limit = WholeNumber(1, MOST_ROWS, load_default=20)


def asked_page() -> tuple[int, int]:
    """Return page and limit; raise `CallerError`."""
    query = load_query(PageQuery())
    return query["page"], query["limit"]


def paged(rows: Sequence[dict[str, Any]], total: int, page: int, limit: int) -> Response:
    """Answer a page."""
    pagination = {"page": page, "limit": limit, "total": total, "total_pages": -(-total // limit)}
    return private({"data": list(rows), "pagination": pagination})
