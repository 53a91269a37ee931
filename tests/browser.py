"""A headless Chromium, and pages of it that let nothing pass unseen.

Playwright's own package drives the distribution's Chromium: its download of a browser is not
needed. The browser is started once for each process of the tests, and a page costs half a second.
"""

import re
import shutil
from asyncio import events
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from playwright.sync_api import ConsoleMessage, Page, Request

#: The first takes a third of the processor's time that the others take.
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
HERE = ("127.0.0.1", "localhost")
#: In milliseconds. A busy machine has room; what never comes fails soon enough.
PATIENCE = 20_000
#: Whatever is asked for, no name is looked up and no other machine is called.
ARGUMENTS = [
    f"--host-resolver-rules=MAP * ~NOTFOUND, {', '.join(f'EXCLUDE {one}' for one in HERE)}"
]


def installed() -> str | None:
    """Say where Chromium is, None where it is not here."""
    return next((found for name in NAMES if (found := shutil.which(name))), None)


class WatchedPage:
    """A page, and all that a person at its console would complain about."""

    def __init__(self, page: "Page") -> None:
        self.page = page
        self.complaints: list[str] = []
        page.on("console", self._note_line)
        page.on("pageerror", lambda error: self.complaints.append(f"uncaught: {error}"))
        page.on("request", self._note_request)
        page.on("websocket", lambda socket: self._note_url(socket.url))

    def forgive(self, pattern: str) -> int:
        """Take back the complaints that fit a pattern, and say how many there were."""
        kept = [one for one in self.complaints if not re.search(pattern, one)]
        forgiven = len(self.complaints) - len(kept)
        self.complaints = kept
        return forgiven

    def _note_line(self, message: "ConsoleMessage") -> None:
        if message.type in ("error", "warning", "assert"):
            where = message.location.get("url", "")
            self.complaints.append(f"{message.type}: {message.text} ({where})")

    def _note_request(self, request: "Request") -> None:
        self._note_url(request.url)

    def _note_url(self, url: str) -> None:
        parts = urlsplit(url)

        if parts.scheme in ("http", "https", "ws", "wss") and parts.hostname not in HERE:
            self.complaints.append(f"asked outside: {url}")


class Browser:
    """Started by `with`; each page has cookies and storage of its own."""

    def __init__(self, executable: str) -> None:
        self._executable = executable

    def __enter__(self) -> "Browser":
        # Not above: most processes of the tests open no page, and it takes a tenth of a second.
        from playwright.sync_api import sync_playwright

        self._driver = sync_playwright().start()
        # Playwright says for good that a loop runs in this thread, and `asyncio.run` then refuses
        # to run in the tests that follow. So it says so only as long as a page is open.
        self._loop = events._get_running_loop()
        self._browser = self._driver.chromium.launch(
            executable_path=self._executable, args=ARGUMENTS
        )
        events._set_running_loop(None)
        return self

    def __exit__(self, *_: object) -> None:
        events._set_running_loop(self._loop)
        self._browser.close()
        self._driver.stop()

    @contextmanager
    def pages(self) -> Iterator["Pages"]:
        """Lend the browser to one test, and check what its pages complained about."""
        events._set_running_loop(self._loop)
        pages = Pages(self._browser)

        try:
            yield pages
            complaints = pages.complaints()
        finally:
            pages.close()
            events._set_running_loop(None)

        # This module's assertions are not pytest's own, which would show what is compared.
        if complaints:
            raise AssertionError("\n".join(complaints))


class Pages:
    """Opens the pages of one test."""

    def __init__(self, browser: Any) -> None:
        self._browser = browser
        self.opened: list[WatchedPage] = []

    def __call__(self, url: str | None = None, **options: Any) -> WatchedPage:
        """Open a page, with Playwright's options of a context, such as `color_scheme`."""
        context = self._browser.new_context(**options)
        context.set_default_timeout(PATIENCE)
        watched = WatchedPage(context.new_page())
        self.opened.append(watched)

        if url is not None:
            watched.page.goto(url)

        return watched

    def settle(self) -> None:
        """See to it that what the pages have said by now is noted."""
        for watched in self.opened:
            if not watched.page.is_closed():
                watched.page.evaluate("0")

    def complaints(self) -> list[str]:
        self.settle()
        return [one for watched in self.opened for one in watched.complaints]

    def close(self) -> None:
        for watched in self.opened:
            watched.page.context.close()
