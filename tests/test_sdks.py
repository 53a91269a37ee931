"""The official SDKs, unmodified, through the sidecar, with credentials that are not ours."""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.access.samples import BACKEND, EVERY_CALL, caller, write
from tests.canaries import API_KEY, SERVER_TOKEN
from tests.commands import finished
from tests.sidecar import ROOT, Sidecar, bare_environ, free_port
from tests.upstream import StreamUpstream

SDKS = ROOT / "tests" / "sdks"
PYTHON = ROOT / ".venv-sdks" / "bin" / "python"
NODE = shutil.which("node")

needs_python_sdks = pytest.mark.skipif(
    not PYTHON.exists(), reason="the Python SDKs are not installed: make sdks"
)
needs_node_sdks = pytest.mark.skipif(
    NODE is None or not (SDKS / "node_modules").exists(),
    reason="Node.js or its SDKs are not installed: make sdks",
)


@pytest.fixture(scope="module")
def environ(
    upstream: StreamUpstream,
    sidecar_before: Callable[..., Sidecar],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[dict[str, str]]:
    root_port = free_port()

    with sidecar_before(upstream.url, STREAM_ROOT_PORT=str(root_port)) as sidecar:
        yield bare_environ() | {
            "CHAT_BASE_URL": f"{sidecar.url}/proxy",
            "CHAT_ROOT_URL": f"http://127.0.0.1:{root_port}/",
            "SANDBOX_CONTROL_URL": upstream.url,
            "CHAT_FILE_DIR": str(tmp_path_factory.mktemp("files")),
        }


def run(script: str, environ: dict[str, str]) -> dict[str, Any]:
    """Run one SDK's script; return its report."""
    interpreter = str(NODE) if script.endswith(".mjs") else str(PYTHON)
    done = finished([interpreter, script], environ, folder=SDKS, within=120)
    assert done.stdout.strip(), done.stderr
    report: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return report


@pytest.mark.parametrize(
    ("script", "at_least"),
    [
        pytest.param("python_stream_chat.py", 20, marks=needs_python_sdks),
        pytest.param("python_stream_chat_async.py", 20, marks=needs_python_sdks),
        pytest.param("python_getstream.py", 10, marks=needs_python_sdks),
        pytest.param("node_stream_chat.mjs", 20, marks=[needs_node_sdks, pytest.mark.node]),
        pytest.param("node_node_sdk.mjs", 10, marks=[needs_node_sdks, pytest.mark.node]),
    ],
)
def test_an_official_sdk_works_unmodified(
    environ: dict[str, str], upstream: StreamUpstream, script: str, at_least: int
) -> None:
    report = run(script, environ)
    assert report["failures"] == []
    keys = {target.partition("api_key=")[2].partition("&")[0] for target in _targets(upstream)}
    tokens = {token for one in upstream.journal for token in one.values("authorization")}

    assert len(set(report["calls"])) >= at_least
    assert keys == {API_KEY}
    assert tokens == {SERVER_TOKEN}


@pytest.fixture(scope="module")
def guarded_environ(
    upstream: StreamUpstream,
    sidecar_before: Callable[..., Sidecar],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[dict[str, str]]:
    """A sidecar with an access document, whose one caller may make every call to Stream."""
    folder, root_port = tmp_path_factory.mktemp("guarded"), free_port()
    fields = {"providers": ["stream"], "calls": EVERY_CALL, "users": ["*"]}
    path = write(folder / "access.json", backend=caller(**fields))
    settings = {"ACCESS_CONFIG": path, "STREAM_ROOT_PORT": str(root_port)}

    with sidecar_before(upstream.url, **settings) as sidecar:
        yield bare_environ() | {
            "CHAT_BASE_URL": f"{sidecar.url}/proxy",
            "CHAT_ROOT_URL": f"http://127.0.0.1:{root_port}/",
            "SANDBOX_CONTROL_URL": upstream.url,
            "CHAT_FILE_DIR": str(folder),
        }


#: The synchronous Python client sends files past its own session, without the session's headers.
WITHOUT_HEADERS = {
    ("python_stream_chat.py", "CHAT_ACCESS_KEY"): {
        "channel.send_file",
        "channel.send_image, from a URL",
        "channel.delete_file",  # there is none
    }
}

#: In place of the SDK's API key the key works with each of them; a header can be set with most.
IN_PLACE, BY_HEADER = "CHAT_API_KEY", "CHAT_ACCESS_KEY"


@pytest.mark.parametrize(
    ("script", "way"),
    [
        pytest.param("python_stream_chat.py", IN_PLACE, marks=needs_python_sdks),
        pytest.param("python_stream_chat.py", BY_HEADER, marks=needs_python_sdks),
        pytest.param("python_stream_chat_async.py", IN_PLACE, marks=needs_python_sdks),
        pytest.param("python_stream_chat_async.py", BY_HEADER, marks=needs_python_sdks),
        pytest.param("python_getstream.py", IN_PLACE, marks=needs_python_sdks),
        pytest.param("python_getstream.py", BY_HEADER, marks=needs_python_sdks),
        pytest.param("node_stream_chat.mjs", IN_PLACE, marks=[needs_node_sdks, pytest.mark.node]),
        pytest.param("node_stream_chat.mjs", BY_HEADER, marks=[needs_node_sdks, pytest.mark.node]),
        pytest.param("node_node_sdk.mjs", IN_PLACE, marks=[needs_node_sdks, pytest.mark.node]),
    ],
)
def test_an_official_sdk_shows_the_key_of_its_caller(
    guarded_environ: dict[str, str], upstream: StreamUpstream, script: str, way: str
) -> None:
    report = run(script, guarded_environ | {way: BACKEND})
    failed = {one.partition(":")[0] for one in report["failures"]}
    assert failed == WITHOUT_HEADERS.get((script, way), set()), report["failures"]
    seen = [str(vars(one)) for one in upstream.journal if "/control/" not in one.target]

    assert len(set(report["calls"])) >= 10
    assert seen
    assert not any(BACKEND in one for one in seen)
    assert {token for one in upstream.journal for token in one.values("authorization")} == {
        SERVER_TOKEN
    }


@needs_python_sdks
def test_an_official_sdk_without_a_key_is_told_by_its_own_error(
    guarded_environ: dict[str, str],
) -> None:
    code = (
        "import os\n"
        "from stream_chat import StreamChat\n"
        "from stream_chat.base.exceptions import StreamAPIException\n"
        "client = StreamChat('any', 'any', base_url=os.environ['CHAT_BASE_URL'])\n"
        "try:\n    client.get_app_settings()\n"
        "except StreamAPIException as error:\n    print(error.status_code, error.error_code)\n"
    )
    done = finished([str(PYTHON), "-c", code], guarded_environ, within=120)

    assert done.stdout.split() == ["401", "2"], done.stderr


@pytest.mark.parametrize(
    ("script", "says"),
    [
        pytest.param(
            "python_ended_tokens.py", {"before": 1, "after": "code 40"}, marks=needs_python_sdks
        ),
        pytest.param(
            "node_ended_tokens.mjs",
            {"before": 1, "revoked": 200, "after": "code 40", "undone": 1, "theirs": "string"},
            marks=[needs_node_sdks, pytest.mark.node],
        ),
    ],
)
def test_an_official_sdk_notices_the_end_of_its_token(
    sidecar: Sidecar, upstream: StreamUpstream, script: str, says: dict[str, Any]
) -> None:
    """As a client of the provider, with the sidecar's token."""
    urls = {"SIDECAR_URL": sidecar.url, "STAND_IN_URL": upstream.url, "CHAT_API_KEY": API_KEY}
    found = run(script, bare_environ() | urls)

    assert found.pop("guest", "guest-tom").endswith("-tom")
    assert found == says


def _targets(upstream: StreamUpstream) -> list[str]:
    """The targets that came through the sidecar; the scripts also order faults directly."""
    return [one.target for one in upstream.journal if "/control/" not in one.target]


def test_ci_has_all_that_these_tests_need() -> None:
    """Elsewhere they say why they were skipped."""
    if os.environ.get("CHATPROXY_REQUIRE_ALL"):
        assert PYTHON.exists()
        assert NODE is not None
        assert Path(SDKS / "node_modules").exists()
