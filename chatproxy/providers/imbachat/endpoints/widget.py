"""`/imbachat/token` and `/imbachat/widget`: what a page needs to show the chat."""

from typing import Any

from flask import Blueprint, Response
from marshmallow import ValidationError, fields, validate

from chatproxy.errors import CallerError
from chatproxy.providers.imbachat import userids
from chatproxy.providers.imbachat.endpoints import page
from chatproxy.providers.imbachat.provider import ImbaChat
from chatproxy.web import access
from chatproxy.web.answers import private
from chatproxy.web.current import now, provider
from chatproxy.web.parsing import load_query
from chatproxy.web.user_schema import ObjectSchema

blueprint = Blueprint("imbachat-widget", __name__)


def _one_of(*words: str, **kwargs: Any) -> fields.String:
    known = validate.OneOf(words, error=f"Must be one of: {', '.join(words)}.")
    return fields.String(validate=known, **kwargs)


def _user_id(text: str) -> None:
    if not userids.is_user_id(text):
        raise ValidationError(userids.INVALID)


#: The vendor's script is to run for a page of yours that took the HTML over. Opened as a page of
#: our own origin it could call all that is served here, so there it gets an origin of its own.
APART = "sandbox allow-scripts allow-forms allow-popups; frame-ancestors 'self'"


class WidgetQuery(ObjectSchema):
    """The query of `GET /imbachat/widget`."""

    format = _one_of("json", "html", load_default="json")
    dialog = fields.String(validate=_user_id, metadata={"pattern": f"^{userids.USER_ID.pattern}$"})
    language = fields.String(validate=validate.Regexp(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*\Z"))
    theme = _one_of("default", "dark")
    position = _one_of("right", "left")


@blueprint.get("/token/<anything:user_id>")
def token(user_id: str) -> Response:
    """Issue a token. The user need not exist in the directory."""
    return private(_issued(user_id) | {"expiresIn": provider(ImbaChat).tokens.ttl})


@blueprint.get("/widget/<anything:user_id>")
def widget(user_id: str) -> Response:
    """Answer the options that load the widget, or the HTML that does so.

    `dialog` is the user whom the button in the HTML writes to.
    """
    issued = _issued(user_id)
    options = load_query(WidgetQuery)
    form, dialog = options.pop("format"), options.pop("dialog", user_id)
    script_url = provider(ImbaChat).script_url

    if form == "json":
        return private(issued | options | {"scriptUrl": script_url})

    answer = Response(page.html(script_url, issued | options, int(dialog)))
    answer.headers["Content-Type"] = "text/html; charset=utf-8"
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["Content-Security-Policy"] = APART
    return answer


def _issued(user_id: str) -> dict[str, Any]:
    if not userids.is_user_id(user_id):
        raise CallerError(userids.INVALID)

    access.acts_for(user_id)
    issued = provider(ImbaChat).tokens.make(user_id, now())
    # The text of the vendor's page calls it `user_key`; its samples and plugins use `token`.
    return {"user_id": int(user_id), "token": issued, "user_key": issued}
