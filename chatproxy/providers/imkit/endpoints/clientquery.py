"""The query of `GET /imkit/admin/clients?q=&limit=&skip=`: a small part of MongoDB's filters.

`q` is `{"field": value}`, `{"field": {"$in": […]}}` or `{"field": {"$regex": "text"}}` with
plain text, perhaps after a `^`, and `"$options": "i"`. Anything else is refused, because a
filter that is ignored would answer with too many clients.
"""

import dataclasses
import re
from collections.abc import Iterator, Sequence
from typing import Any

from chatproxy.errors import CallerError
from chatproxy.formats import strictjson
from chatproxy.identity.records import Condition, Field, Operator
from chatproxy.settings.fields import WholeNumber
from chatproxy.web.parsing import load_query, query_values
from chatproxy.web.user_schema import ObjectSchema

#: The default of 50 and the maximum are the vendor's.
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
#: Characters that mean themselves in a regular expression, and escaped ones.
PLAIN = re.compile(r"(\^?)((?:[^\\^$.|?*+()\[\]{}]|\\[\\^$.|?*+()\[\]{}/-])+)")

UNSUPPORTED = (
    "q is a JSON object of _id, nickname, avatarUrl and email, each a text, "
    '{"$in": [texts]} or {"$regex": "plain text"}.'
)


@dataclasses.dataclass(frozen=True)
class ClientQuery:
    """The conditions, and which rows of the result."""

    conditions: Sequence[Condition]
    skip: int
    limit: int


class PageQuery(ObjectSchema):
    """The part of the query that says which rows."""

    limit = WholeNumber(1, MOST_ROWS, load_default=50)
    skip = WholeNumber(0, MOST_SKIPPED, load_default=0)


def read_query() -> ClientQuery:
    """Read the query; raise `CallerError`."""
    page = load_query(PageQuery)
    conditions = tuple(_conditions(next(iter(query_values("q")), "")))
    return ClientQuery(conditions, page["skip"], page["limit"])


def _conditions(text: str) -> Iterator[Condition]:
    if not text:
        return

    try:
        document = strictjson.read(text[: LONGEST_QUERY + 1].encode("utf-8", "surrogatepass"))
    except ValueError as error:
        raise CallerError(UNSUPPORTED) from error

    if not isinstance(document, dict) or not FIELDS.keys() >= document.keys():
        raise CallerError(UNSUPPORTED)

    for name, value in document.items():
        yield _condition(FIELDS[name], value)


def _condition(field: Field, value: Any) -> Condition:
    if isinstance(value, str):
        return Condition(field, "in", _texts([value]))

    if isinstance(value, dict) and list(value) == ["$in"]:
        return Condition(field, "in", _texts(value["$in"]))

    if isinstance(value, dict) and {"$regex"} <= value.keys() <= {"$regex", "$options"}:
        return _regex(field, value["$regex"], value.get("$options", ""))

    raise CallerError(UNSUPPORTED)


def _regex(field: Field, pattern: Any, options: Any) -> Condition:
    found = PLAIN.fullmatch(_texts([pattern])[0])

    if found is None or options not in ("", "i"):
        raise CallerError(UNSUPPORTED)

    text = re.sub(r"\\(.)", r"\1", found[2])
    operator: Operator = "begins" if found[1] else "holds"
    return Condition(field, operator, (text,), any_case=options == "i")


def _texts(values: Any) -> tuple[str, ...]:
    is_list = isinstance(values, list) and len(values) <= MOST_VALUES

    # Nothing that is stored has a NUL, and PostgreSQL refuses a query with one.
    if is_list and all(isinstance(one, str) and "\0" not in one for one in values):
        return tuple(values)

    raise CallerError(UNSUPPORTED)
