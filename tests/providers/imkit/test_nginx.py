"""The sample configuration of nginx, before a sidecar with IMKit on."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.calls import Reply, call
from tests.providers.imkit.conftest import Site
from tests.providers.imkit.rawsocket import entered
from tests.providers.imkit.refusals import refusal
from tests.sidecar import ROOT, free_port
from tests.wire import ask, get

SAMPLE = ROOT / "docs" / "samples" / "nginx-imkit.conf"
NGINX = shutil.which("nginx", path=os.pathsep.join([os.environ["PATH"], "/usr/sbin"]))
LINE = "underscores_in_headers on;"
START_WITHIN = 10

# What Debian's own nginx.conf would say, with nothing outside of one folder.
AROUND = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
events {{}}
http {{
    access_log {folder}/access.log;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/sample.conf;
}}
"""

pytestmark = pytest.mark.skipif(NGINX is None, reason="nginx is not installed: .ci/packages")


def sample(changes: dict[str, str]) -> str:
    """The sample with some of its words changed, which it has once."""
    text = SAMPLE.read_text()

    for words, new in changes.items():
        assert text.count(words) == 1, words
        text = text.replace(words, new)

    return text


@contextmanager
def nginx(folder: Path, port: int, *left_out: str) -> Iterator[int]:
    """Run nginx with the sample before the sidecar at a port; yield its own."""
    own = free_port()
    ports = {"listen 80;": f"listen 127.0.0.1:{own};", ":3003;": f":{port};"}
    (folder / "sample.conf").write_text(sample(ports | dict.fromkeys(left_out, "")))
    (folder / "nginx.conf").write_text(AROUND.format(folder=folder))
    command = [str(NGINX), "-p", str(folder), "-c", "nginx.conf", "-e", f"{folder}/error.log"]

    with subprocess.Popen(command, stdin=subprocess.DEVNULL) as process:
        try:
            wait_until_it_listens(own, process, folder / "error.log")
            yield own
        finally:
            process.terminate()


def wait_until_it_listens(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + START_WITHIN

    while time.monotonic() < until:
        assert process.poll() is None, log.read_text()

        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return

    raise AssertionError(f"nginx does not listen: {log.read_text()}")


@pytest.fixture(scope="session")
def behind(imkit_before: Callable[..., Any]) -> Iterator[Site]:
    with imkit_before(CLIENT_PORT=str(free_port()), ALLOWED_HOSTS="chat.example") as site:
        yield site


def door(site: Site) -> int:
    """The port of the client door."""
    return int(site.sidecar.environ["CLIENT_PORT"])


@pytest.fixture(scope="session")
def token(behind: Site) -> str:
    return behind.token("behind")


@pytest.fixture(scope="session")
def front(behind: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The sample as it is."""
    with nginx(tmp_path_factory.mktemp("nginx"), door(behind)) as port:
        yield port


@pytest.fixture(scope="session")
def front_without(behind: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The sample without its line for legacy callers."""
    with nginx(tmp_path_factory.mktemp("nginx"), door(behind), LINE) as port:
        yield port


def as_client(port: int, *fields: str) -> Reply:
    return call(port, "GET", "/imkit/me", *fields)


def test_with_the_line_a_legacy_client_is_let_in(behind: Site, token: str, front: int) -> None:
    client = (f"CLIENT_KEY: {behind.client_key}", f"Authorization: {token}")

    assert as_client(front, *client).json["result"]["_id"] == "behind"


def test_without_the_line_a_legacy_client_is_not(
    behind: Site, token: str, front_without: int
) -> None:
    client = (f"CLIENT_KEY: {behind.client_key}", f"Authorization: {token}")

    assert refusal(as_client(front_without, *client)) == (401, 401, "MISSING_CLIENT_KEY")


@pytest.mark.parametrize("nginx_as", ["front", "front_without"])
def test_the_new_names_pass_either_way(
    behind: Site, token: str, request: pytest.FixtureRequest, nginx_as: str
) -> None:
    port = request.getfixturevalue(nginx_as)
    client = (f"IM-Client-Key: {behind.client_key}", f"IM-Authorization: {token}")

    assert as_client(port, *client).json["result"]["_id"] == "behind"


@pytest.mark.parametrize(
    "fields",
    [
        ("SCRIPT_NAME: /imkit",),
        ("SCRIPT_NAME: /elsewhere",),
        ("PATH_INFO: /imkit/admin/clients",),
        ("X-Forwarded-Proto: https", "X-Forwarded-Ssl: off"),
        ("X_Forwarded_For: 10.0.0.1",),
        ("IM_CLIENT_KEY: junk",),
    ],
    ids=" + ".join,
)
def test_the_line_gives_effect_to_no_other_field(
    behind: Site, token: str, front: int, fields: tuple[str, ...]
) -> None:
    client = (f"CLIENT_KEY: {behind.client_key}", f"Authorization: {token}")

    assert as_client(front, *client, *fields).status == 200
    assert refusal(as_client(front, *fields))[2] == "MISSING_CLIENT_KEY"


@pytest.mark.parametrize("name", ["IM-API-KEY", "API_KEY"])
def test_a_platform_does_not_come_this_way(behind: Site, front: int, name: str) -> None:
    key = f"{name}: {behind.api_key}"

    assert as_client(front, key, "IM-CLIENT-ID: behind").status == 401
    assert call(front, "GET", "/imkit/admin/clients", key).status == 404
    assert call(behind.sidecar.port, "GET", "/imkit/admin/clients", key).status == 200


@pytest.mark.parametrize(("host", "status"), [("chat.example", 401), ("evil.example", 421)])
def test_the_name_that_is_passed_on_has_to_be_allowed(front: int, host: str, status: int) -> None:
    request = get("/imkit/me").replace(b"localhost", host.encode())

    assert ask(front, request).status == status


def test_the_socket_is_upgraded(token: str, front: int) -> None:
    with entered(front) as made:
        assert made.ask("auth", token)["RC"] == 0


@pytest.mark.parametrize(
    "path",
    [
        "/imkit/badge",
        "/imkit/badge/imkit",
        "/imkit//badge",
        "/imkit/%62adge",
        "/imkit/Badge",
        "/imkit/badge%2fimkit",
    ],
)
def test_badges_are_not_for_the_world(behind: Site, front: int, path: str) -> None:
    assert call(front, "GET", path).status == 404
    assert call(behind.sidecar.port, "GET", "/imkit/badge").status == 200


@pytest.mark.parametrize("path", ["/", "/-/ready", "/imkit/../-/ready", "/x/imkit/me"])
def test_nothing_else_is_in_front(front: int, path: str) -> None:
    assert call(front, "GET", path).status == 404


@pytest.mark.parametrize(
    "path",
    [
        "/imkit/proxy/admin/clients",
        "/imkit//proxy/x",
        "/imkit/%70roxy/x",
        "/imkit/admin/clients",
        "/imkit/Admin/x",
        "/imkit/admin%2fclients",
    ],
)
def test_what_services_call_is_not_for_the_world(front: int, path: str) -> None:
    assert call(front, "GET", path).status == 404


@pytest.mark.parametrize(
    "path",
    [
        "/imkit/badge/x%2f..%2f..%2fme",
        "/imkit/x%2f..%2fbadge",
        "/imkit/a/../badge",
        "/imkit/a/../proxy/x",
    ],
)
def test_what_nginx_reads_as_another_path_leads_nowhere(
    behind: Site, token: str, front: int, path: str
) -> None:
    """nginx takes the first for `/imkit/me` and sends it on as it came."""
    client = (f"IM-Client-Key: {behind.client_key}", f"IM-Authorization: {token}")

    assert call(front, "GET", path, *client).status == 400
