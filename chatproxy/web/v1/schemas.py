"""What callers of `/v1` send."""

from typing import Any

from marshmallow import ValidationError, fields, validate

from chatproxy.errors import CallerError
from chatproxy.identity.records import Profile
from chatproxy.providers import SETTINGS
from chatproxy.providers.people import Person
from chatproxy.web.current import services
from chatproxy.web.parsing import decoded_id, load, read_json, segments_below
from chatproxy.web.user_schema import BoundedList, UserSchema, read_user

USERS = "/v1/users/"

#: Names in a list of providers, so that a long one is not looked at.
MOST_NAMES = 100

#: Characters of an unknown name that are said again.
LONGEST_ECHO = 40


def _each_once(names: list[str]) -> None:
    for place, name in enumerate(names):
        if name not in SETTINGS:
            known = ", ".join(SETTINGS)
            raise ValidationError(f"{name[:LONGEST_ECHO]} is not known. The providers are {known}.")

        if name in names[:place]:
            raise ValidationError(f"{name} is there twice.")


class TokensBody(UserSchema):
    """The body of `POST /v1/tokens`."""

    providers = BoundedList(
        fields.String(validate=validate.Length(1)),
        MOST_NAMES,
        1,
        load_default=None,
        validate=_each_once,
        metadata={"description": "Those whose tokens are wanted. Absent: all that are on."},
    )


def requested_tokens() -> tuple[Person, list[str]]:
    """Read for whom tokens are wanted, and of which providers; raise `CallerError`."""
    body = load(TokensBody, read_json())
    names = body.pop("providers")
    on = list(services().backends)

    if off := [name for name in names or () if name not in on]:
        raise CallerError(f"providers: {off[0]} is off here. On: {', '.join(on)}.")

    return Person(body.pop("user_id"), Profile(**body)), on if names is None else names


def named_user(behind: str = "") -> str | None:
    """Return the user id in the raw path, None where the path is of another form.

    `behind` is the segment after it. Raises `CallerError` for what can be nobody's id.
    """
    # The router has decoded the path, so an id with an encoded slash would look like two.
    segments = segments_below(USERS)
    wanted = [segments[0], behind] if behind else [segments[0]]

    if segments != wanted:
        return None

    user_id: Any = decoded_id(segments[0], "user")
    return read_user({"userId": user_id})[0]
