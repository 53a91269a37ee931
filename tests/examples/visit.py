"""Somebody at the demo's page."""

import itertools
import json
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import requests
from playwright.sync_api import Page, Request, expect

from tests.browser import Pages, WatchedPage

OURS = {"X-Chat-Page": "1"}
#: What Chromium's console says of an answer 401.
REFUSED = "status of 401"
CORS = {"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Headers": "*"}


class Visit:
    """A page of one backend, whose clock the test may move."""

    def __init__(self, url: str, pages: Pages) -> None:
        self.url = url
        self.watched: WatchedPage = pages(viewport={"width": 1000, "height": 700})
        self.page: Page = self.watched.page
        #: How often the page asked its backend for a token.
        self.grants = 0
        self.page.on("request", self._count)
        self.page.clock.install()
        self.page.goto(url)

    def _count(self, request: Request) -> None:
        self.grants += request.url == f"{self.url}/chat"

    def log_in(self, user: str = "Alice") -> Any:
        """Log in, wait for token and socket, and return what the backend granted."""
        with self.renewal() as granted:
            self.page.get_by_label("Who are you?").select_option(user)
            self.page.get_by_role("button", name="Log in").click()

        self.shows("token", "alive, ends in 1[45]:")
        self.shows("socket", f"signed in as {user}")
        return granted.value.json()

    def renewal(self) -> AbstractContextManager[Any]:
        """Wait for the next token at the end of the block."""
        return self.page.expect_response("**/chat")

    def answers(self, pattern: str, count: int) -> AbstractContextManager[Any]:
        """Wait, at the end of the block, until that many calls have been answered in it."""
        came = itertools.count(1)
        fits = re.compile(pattern)
        return self.page.expect_response(
            lambda one: bool(fits.search(one.url)) and next(came) == count
        )

    def shows(self, name: str, text: str) -> None:
        expect(self.page.locator(f"#{name}")).to_contain_text(re.compile(text), timeout=20_000)

    def click_at_once(self, *names: str) -> None:
        """Click buttons before any of them can have done anything."""
        self.page.evaluate(
            "(names) => names.forEach((one) => document.getElementById(one).click())", names
        )

    def keeps_to_itself(self, *secrets: str) -> None:
        """Check that nothing that stays, and nothing that others read, holds a secret."""
        places = {
            "the document": self.page.content(),
            "cookies and storage": json.dumps(self.page.context.storage_state()),
            "the session's storage": self.page.evaluate("JSON.stringify({...sessionStorage})"),
            "variables of the window": self.page.evaluate(
                "Object.getOwnPropertyNames(window).map((name) => String(window[name])).join()"
            ),
        }
        found = [place for place, text in places.items() for one in secrets if one in text]
        assert found == []

    def revoke(self) -> None:
        """End the person's tokens at the sidecar, as a logout at another page does."""
        with requests.Session() as other:
            other.headers.update(OURS)
            other.post(f"{self.url}/login", data={"user": "1"}, timeout=30).raise_for_status()
            other.post(f"{self.url}/logout", timeout=30).raise_for_status()

        self.shows("socket", "ended: ")

    @contextmanager
    def dead(self, pattern: str) -> Iterator[None]:
        """Let nobody answer what fits a pattern."""
        self.page.route(pattern, lambda route: route.abort("connectionrefused"))
        yield
        self.page.unroute(pattern)

    @contextmanager
    def refusing(self, pattern: str) -> Iterator[None]:
        """Answer 401, whatever comes."""
        refusal = {"status": 401, "json": {"RC": 401, "RM": "No."}, "headers": CORS}
        self.page.route(pattern, lambda route: route.fulfill(**refusal))
        yield
        self.page.unroute(pattern)

    def forgive(self, pattern: str) -> int:
        """Take back complaints of the console, and say how many there were."""
        self.page.evaluate("0")  # what it has said by now has come
        return self.watched.forgive(pattern)
