"""The page as a person sees it: in light and dark, on a phone, without script."""

import os
from pathlib import Path
from typing import Any

import pytest

from tests.browser import Pages
from tests.calls import call
from tests.sidecar import Sidecar
from tests.web.console.test_served import seen_until

WIDE = {"width": 1200, "height": 900}
PHONE = {"width": 360, "height": 740}

#: WCAG 2.2, 1.4.3: of each text that is seen its contrast with what is behind it, the worst first.
CONTRASTS = """() => {
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
    .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const parts = text => text.match(/[\\d.]+/g).map(Number);
  const behind = element => {
    for (let e = element; e; e = e.parentElement) {
      const found = parts(getComputedStyle(e).backgroundColor);
      if (found.length < 4 || found[3] > 0) return found.slice(0, 3);
    }
    return [255, 255, 255];
  };
  const found = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const element = walk.currentNode.parentElement;
    if (!walk.currentNode.textContent.trim() || !element.getClientRects().length) continue;
    const pair = [parts(getComputedStyle(element).color).slice(0, 3), behind(element)].map(light);
    const [low, high] = pair.sort((a, b) => a - b);
    found.push([(high + 0.05) / (low + 0.05), walk.currentNode.textContent.trim().slice(0, 40)]);
  }
  return found.sort((a, b) => a[0] - b[0]);
}"""

#: What a reader of the page for the blind goes by.
OUTLINE = """() => ({
  language: document.documentElement.lang,
  landmarks: ["header", "main", "footer", "nav"].map(n => document.querySelectorAll(n).length),
  headings: [...document.querySelectorAll("h1, h2, h3")].map(e => Number(e.tagName[1])),
  tables: [...document.querySelectorAll("table")].map(
    t => [!!t.caption.textContent, t.querySelectorAll("thead th[scope=col]").length,
          [...t.tBodies[0].rows].every(row => row.cells.length == t.tHead.rows[0].cells.length)]),
  labels: [...document.querySelectorAll("[aria-labelledby]")].every(
    e => document.getElementById(e.getAttribute("aria-labelledby"))),
  ids: [...document.querySelectorAll("[id]")].map(e => e.id),
})"""

BACKGROUNDS = {"light": "rgb(251, 251, 250)", "dark": "rgb(21, 24, 28)"}


@pytest.fixture(scope="module")
def url(shared: tuple[Sidecar, int]) -> str:
    """The page, with something on it."""
    sidecar, status = shared
    call(sidecar.port, "GET", "/token/canary")

    for number in range(3):
        fields = (f"X-Request-Id: seen-{number}", f"X-Sandbox-Fault: status=50{number}")
        call(sidecar.port, "GET", "/proxy/app", *fields)

    seen_until(status, "seen-2")
    seen_until(status, '<span class="mark good">accepted</span>')
    return f"http://127.0.0.1:{status}/-/console"


def kept(page: Any, name: str, folder: Path) -> None:
    """Leave a picture where somebody wants to look at it."""
    place = Path(os.environ.get("PICTURES") or folder)
    page.screenshot(path=str(place / f"console-{name}.png"), full_page=True)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_can_be_read(open_page: Pages, url: str, tmp_path: Path, scheme: str) -> None:
    page = open_page(url, color_scheme=scheme, viewport=WIDE).page
    page.locator("summary").click()
    kept(page, f"{scheme}-wide", tmp_path)
    style = "getComputedStyle(document.documentElement)"
    contrasts = page.evaluate(CONTRASTS)

    # Only with its own style, which the policy lets it have.
    assert page.evaluate(f"{style}.backgroundColor") == BACKGROUNDS[scheme]
    assert len(contrasts) > 100
    assert contrasts[0][0] >= 4.5, contrasts[:5]
    assert page.evaluate("document.documentElement.scrollWidth") <= WIDE["width"]

    # On a phone tables are moved, not the page.
    page.set_viewport_size(PHONE)
    kept(page, f"{scheme}-phone", tmp_path)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_it_needs_no_script_and_one_request(open_page: Pages, url: str) -> None:
    watched = open_page(java_script_enabled=False)
    asked: list[str] = []
    watched.page.on("request", lambda request: asked.append(request.url))
    watched.page.goto(url)

    assert watched.page.locator("h1").inner_text() == "chatproxy"
    assert watched.page.locator("td", has_text="accepted").count() == 1
    # Open a part of it, as a person does.
    row = watched.page.locator("th", has_text="GRACEFUL_TIMEOUT")
    assert not row.is_visible()
    watched.page.locator("summary").click()
    assert row.is_visible()
    assert [one for one in asked if not one.startswith("data:")] == [url]


def test_its_outline_can_be_heard(open_page: Pages, url: str) -> None:
    outline = open_page(url).page.evaluate(OUTLINE)

    assert outline["language"] == "en"
    assert outline["landmarks"] == [1, 1, 1, 1]
    assert outline["headings"][0] == 1
    assert outline["headings"].count(1) == 1
    steps = zip(outline["headings"], outline["headings"][1:], strict=False)
    assert all(after - before <= 1 for before, after in steps)
    assert [headed and columns >= 4 and whole for headed, columns, whole in outline["tables"]] == (
        [True] * 5
    )
    assert outline["labels"]
    assert len(set(outline["ids"])) == len(outline["ids"])
