"""`/imbachat/token`, `/imbachat/widget`: what a page needs to show the chat."""

from typing import Any

from flask import Blueprint, Response
from marshmallow import EXCLUDE, Schema, ValidationError, fields, validate

from chatproxy.errors import CallerError
from chatproxy.providers.imbachat import userids
from chatproxy.providers.imbachat.endpoints import page
from chatproxy.providers.imbachat.provider import ImbaChat
from chatproxy.web.answers import private
from chatproxy.web.current import now, provider
from chatproxy.web.parsing import load_query

blueprint = Blueprint("imbachat-widget", __name__)


def _one_of(*words: str, **kwargs: Any) -> fields.String:
    known = validate.OneOf(words, error=f"Must be one of: {', '.join(words)}.")
    return fields.String(validate=known, **kwargs)


def _user_id(text: str) -> None:
    if not userids.is_user_id(text):
        raise ValidationError(userids.WHAT_IT_IS)


class WidgetQuery(Schema):
    """The query of `GET /imbachat/widget`."""

    class Meta:
        unknown = EXCLUDE

    format = _one_of("json", "html", load_default="json")
    dialog = fields.String(validate=_user_id)
    language = fields.String(validate=validate.Regexp(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*\Z"))
    theme = _one_of("default", "dark")
    position = _one_of("right", "left")


@blueprint.get("/token/<anything:user_id>")
def token(user_id: str) -> Response:
    """Answer a user's token. Whether the user exists is not asked."""
    return private(_issued(user_id) | {"expiresIn": provider(ImbaChat).token_ttl})


@blueprint.get("/widget/<anything:user_id>")
def widget(user_id: str) -> Response:
    """Answer the options that the widget is loaded with, or the HTML that loads it.

    `dialog` names whom the button writes to, in the HTML alone.
    """
    issued = _issued(user_id)
    options = load_query(WidgetQuery())
    form, dialog = options.pop("format"), options.pop("dialog", user_id)
    script_url = provider(ImbaChat).script_url

    if form == "json":
        return private(issued | options | {"scriptUrl": script_url})

    answer = Response(page.html(script_url, issued | options, int(dialog)))
    answer.headers["Content-Type"] = "text/html; charset=utf-8"
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _issued(user_id: str) -> dict[str, Any]:
    """Make a token. It has two names: the vendor's page says one, its samples the other."""
    if not userids.is_user_id(user_id):
        raise CallerError(userids.WHAT_IT_IS)

    issued = provider(ImbaChat).issue_token(user_id, now())
    return {"user_id": int(user_id), "token": issued, "user_key": issued}
