"""`GET /imkit/admin/clients?q=&limit=&skip=`: a small part of MongoDB's filters.

`{"field": value}`, `{"field": {"$in": […]}}` and `{"field": {"$regex": "text"}}` with plain
text, perhaps `^` before it, and `"$options": "i"`. What is beyond that is refused: a filter
that were ignored would answer with too many.
"""

import dataclasses
import re
from collections.abc import Iterator, Sequence
from typing import Any

from marshmallow import EXCLUDE, Schema

from chatproxy.errors import CallerError
from chatproxy.formats import strictjson
from chatproxy.identity.records import Condition, Field, Operator
from chatproxy.settings.fields import WholeNumber
from chatproxy.web.parsing import load_query, query_values

MOST_ROWS = 100
MOST_SKIPPED = 1_000_000
MOST_VALUES = 100
LONGEST_QUERY = 8192

FIELDS: dict[str, Field] = {
    "_id": "external_id",
    "id": "external_id",
    "nickname": "name",
    "avatarUrl": "image",
    "email": "email",
}
PLAIN = re.compile(r"(\^?)((?:[^\\^$.|?*+()\[\]{}]|\\[\\^$.|?*+()\[\]{}/-])+)")

UNKNOWN = (
    "q is a JSON object of _id, nickname, avatarUrl and email, each a text, "
    '{"$in": [texts]} or {"$regex": "plain text"}.'
)


@dataclasses.dataclass(frozen=True)
class Asked:
    """Which clients, and which of them."""

    conditions: Sequence[Condition]
    skip: int
    limit: int


class PageQuery(Schema):
    """The part of the query that says which rows."""

    class Meta:
        unknown = EXCLUDE

    limit = WholeNumber(1, MOST_ROWS, load_default=50)
    skip = WholeNumber(0, MOST_SKIPPED, load_default=0)


def asked() -> Asked:
    """Read the query; raise `CallerError`."""
    page = load_query(PageQuery())
    return Asked(tuple(_conditions(next(iter(query_values("q")), ""))), page["skip"], page["limit"])


def _conditions(text: str) -> Iterator[Condition]:
    if not text:
        return

    try:
        document = strictjson.read(text[: LONGEST_QUERY + 1].encode("utf-8", "surrogatepass"))
    except ValueError as error:
        raise CallerError(UNKNOWN) from error

    if not isinstance(document, dict) or not FIELDS.keys() >= document.keys():
        raise CallerError(UNKNOWN)

    for name, wanted in document.items():
        yield _condition(FIELDS[name], wanted)


def _condition(field: Field, wanted: Any) -> Condition:
    if isinstance(wanted, str):
        return Condition(field, "in", _texts([wanted]))

    if isinstance(wanted, dict) and list(wanted) == ["$in"]:
        return Condition(field, "in", _texts(wanted["$in"]))

    if isinstance(wanted, dict) and {"$regex"} <= wanted.keys() <= {"$regex", "$options"}:
        return _regex(field, wanted["$regex"], wanted.get("$options", ""))

    raise CallerError(UNKNOWN)


def _regex(field: Field, pattern: Any, options: Any) -> Condition:
    found = PLAIN.fullmatch(_texts([pattern])[0])

    if found is None or options not in ("", "i"):
        raise CallerError(UNKNOWN)

    text = re.sub(r"\\(.)", r"\1", found[2])
    operator: Operator = "begins" if found[1] else "holds"
    return Condition(field, operator, (text,), any_case=options == "i")


def _texts(values: Any) -> tuple[str, ...]:
    if not isinstance(values, list) or len(values) > MOST_VALUES:
        raise CallerError(UNKNOWN)

    # A NUL is in nothing that is stored, and PostgreSQL refuses it.
    if not all(isinstance(one, str) and "\0" not in one for one in values):
        raise CallerError(UNKNOWN)

    return tuple(values)
