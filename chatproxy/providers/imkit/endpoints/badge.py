"""`/imkit/badge`: the badge service that IMKit's server asks, kept in the directory.

An object is `clientId`, `total`, and a count for each source: `badge`, `imkit`, and those
that were set. Source: the vendor's public sample, which is as open as this is to whoever
reaches the port. It keeps its counts in memory, and takes every source.
"""

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qsl

from flask import Blueprint, Response
from marshmallow import EXCLUDE, Schema, ValidationError, fields, validate

from chatproxy.errors import BadTarget, InvalidBody, MalformedBody, NotFound, WrongMethod
from chatproxy.identity.records import Badge
from chatproxy.providers.imkit.provider import IMKit
from chatproxy.providers.imkit.shapes import BADGE_SOURCES, badge_of
from chatproxy.web.answers import private
from chatproxy.web.current import context, directory, provider
from chatproxy.web.parsing import decoded_id, load, load_json, read_json, segments_below
from chatproxy.web.user_schema import LONGEST_ID, text_field
from chatproxy.web.validators import TEXT_MESSAGES

blueprint = Blueprint("imkit-badge", __name__)

PLACE = "/imkit/badge"
ALLOWED = ("GET", "POST")
OTHERS = ("PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")

#: Clients that one call may ask for.
MOST_ASKED = 500
LARGEST_COUNT = 10**9

NO_ARRAY = "The body must be a JSON array of ids."
SOURCE = r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}\Z"
DIGITS = re.compile(r"[0-9]{1,20}")

#: Names that a source must not have, in lower case: those of the object's other fields, and
#: those by which a reader in JavaScript reaches what all objects share.
RESERVED = frozenset({"clientid", "total", "__proto__", "constructor", "prototype"})


class Asked(Schema):
    """The ids of clients, wherever they stand."""

    client_ids = fields.List(
        text_field(LONGEST_ID),
        data_key="clientId",
        required=True,
        validate=validate.Length(max=MOST_ASKED),
    )


def _not_reserved(source: str) -> None:
    if source.lower() in RESERVED:
        raise ValidationError("This name is not free.")


class Count(fields.Field[int]):
    """A whole number, also as digits; what holds nothing is 0. The sample reads any beginning."""

    default_error_messages = {  # noqa: RUF012 - marshmallow's form
        "invalid": f"Must be a whole number from 0 to {LARGEST_COUNT}."
    }

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> int:
        if value is False or value == "":
            return 0

        is_digits = isinstance(value, str) and DIGITS.fullmatch(value) is not None
        is_whole = isinstance(value, float) and value.is_integer()
        number = int(value) if is_digits or is_whole else value

        if type(number) is not int or not 0 <= number <= LARGEST_COUNT:  # True is an int too
            raise self.make_error("invalid")

        return number


class Change(Schema):
    """The body that sets a count. Unknown fields are ignored."""

    class Meta:
        unknown = EXCLUDE

    error_messages = {"type": "The body must be a JSON object."}  # noqa: RUF012

    source = fields.String(
        required=True,
        error_messages={"required": TEXT_MESSAGES["required"]},
        validate=[
            validate.Regexp(SOURCE, error="Must be 1 to 64 of A-Z a-z 0-9, and later . _ : -"),
            _not_reserved,
        ],
    )
    count = Count(load_default=0, allow_none=True)


@blueprint.get("")
@blueprint.get("/", strict_slashes=True)  # two may be an id that is a slash
def show_all() -> Response:
    """Answer all clients by id, at most 1,000, or those that `clientId` names, in their order."""
    asked = _ids_in_query()
    badges, app = directory().badges(BADGE_SOURCES), provider(IMKit).app
    return _answer(badges.of(app, asked) if asked else badges.all(app))


@blueprint.post("")
@blueprint.post("/", strict_slashes=True)
def show_some() -> Response:
    """Answer the clients whose ids the body lists, in their order."""
    asked = _ids_in_body()
    return _answer(directory().badges(BADGE_SOURCES).of(provider(IMKit).app, asked))


@blueprint.get("/<anything:client_id>")
def show(client_id: str) -> Response:  # noqa: ARG001 - the raw path says where it ends
    """Answer one client; who is unknown is made, with zeros."""
    (badge,) = directory().badges(BADGE_SOURCES).of(provider(IMKit).app, [_id_in_path()])
    return private(_shown(badge))


@blueprint.post("/<anything:client_id>")
def change(client_id: str) -> Response:  # noqa: ARG001 - the raw path says where it ends
    """Set the count of one source, and answer the client."""
    named, said = _id_in_path(), load_json(Change())
    badge = (
        directory()
        .badges(BADGE_SOURCES)
        .set(provider(IMKit).app, named, said["source"], said["count"] or 0)
    )
    return private(_shown(badge))


@blueprint.route("", methods=OTHERS)
@blueprint.route("/<anything:client_id>", methods=OTHERS)
def refuse(client_id: str = "") -> Response:  # noqa: ARG001 - no client has more methods
    """Refuse what would be forwarded elsewhere below `/imkit`."""
    raise WrongMethod("This method is not served here.", allowed=ALLOWED)


def _ids_in_query() -> list[str]:
    """Return every `clientId` of the raw query: flask's own reading keeps what is not UTF-8."""
    query = context().target.query or ""

    try:
        pairs = parse_qsl(query, keep_blank_values=True, errors="strict")
    except UnicodeDecodeError as error:
        raise BadTarget("The query is not UTF-8.") from error

    return _in_target([value for name, value in pairs if name == "clientId"])


def _ids_in_body() -> list[str]:
    try:
        asked = read_json()
    except MalformedBody as error:
        raise MalformedBody(NO_ARRAY, detail=error.detail or error.message) from error

    if not isinstance(asked, list):
        raise MalformedBody(NO_ARRAY)

    return _checked(asked)


def _id_in_path() -> str:
    """Return the id in the raw path, where an encoded slash is part of it.

    One slash behind it is passed over. Raises `NotFound`, `BadTarget`.
    """
    named, *rest = segments_below(f"{PLACE}/")

    if rest not in ([], [""]):
        raise NotFound("Nothing is served at this path.")

    return _in_target([decoded_id(named, "client")])[0]


def _in_target(ids: list[str]) -> list[str]:
    """Return the ids; raise `BadTarget` where one is none: no body is at fault."""
    try:
        return _checked(ids)
    except InvalidBody as error:
        raise BadTarget(error.message) from error


def _checked(ids: list[Any]) -> list[str]:
    checked: list[str] = load(Asked(), {"clientId": ids})["client_ids"]
    return checked


def _answer(badges: Sequence[Badge]) -> Response:
    return private([_shown(badge) for badge in badges])


def _shown(badge: Badge) -> dict[str, Any]:
    return badge_of(badge.client_id, badge.counts)
