"""Fixtures: a strict upstream on real sockets, and a real sidecar before it."""

import gc
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser import Browser, Pages, installed
from tests.canaries import API_KEY, API_SECRET, CANARIES, OLD_API_SECRET, forms
from tests.sidecar import Sidecar
from tests.stopwatch import Stopwatch
from tests.upstream import StreamUpstream

#: What was searched for the canaries: in this process, and in those that it had run tests.
SEARCHED: list[str] = []
OUTPUT = "searched"


#: Files whose tests take half of the time of all, most of it waiting for what dies and comes back:
#: `make test-long`. The rest has to be through within the fifteen minutes that a change waits for
#: its check.
LONG = (
    "bulk/test_rolling.py",
    "cli/test_every_command.py",
    "cli/test_token.py",
    "cli/test_users_files.py",
    "forwarding/test_dead_connections.py",
    "forwarding/test_lifetimes.py",
    "identity/test_failover.py",
    "identity/test_killed.py",
    "limiting/test_failover.py",
    "metrics/test_server.py",
    "providers/chatsdk/test_directory_away.py",
    "providers/chatsdk/test_pgbouncer.py",
    "providers/chatsdk/test_redis_failover.py",
    "providers/imkit/test_badge_at_once.py",
    "providers/imkit/test_relayed_many.py",
    "providers/imkit/test_socket_ends.py",
    "providers/stream/permissions/test_replaced.py",
    "sandbox/test_local_run.py",
    "server/test_budget.py",
    "server/test_drain.py",
    "server/test_held_bodies.py",
    "server/test_renewal.py",
    "server/test_replacement.py",
    "server/test_shutdown.py",
    "server/test_signs_of_life.py",
    "tracing/test_spans.py",
)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Collect without looking for garbage: all of it stays, and that takes a fifth of the time."""
    gc.disable()

    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the long ones."""
    here = Path(__file__).parent

    for item in items:
        if str(item.path.relative_to(here)).startswith(LONG):
            item.add_marker(pytest.mark.long)


@pytest.fixture(scope="session")
def output_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where every sidecar of the run writes. At the end it is searched for the canaries."""
    folder = tmp_path_factory.mktemp("output")
    yield folder
    leaks = leaks_in(folder)
    size = sum(path.stat().st_size for path in folder.iterdir())
    SEARCHED.append(
        f"{len(CANARIES)} planted secrets searched for in the output of "
        f"{len(list(folder.iterdir()))} sidecars ({size} bytes): {len(leaks)} hits"
    )
    assert leaks == []


def pytest_testnodedown(node: Any) -> None:
    """Take over what another process searched."""
    SEARCHED.extend(getattr(node, "workeroutput", {}).get(OUTPUT, []))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for line in SEARCHED:
        terminalreporter.write_line(line)


def leaks_in(folder: Path) -> list[str]:
    return [
        f"{name} in {path.name}"
        for path in sorted(folder.iterdir())
        for text in [path.read_text(errors="replace")]
        for name, secret in CANARIES.items()
        if any(form in text for form in forms(secret))
    ]


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Where everything is required, as in CI, a skipped test fails the run."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput[OUTPUT] = SEARCHED
        return

    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = reporter.stats.get("skipped", []) if reporter is not None else []

    if os.environ.get("CHATPROXY_REQUIRE_ALL") and skipped:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture
def clock() -> Stopwatch:
    return Stopwatch()


@pytest.fixture(scope="session")
def upstream() -> Iterator[StreamUpstream]:
    with StreamUpstream(api_key=API_KEY, api_secrets=[API_SECRET]) as sandbox:
        yield sandbox


@pytest.fixture(autouse=True)
def _forget(request: pytest.FixtureRequest) -> None:
    """Each test sees only what it caused."""
    if "upstream" in request.fixturenames:
        request.getfixturevalue("upstream").journal.clear()


@pytest.fixture(scope="session")
def sidecar_before(output_folder: Path) -> Callable[..., Sidecar]:
    """Make a sidecar before an upstream, with further settings by name."""
    made = iter(range(10_000))

    def before(url: str, **settings: str) -> Sidecar:
        environ = {
            "STREAM_API_KEY": API_KEY,
            "STREAM_API_SECRET": f"{API_SECRET},{OLD_API_SECRET}",
            "STREAM_BASE_URL": url,
            "LOG_LEVEL": "trace",
        }
        return Sidecar(output_folder / f"sidecar-{next(made)}.log", environ | settings)

    return before


@pytest.fixture(scope="session")
def sidecar(upstream: StreamUpstream, sidecar_before: Callable[..., Sidecar]) -> Iterator[Sidecar]:
    """The sidecar that most tests share, with short time limits."""
    with sidecar_before(
        upstream.url,
        UPSTREAM_CONNECT_TIMEOUT="2",
        UPSTREAM_READ_TIMEOUT="3",
        UPSTREAM_TOTAL_TIMEOUT="5",
        BODY_IDLE_TIMEOUT="3",
        MAX_BODY_BYTES="2000000000",
    ) as running:
        yield running


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A headless Chromium for every page of this process."""
    executable = installed()

    if executable is None:
        pytest.skip("Chromium is not here (Debian: apt-get install chromium-headless-shell)")

    pytest.importorskip("playwright", reason="Playwright is not here (make install)")

    with Browser(executable) as running:
        yield running


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Pages]:
    """Open pages: `open_page(url, color_scheme="dark").page`. What they complain about fails."""
    with browser.pages() as pages:
        yield pages
