"""Answering errors, each in the format of the surface on which it happened."""

import logging
from typing import Any

from flask import Flask, Response, jsonify
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound
from werkzeug.routing.exceptions import WebsocketMismatch

from chatproxy import errors
from chatproxy.providers.base import Dialect
from chatproxy.web.current import context, surface_path
from chatproxy.web.dialects import Dialects
from chatproxy.web.relay import METHODS

log = logging.getLogger(__name__)

INTERNAL = "Something went wrong."


def register(app: Flask, dialects: Dialects) -> None:
    """Answer every error of the application here."""

    def answer(error: Exception) -> Response:
        known = _to_chatproxy_error(error)
        context().note(known)
        return _answer(known, dialects.of(surface_path()))

    app.register_error_handler(Exception, answer)


def _to_chatproxy_error(error: Exception) -> errors.ChatproxyError:
    # A cut body and a caller who left look the same to whoever reads the body.
    if isinstance(error, errors.TruncatedBody) and context().has_left():
        return errors.CallerLeft("The caller closed its connection within its body.")

    if isinstance(error, errors.ChatproxyError):
        return error

    if isinstance(error, MethodNotAllowed):
        allowed = [method for method in METHODS if method in (error.valid_methods or ())]
        return errors.WrongMethod("This method is not served here.", allowed=allowed)

    if isinstance(error, NotFound | WebsocketMismatch):
        return errors.NotFound("Nothing is served at this path.")

    if isinstance(error, HTTPException) and (error.code or 500) < 500:
        return errors.CallerError(error.description or error.name)

    # The text stays in the log: it may hold anything, a secret among others.
    log.error("unexpected failure", exc_info=error)
    return errors.ChatproxyError(INTERNAL)


def _answer(error: errors.ChatproxyError, dialect: Dialect | None) -> Response:
    body = own_error_body if dialect is None else dialect.error_body
    answer = jsonify(body(error, context().seconds()))
    answer.status_code = error.status
    answer.headers.update(error.headers)
    return answer


def own_error_body(error: errors.ChatproxyError, _seconds: float) -> dict[str, Any]:
    """Return the body where a surface has no dialect of its own."""
    return {"errorMsg": error.message}
