"""What the demo needs, and says where it is missing; what its backends may do."""

import socket
from pathlib import Path

import pytest

from chatproxy.access import document, keys
from chatproxy.access.patterns import segments_of
from examples import demo
from tests.examples.running import free_ports


@pytest.fixture
def ports(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Ports of our own, so that nothing is in the way but what a test puts there."""
    chosen = free_ports()

    for name, port in chosen.items():
        monkeypatch.setenv(name, port)

    return chosen


@pytest.mark.parametrize("name", list(demo.PORTS))
@pytest.mark.parametrize("text", ["0", "70000", "x", "1e3", "-1"])
def test_a_port_that_is_none_is_named(
    ports: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    name: str,
    text: str,
):
    monkeypatch.setenv(name, text)
    assert demo.main() == 3
    assert f"{name}: is not a port number" in capsys.readouterr().err


def test_one_port_is_not_for_two():
    with pytest.raises(demo.Missing, match="CLIENT_PORT: is also the port of HTTP_PORT"):
        demo.chosen_ports({"HTTP_PORT": "4000", "CLIENT_PORT": "4000"})


def test_without_a_wish_the_ports_are_the_documented_ones():
    assert demo.chosen_ports({"FLASK_PORT": " "}) == demo.PORTS


def test_a_port_that_somebody_else_has_is_named(
    ports: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(demo, "check_node", lambda: None)

    with socket.create_server(("127.0.0.1", int(ports["FASTAPI_PORT"]))):
        assert demo.main() == 3

    said = capsys.readouterr().err
    assert said.startswith("FASTAPI_PORT: another process listens on 127.0.0.1")
    assert said.endswith(" make demo\n")


@pytest.mark.parametrize(
    ("version", "said"),
    [
        (None, "node is not here. The backend in Express needs Node.js 18."),
        ("v16.20.2", "node is v16.20.2, and has to be 18 or newer."),
        ("", "node is broken, and has to be 18 or newer."),
        ("v20.20.2", "The packages for Node.js are not here. `make demo` installs them with npm."),
    ],
)
def test_a_machine_without_node_is_told(
    ports: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    version: str | None,
    said: str,
):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(demo, "HERE", tmp_path)

    if version is not None:
        node = tmp_path / "node"
        node.write_text(f"#!/bin/sh\necho {version}\n")
        node.chmod(0o755)

    assert demo.main() == 3
    assert capsys.readouterr().err == f"{said}\n"


NEEDED = {
    ("imkit", "POST", "/imkit/admin/clients"),
    ("imkit", "DELETE", "/imkit/admin/clients/<client_id>/token"),
    ("imbachat", "GET", "/imbachat/widget/<user_id>"),
}
NOT_NEEDED = [
    ("imkit", "GET", "/imkit/admin/clients"),
    ("imkit", "PUT", "/imkit/admin/clients/<client_id>/token"),
    ("imkit", "GET", "/imkit/badge"),
    ("imkit", "POST", "/imkit/badge"),
    ("imkit", "GET", "/imkit/me"),
    ("imbachat", "GET", "/imbachat/token/<user_id>"),
    ("stream", "GET", "/token/<userId>"),
]


@pytest.mark.parametrize("name", ["flask", "fastapi", "express"])
def test_a_backend_may_do_what_it_needs_and_no_more(name: str):
    made = {one: keys.new_key() for one in ("flask", "fastapi", "express")}
    text = demo.access_document(made).encode()
    assert list(document.problems(text)) == []

    caller = document.read(text).access.caller_of(made[name])
    assert caller is not None
    assert caller.name == name
    allowed = {
        call
        for call in [*NEEDED, *NOT_NEEDED]
        if caller.may_use(call[0], call[1], segments_of(call[2])).allowed
    }
    assert allowed == NEEDED
    assert caller.users.have("1")
    assert not caller.users.have("3")
    assert caller.rules == ()
