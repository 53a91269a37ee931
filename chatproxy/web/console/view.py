"""The endpoint, and what its answer may do in a browser."""

from flask import Blueprint, Response

from chatproxy.logs.redaction import redactor
from chatproxy.services import Services
from chatproxy.web.console import page
from chatproxy.web.console.checks import Checks
from chatproxy.web.console.facts import gather
from chatproxy.web.console.page import Link
from chatproxy.web.current import context, serves, services

#: Nothing is loaded, from here or elsewhere, nothing is sent, and no page may hold this one.
POLICY = (
    "default-src 'none'; style-src {style}; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)


def blueprint(worker: Services) -> Blueprint:
    """Make the blueprint; the worker's services are those of each request."""
    made = Blueprint("status-console", __name__)
    checks = Checks(worker)

    @made.get("/console")
    @made.get("/console/")
    def console() -> Response:
        """Answer the page."""
        found = services()
        redact = redactor([*found.settings.secrets(), *found.secrets()])
        answer = Response(page.render(gather(found, checks), _links(found), redact))
        answer.headers["Content-Type"] = "text/html; charset=utf-8"
        answer.headers["Content-Security-Policy"] = POLICY.format(style=page.style_digest())
        answer.headers["Cache-Control"] = "no-store"
        answer.headers["Referrer-Policy"] = "no-referrer"
        answer.headers["Cross-Origin-Opener-Policy"] = "same-origin"
        return answer

    return made


def _links(found: Services) -> list[Link]:
    # Relative: a gateway may have put all of it below a prefix of its own.
    base = "../" if context().path.endswith("/") else "./"
    links = [
        Link("Readiness", "the same for machines", f"{base}ready"),
        Link("Check-up", "asks every dependency now", f"{base}check-up"),
        Link("Metrics", "for Prometheus", f"{base}metrics"),
    ]

    if found.settings.documentation == "true":
        path = f"{found.settings.service_prefix}/documentation"
        here = f"{base}..{path}" if serves("service") else ""
        where = "" if here else f", at port {found.settings.http_port}: {path}"
        links.append(Link("Endpoints", f"what can be called, and how{where}", here))

    return links
