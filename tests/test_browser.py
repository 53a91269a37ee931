"""The browser of the tests: what a page does wrong fails its test."""

import asyncio
from pathlib import Path

import pytest

from tests.browser import Browser, Pages

FAULTS = {
    "console.error('bad')": "error: bad",
    "console.warn('odd')": "warning: odd",
    "setTimeout(() => { throw new Error('worse') })": "uncaught: worse",
    "await fetch('http://vendor.example/').catch(() => 0)": "asked outside: http://vendor.example/",
    "new WebSocket('ws://vendor.example/')": "asked outside: ws://vendor.example/",
    # An address needs no look-up, and is not reached all the same.
    "await fetch('https://192.0.2.1/').catch(() => 0)": "ERR_NAME_NOT_RESOLVED (https://192.0.2.1/)",
    "await fetch('http://127.0.0.1:9/').catch(() => 0)": "net::ERR_UNSAFE_PORT",
}


def shown(pages: Pages, folder: Path, script: str) -> None:
    """Open a page and wait until its script is through."""
    run = f"(async () => {{ {script} }})().finally(() => setTimeout(() => document.title = 'end'))"
    file = folder / "page.html"
    file.write_text(f"<!doctype html><script>{run}</script>")
    pages(file.as_uri()).page.wait_for_function("document.title === 'end'")


def test_a_page_that_complains_fails(browser: Browser, tmp_path: Path):
    with pytest.raises(AssertionError) as failure, browser.pages() as pages:
        shown(pages, tmp_path, ";\n".join(FAULTS))

    assert [one for one in FAULTS.values() if one not in str(failure.value)] == []


def test_what_was_expected_is_forgiven_by_name(open_page: Pages, tmp_path: Path):
    shown(open_page, tmp_path, "console.log('well'); console.error('bad'); console.error('bad')")
    open_page.settle()
    assert open_page.opened[0].forgive("well|other") == 0
    assert open_page.opened[0].forgive("bad") == 2


def test_other_tests_may_run_a_loop_of_their_own(browser: Browser):
    async def answer() -> int:
        return 42

    with browser.pages():
        pass

    assert asyncio.run(answer()) == 42
