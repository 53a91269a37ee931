"""gunicorn's environ of a request, made from one that is prepared.

gunicorn makes all of it anew for each request. What came through a proxy that says so, over a Unix
socket or as HTTP/2, and a path that `SCRIPT_NAME` shifts, are left to its own code.
"""

from collections.abc import Callable
from typing import Any

from gunicorn import util
from gunicorn.http import wsgi

from chatproxy.names import remembered

Made = tuple[Any, dict[str, Any]]

#: Where a field is that may say how much of the path the server stands for.
SHIFT = "HTTP_SCRIPT_NAME"


class Errors(wsgi.WSGIErrorsWrapper):  # type: ignore[misc]  # gunicorn has no annotations
    """Where an application writes its errors, as long as the worker lives."""

    def __init__(self, cfg: Any) -> None:
        self._cfg = cfg

    def write(self, data: str) -> None:
        """Write to where errors are logged now."""
        # The log's files may have been opened anew since the last time.
        wsgi.WSGIErrorsWrapper(self._cfg).write(data)


class Environs:
    """Makes environs, each with the response that belongs to it. `others` makes unusual ones."""

    def __init__(self, cfg: Any, others: Callable[..., Made]) -> None:
        self._others = others
        self._prepared = wsgi.base_environ(cfg) | {"wsgi.errors": Errors(cfg), "SCRIPT_NAME": ""}

    def create(
        self, req: Any, sock: Any, client: Any, server: Any, cfg: Any, *more: Any, **named: Any
    ) -> Made:
        """Return the response and the environ of a request, as `wsgi.create` does."""
        is_usual = isinstance(client, tuple) and isinstance(server, tuple)
        environ = self._prepared.copy()
        _add_fields(environ, req.headers)

        if not is_usual or more or named or req.proxy_protocol_info or SHIFT in environ:
            return self._others(req, sock, client, server, cfg, *more, **named)

        if req._expected_100_continue:
            sock.send(b"HTTP/1.1 100 Continue\r\n\r\n")

        response = wsgi.Response(req, sock, cfg)
        major, minor = req.version
        environ["wsgi.input"] = req.body
        environ["wsgi.url_scheme"] = req.scheme
        environ["wsgi.early_hints"] = wsgi._make_early_hints_callback(req, sock, response)
        environ["gunicorn.socket"] = sock
        environ["REQUEST_METHOD"] = req.method
        environ["RAW_URI"] = req.uri
        environ["PATH_INFO"] = util.unquote_to_wsgi_str(req.path) if "%" in req.path else req.path
        environ["QUERY_STRING"] = req.query
        environ["SERVER_PROTOCOL"] = f"HTTP/{major}.{minor}"
        environ["REMOTE_ADDR"] = client[0]
        environ["REMOTE_PORT"] = str(client[1])
        environ["SERVER_NAME"] = server[0]
        environ["SERVER_PORT"] = str(server[1])
        return response, environ


@remembered
def _key(name: str) -> str:
    key = name.replace("-", "_")
    return key if name in ("CONTENT-TYPE", "CONTENT-LENGTH") else f"HTTP_{key}"


def _add_fields(environ: dict[str, Any], fields: list[tuple[str, str]]) -> None:
    repeated: dict[str, list[str]] = {}

    for name, value in fields:
        key = _key(name)

        if key in environ:
            repeated.setdefault(key, [environ[key]]).append(value)
        else:
            environ[key] = value

    for key, values in repeated.items():
        environ[key] = ",".join(values)


def install(cfg: Any) -> None:
    """Make gunicorn's workers make environs so."""
    # gunicorn looks at this variable for each request.
    if not (cfg.env_orig | cfg.env).get("SCRIPT_NAME"):
        # It has no setting for it: its worker looks the function up in that module.
        wsgi.create = Environs(cfg, wsgi.create).create
