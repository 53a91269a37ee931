"""How a failure is said: in the dialect of the surface on which it happened."""

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
    """Have every failure of the application answered here.

    `mounts` maps the paths below which calls are forwarded to their providers.
    """
    dialects = _dialects(services, mounts)

    def refuse() -> None:
        """Before the router, which has its own idea of a WebSocket."""
        if (refusal := context().refusal) is not None:
            raise refusal

        dialect = _dialect(dialects)
        refuses = None if dialect is None else dialect.no_websocket

        if refuses is not None and "websocket" in request.environ.get("HTTP_UPGRADE", "").lower():
            raise refuses()

    def answer(error: Exception) -> Response:
        failure = _recognised(error)
        context().note(failure)
        return _answer(failure, _dialect(dialects))

    app.before_request(refuse)
    app.register_error_handler(Exception, answer)


def _recognised(error: Exception) -> errors.ChatproxyError:
    """Turn a router's refusal into ours; anything unknown is a fault of ours, and logged."""
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

    log.error("unexpected failure", exc_info=error, extra={"reqId": context().id})
    return errors.ChatproxyError(INTERNAL)


def _dialects(services: Services, mounts: Mapping[str, Backend]) -> dict[str, Dialect]:
    """Map each path below which a provider's dialect is spoken to that dialect."""
    prefix = services.settings.service_prefix
    found = {mount: backend.provider.dialect for mount, backend in mounts.items()}

    for backend in services.backends.values():
        dialects = backend.provider.dialects
        found |= {f"{prefix}{path}": dialect for path, dialect in dialects.items()}

    return found


def _dialect(dialects: dict[str, Dialect]) -> Dialect | None:
    """Find whose surface the path is on; None is the sidecar's own."""
    path = context().target.path or request.path
    mounts = (mount for mount in dialects if path == mount or path.startswith(mount + "/"))
    mount = max(mounts, key=len, default=None)
    return None if mount is None else dialects[mount]


def _answer(failure: errors.ChatproxyError, dialect: Dialect | None) -> Response:
    own = {"errorMsg": failure.message}
    answer = jsonify(own if dialect is None else dialect.error_body(failure, context().seconds()))
    answer.status_code = failure.status
    answer.headers.update(failure.headers)
    return answer
