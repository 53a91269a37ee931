"""The demo in a browser: what a person sees, before each of the three backends."""

import json
import os
import re
from collections.abc import Iterator

import pytest

from examples import demo as examples
from tests.browser import Pages
from tests.examples.running import Demo
from tests.examples.visit import REFUSED, Visit
from tests.sidecar import ROOT

BACKENDS = ["flask", "fastapi", "express"]
PICTURE = ROOT / "docs" / "demo.png"
MOST_BYTES = 150_000
#: Names the file that the picture is to be written to.
WANTED = "DEMO_PICTURE"
#: The token lives 15 minutes, and is renewed after 12.
BEFORE, AFTER, LATE = "11:00", "01:05", 20 * 60
#: How long until the next try where the backend was away.
AGAIN = "00:11"


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """Run it, press Ctrl-C at the end, and see to it that nothing is left."""
    try:
        examples.check_node()
    except examples.Missing as missing:
        pytest.skip(str(missing))

    folder = tmp_path_factory.mktemp("demo")
    temporary = tmp_path_factory.mktemp("temporary")

    with Demo(folder / "output.log", temporary) as running:
        yield running

    assert running.process.returncode == 0, running.output.read_text()
    assert list(temporary.iterdir()) == []
    # gunicorn kills a worker of the example in the end where a page keeps its connection open.
    lines = running.output.read_text().splitlines()
    told = "\n".join(line for line in lines if "was sent SIGKILL" not in line)
    assert not re.search("error|traceback", told, re.IGNORECASE)


@pytest.fixture
def visit(demo: Demo, open_page: Pages, backend: str) -> Visit:
    return Visit(demo.url(backend), open_page)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_person_sees_it_work(visit: Visit):
    page, granted = visit.page, visit.log_in()

    page.get_by_role("button", name="Open a room").click()
    visit.shows("rooms", "Lunch at ")
    visit.shows("call", r"200, (one|\d+) room")
    shown = json.loads(page.locator("#widget").inner_text())
    assert shown == granted["widget"] | {"token": "…", "user_key": "…"}
    assert shown["user_id"] == 1
    assert shown["scriptUrl"].endswith("/imbachat/v1/sandbox/widget")
    assert visit.grants == 1
    visit.keeps_to_itself(granted["token"], granted["widget"]["token"])


def test_the_picture_is_there_and_small():
    assert f"({PICTURE.relative_to(ROOT)})" in (ROOT / "README.md").read_text()
    assert PICTURE.read_bytes().startswith(b"\x89PNG")
    assert PICTURE.stat().st_size <= MOST_BYTES


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_token_is_renewed_before_its_end(visit: Visit, backend: str):
    first, clock = visit.log_in()["token"], visit.page.clock

    clock.fast_forward(BEFORE)
    visit.shows("token", "alive, ends in [34]:")
    assert visit.grants == 1

    with visit.renewal() as renewed:
        clock.fast_forward(AFTER)

    assert renewed.value.json()["token"] != first
    visit.shows("token", "alive, ends in 1[45]:")
    visit.shows("socket", "signed in as Alice")

    # The clock alone: no timer has fired, as after a night in which the machine slept.
    clock.set_system_time(visit.page.evaluate("Date.now()") / 1000 + LATE)
    visit.click_at_once("list", "open")
    visit.shows("rooms", "Lunch at ")
    visit.shows("socket", "signed in as Alice")
    assert visit.grants == 3

    if (wanted := os.environ.get(WANTED)) and backend == BACKENDS[0]:
        visit.page.mouse.move(0, 0)
        visit.page.screenshot(path=wanted, full_page=True)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_refused_token_is_renewed_once(visit: Visit):
    visit.log_in()

    visit.revoke()
    # Two calls are refused and repeated, and what was opened is listed. Earlier rooms are shown
    # before all that is over, and what is left of it would be refused below.
    with visit.answers("/imkit/rooms$", 5):
        visit.click_at_once("list", "open")

    visit.shows("rooms", "Lunch at ")
    visit.shows("socket", "signed in as Alice")
    assert visit.grants == 2
    assert visit.forgive(REFUSED) == 2

    # Whatever is tried, it is refused: one renewal, one repetition, and the person is told.
    with visit.refusing("**/imkit/rooms"):
        visit.page.get_by_role("button", name="List my rooms").click()
        visit.shows("problem", "The chat answers 401")

    assert visit.grants == 3
    assert visit.forgive(REFUSED) == 2


@pytest.mark.parametrize("backend", BACKENDS)
def test_what_goes_wrong_is_told(visit: Visit):
    visit.log_in()

    # The backend is away: it is asked again after a while.
    with visit.dead("**/chat"):
        visit.page.get_by_role("button", name="Renew now").click()
        visit.shows("problem", "The backend does not answer")
        visit.shows("token", "alive")

    with visit.renewal():
        visit.page.clock.fast_forward(AGAIN)

    visit.shows("renewals", "Renewals: 1")
    assert not visit.page.locator("#problem").is_visible()
    assert visit.forgive("ERR_CONNECTION_REFUSED") == 1

    # The session is over: nothing is left but the form.
    visit.page.context.clear_cookies()
    visit.page.get_by_role("button", name="Renew now").click()
    visit.shows("problem", "Log in first")
    assert visit.page.get_by_role("button", name="Log in").is_visible()
    assert visit.forgive(REFUSED) == 1

    visit.log_in("Bob")
    visit.page.get_by_role("button", name="Log out").click()
    visit.shows("login", "Who are you")
    assert visit.grants == 5


@pytest.mark.parametrize("backend", ["flask"])
def test_two_pages_of_one_person_do_not_fight(demo: Demo, open_page: Pages, backend: str):
    first, second = (Visit(demo.url(backend), open_page) for _ in range(2))
    first.log_in()
    second.log_in()
    first.shows("socket", "another page has a newer one")

    first.page.clock.fast_forward(BEFORE)
    first.page.clock.fast_forward(AFTER)
    second.shows("socket", "signed in as Alice")
    assert (first.grants, second.grants) == (1, 1)

    first.page.get_by_role("button", name="Connect again").click()
    first.shows("socket", "signed in as Alice")
    second.shows("socket", "another page has a newer one")
    assert (first.grants, second.grants) == (2, 1)
