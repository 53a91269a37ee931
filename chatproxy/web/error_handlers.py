"""Answering errors, each in the format of the surface on which it happened."""

import logging
from collections.abc import Mapping

from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound

from chatproxy import errors
from chatproxy.providers.base import Dialect
from chatproxy.services import Backend, Services
from chatproxy.web.current import context
from chatproxy.web.relay import METHODS

log = logging.getLogger(__name__)

INTERNAL = "Something went wrong."


def register(app: Flask, services: Services, mounts: Mapping[str, Backend]) -> None:
    """Answer every error of the application here.

    `mounts` maps the paths below which calls are forwarded to their providers.
    """
    dialects = _dialects(services, mounts)

    def refuse() -> None:
        # Raised here and not by the layer outside, so that a bad head, too, is answered in the
        # format of its surface.
        if (refusal := context().refusal) is not None:
            raise refusal

        dialect = _dialect(dialects)
        no_websocket = None if dialect is None else dialect.no_websocket
        upgrade = request.environ.get("HTTP_UPGRADE", "").lower()

        # Werkzeug matches a WebSocket handshake to WebSocket rules only, and would answer 400 in
        # its own words. Flask raises the router's error after this function.
        if no_websocket is not None and "websocket" in upgrade:
            raise no_websocket()

    def answer(error: Exception) -> Response:
        known = _to_chatproxy_error(error)
        context().note(known)
        return _answer(known, _dialect(dialects))

    app.before_request(refuse)
    app.register_error_handler(Exception, answer)


def _to_chatproxy_error(error: Exception) -> errors.ChatproxyError:
    # A cut body and a caller who left look the same to whoever reads the body.
    if isinstance(error, errors.TruncatedBody) and context().caller.has_left():
        return errors.CallerLeft("The caller closed its connection within its body.")

    if isinstance(error, errors.ChatproxyError):
        return error

    if isinstance(error, MethodNotAllowed):
        allowed = [method for method in METHODS if method in (error.valid_methods or ())]
        return errors.WrongMethod("This method is not served here.", allowed=allowed)

    if isinstance(error, NotFound):
        return errors.NotFound("Nothing is served at this path.")

    if isinstance(error, HTTPException) and error.code is not None and error.code < 500:
        return errors.CallerError(error.description or error.name)

    # The text stays in the log: it may hold anything, a secret among others.
    log.error("unexpected failure", exc_info=error, extra={"reqId": context().id})
    return errors.ChatproxyError(INTERNAL)


def _dialects(services: Services, mounts: Mapping[str, Backend]) -> dict[str, Dialect]:
    prefix = services.settings.service_prefix
    found = {mount: backend.provider.dialect for mount, backend in mounts.items()}

    for backend in services.backends.values():
        dialects = backend.provider.dialects
        found |= {f"{prefix}{path}": dialect for path, dialect in dialects.items()}

    return found


def _dialect(dialects: dict[str, Dialect]) -> Dialect | None:
    # The longest match wins, since one surface may lie below another. None: the sidecar's own.
    path = context().target.path or request.path
    mounts = (mount for mount in dialects if path == mount or path.startswith(mount + "/"))
    mount = max(mounts, key=len, default=None)
    return None if mount is None else dialects[mount]


def _answer(error: errors.ChatproxyError, dialect: Dialect | None) -> Response:
    own = {"errorMsg": error.message}
    answer = jsonify(own if dialect is None else dialect.error_body(error, context().seconds()))
    answer.status_code = error.status
    answer.headers.update(error.headers)
    return answer
