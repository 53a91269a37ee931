"""`/documentation/json` and `/documentation`: the OpenAPI document, and a page that shows it.

The page is Swagger UI. It works without the network, below any prefix, and under a policy that lets
it load nothing but its own files and ask nobody but this origin.
"""

from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path

from flask import Blueprint, Response, request

from chatproxy.errors import NotFound
from chatproxy.web.current import context

#: Of the package with Swagger UI's files only these are used; it has routes of its own, which are
#: not (decision 0043).
PACKAGE = "flask_swagger_ui"
FILES: Mapping[str, str] = {
    "swagger-ui.css": "text/css; charset=utf-8",
    "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
    "favicon-32x32.png": "image/png",
}
SCRIPT_TYPE = "text/javascript; charset=utf-8"

PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>chatproxy</title>
<link rel="icon" type="image/png" href="{base}favicon-32x32.png">
<link rel="stylesheet" href="{base}swagger-ui.css">
</head>
<body>
<div id="swagger-ui" data-document="{base}json"></div>
<noscript>This page needs JavaScript. The document itself is at <a href="{base}json">json</a>.
</noscript>
<script src="{base}swagger-ui-bundle.js"></script>
<script src="{base}page.js"></script>
</body>
</html>
"""

#: `validatorUrl: null` keeps the page from sending the document's address to Swagger's validator.
SCRIPT = """\
"use strict";
SwaggerUIBundle({
  url: document.getElementById("swagger-ui").dataset.document,
  dom_id: "#swagger-ui",
  deepLinking: true,
  docExpansion: "none",
  persistAuthorization: false,
  validatorUrl: null
});
"""

#: Swagger UI sets styles by script and shows pictures that its style sheet holds as `data:`.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def blueprint(written: Callable[[], str]) -> Blueprint:
    """Make the blueprint. `written` makes the document's text, once somebody wants to see it."""
    made = Blueprint("documentation", __name__)
    kept: list[bytes] = []

    @made.get("/json")
    def json_document() -> Response:
        """Answer the document."""
        if not kept:
            kept.append(written().encode())

        return _cached(Response(kept[0], mimetype="application/json"))

    @made.get("")
    @made.get("/")
    def page() -> Response:
        """Answer the page."""
        # Relative to the page's own address: a gateway may have put it below a prefix of its own.
        base = "" if context().path.endswith("/") else "documentation/"
        answer = _cached(Response(PAGE.format(base=base), mimetype="text/html"))
        answer.headers["Content-Security-Policy"] = POLICY
        answer.headers["Referrer-Policy"] = "no-referrer"
        return answer

    @made.get("/<name>")
    def asset(name: str) -> Response:
        """Answer a file of the page."""
        if name == "page.js":
            return _cached(Response(SCRIPT, content_type=SCRIPT_TYPE))

        if name not in FILES:
            raise NotFound("Nothing is served at this path.")

        return _cached(Response(_folder().joinpath(name).read_bytes(), content_type=FILES[name]))

    return made


def _cached(answer: Response) -> Response:
    # A browser asks each time, and gets 304 while nothing has changed.
    answer.headers["Cache-Control"] = "no-cache"
    answer.add_etag()
    answer.make_conditional(request)
    return answer


def _folder() -> Path:
    found = find_spec(PACKAGE)
    assert found is not None  # noqa: S101 - it is installed with this
    assert found.origin is not None  # noqa: S101
    return Path(found.origin).parent / "dist"
