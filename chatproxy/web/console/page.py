"""The page: a template, its style, and what of a text may stand in it.

No text is trusted, wherever it comes from: a setting, a fault, a header. The template escapes all
of them for HTML. Before that what looks like a secret is removed, and what would change how the
text around it is read is spelt out.
"""

import base64
import dataclasses
import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, StrictUndefined, Template

from chatproxy.web.console.facts import Facts

Redact = Callable[[str], str]

#: Characters of one text. A list of hosts may be long, and is cut here rather than by a screen.
LONGEST = 300


@dataclasses.dataclass(frozen=True)
class Link:
    """A page that helps, and where it is; without `href` it is at another port."""

    name: str
    about: str
    href: str = ""


def render(facts: Facts, links: list[Link], redact: Redact) -> str:
    """Return the page."""
    # The style is escaped as well: it holds no character that would be changed, or its digest is
    # not that of the policy.
    return _template().render(
        facts=facts, links=links, style=style(), plain=lambda text: plain(text, redact)
    )


def plain(value: Any, redact: Redact) -> str:
    """Return a text as it may be shown: without secrets, on one line, every character visible."""
    text = redact(str(value))
    short = text if len(text) <= LONGEST else text[:LONGEST] + "…"
    # Not only control characters: one that turns the direction of writing hides what follows.
    return "".join(one if one.isprintable() else f"\\u{ord(one):04x}" for one in short)


@cache
def style() -> str:
    """Return the style sheet."""
    return _file("console.css")


@cache
def style_digest() -> str:
    """Return the source expression that lets the style sheet be used (CSP level 3, 2.3.1)."""
    digest = hashlib.sha256(style().encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


@cache
def _template() -> Template:
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"moment": _moment, "ago": _ago}
    return environment.from_string(_file("console.html"))


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _ago(seconds: float, now: float) -> str:
    passed = max(0, int(now - seconds))

    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if passed >= size:
            return f"{passed // size} {unit} ago"

    return f"{passed} s ago"


def _file(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")
