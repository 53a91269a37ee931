"""`GET /imbachat/widget/<userId>`: the options, and the HTML that loads the widget."""

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import pytest

from chatproxy.providers.imbachat.endpoints import page
from tests.providers.imbachat.conftest import DEV_ID, Site
from tests.providers.imbachat.test_token import claims_of

SCRIPT_URL = f"https://imbachat.com/imbachat/v1/{DEV_ID}/widget"
OPTIONS = "language=ru&theme=dark&position=left"

#: A browser as far as the page needs one; the widget comes late. It prints what was called.
BROWSER = """
var called = [], clicked;
var window = globalThis, document = {getElementById: function (id) {
  return {addEventListener: function (what, then) { clicked = what === "click" && then; }};
}};
setTimeout(function () {
  window.ImbaChat = {load: function (options) { called.push(["load", options]); }};
  window.imbaChat = {openDialog: function (id) { called.push(["openDialog", id]); }};
}, 120);
setTimeout(function () { clicked(); console.log(JSON.stringify(called)); }, 400);
"""


class Page(HTMLParser):
    """The tags of a page with their attributes, and the text of its scripts and buttons."""

    CDATA_CONTENT_ELEMENTS = ("script", "style")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data.strip())


def page_of(site: Site, path: str) -> Page:
    reply = site.get(path)
    assert reply.status == 200, reply.json
    return Page(reply.raw.body.decode())


def test_the_options(site: Site) -> None:
    found = site.credentials("/imbachat/widget/6")

    assert list(found) == ["user_id", "token", "user_key", "scriptUrl"]
    assert (found["user_id"], found["scriptUrl"]) == (6, SCRIPT_URL)
    assert claims_of(found["token"])["user_id"] == 6


def test_options_that_the_vendor_lists_pass_through(site: Site) -> None:
    reply = site.get(f"/imbachat/widget/6?{OPTIONS}&dialog=2&format=json&user_id=7&token=x")

    assert (reply.json["language"], reply.json["theme"], reply.json["position"]) == (
        "ru",
        "dark",
        "left",
    )
    assert "dialog" not in reply.json
    assert reply.json["user_id"] == 6
    assert claims_of(reply.json["token"])["user_id"] == 6


@pytest.mark.parametrize("name", ["format", "theme", "position", "language", "dialog"])
@pytest.mark.parametrize(
    "value",
    ["", "%20", "html,json", "x;y", "%D0%96", "%00", "%3Cscript%3E", "1'\"", "-1", "x" * 5000],
    ids=lambda value: value[:16],
)
def test_another_value_is_refused(site: Site, name: str, value: str) -> None:
    reply = site.get(f"/imbachat/widget/6?{name}={value}")

    assert (reply.status, reply.json["code"]) == (400, 400)
    assert reply.json["error"].startswith(f"{name}: ")


def test_the_page_has_the_script_the_loader_and_a_button(site: Site) -> None:
    reply = site.get("/imbachat/widget/6?format=html&dialog=2")
    found = Page(reply.raw.body.decode())

    assert reply.header("Content-Type") == "text/html; charset=utf-8"
    assert reply.header("Cache-Control") == "no-store"
    assert found.tags == [
        ("script", {"src": SCRIPT_URL}),
        ("button", {"type": "button", "id": "imbachat-dialog"}),
        ("script", {}),
    ]
    assert "openDialog(2)" in found.texts[-2]


@pytest.mark.node
@pytest.mark.skipif(shutil.which("node") is None, reason="node is not there")
@pytest.mark.parametrize(("query", "dialog"), [("&dialog=2", 2), ("", 6)])
def test_the_page_waits_for_the_widget_and_loads_it(site: Site, query: str, dialog: int) -> None:
    found = page_of(site, f"/imbachat/widget/6?format=html&{OPTIONS}{query}")
    script = next(text for text in found.texts if "ImbaChat" in text)
    done = subprocess.run(
        ["node", "-e", BROWSER + script], capture_output=True, text=True, timeout=30, check=True
    )
    (load, options), (open_dialog, whom) = json.loads(done.stdout)

    assert (load, open_dialog, whom) == ("load", "openDialog", dialog)
    assert claims_of(options.pop("token")) == claims_of(options.pop("user_key"))
    assert options == {"user_id": 6, "language": "ru", "theme": "dark", "position": "left"}


HOSTILE = [
    "</script><script>alert(1)</script>",
    "<!--<script>",
    "]]>",
    '" onload="alert(1)" x=\'',
    "&quot;&lt;",
    "\u2028alert(1)\u2029",
    "{dialog} {0} %s ${x}",
    "\\u003c/script\\u003e \\",
]


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_no_value_breaks_out_of_its_place(text: str) -> None:
    """None of these comes through the settings and the query; the page does not rely on it."""
    html = page.html(text, {"name": text, text: text}, 2)
    found = Page(html)

    assert [tag for tag, _ in found.tags] == ["script", "button", "script"]
    assert found.tags[0] == ("script", {"src": text})
    assert re.search("[<>&\u2028\u2029]", found.texts[-2].replace("&&", "")) is None
    written = re.search(r"\}\)\((.*)\);\n", found.texts[-2])
    assert written is not None
    assert json.loads(written[1]) == {"name": text, text: text}


def test_the_script_comes_from_where_the_settings_say(
    imbachat_before: Callable[..., Any],
) -> None:
    base = "https://api.example/\"><script>'&x;/"

    with imbachat_before(IMBACHAT_BASE_URL=base, IMBACHAT_DEV_ID="a-Z_9") as site:
        wanted = "https://api.example/\"><script>'&x;/imbachat/v1/a-Z_9/widget"
        assert site.get("/imbachat/widget/6").json["scriptUrl"] == wanted
        found = page_of(site, "/imbachat/widget/6?format=html")

    assert found.tags[0] == ("script", {"src": wanted})
    assert [tag for tag, _ in found.tags] == ["script", "button", "script"]
