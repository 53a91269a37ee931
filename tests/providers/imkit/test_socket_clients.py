"""Socket.IO's own clients, unmodified, with the server in front as it is shipped."""

import base64
import json
import queue
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import socketio

from tests.providers.imkit.conftest import Site
from tests.sidecar import bare_environ
from tests.test_sdks import needs_node_sdks, run


@pytest.fixture(scope="module")
def served(imkit_before: Callable[..., Any]) -> Iterator[Site]:
    """A site with few connections."""
    with imkit_before(WORKER_CONNECTIONS="60") as made:
        yield made


@contextmanager
def client(site: Site) -> Iterator[socketio.Client]:
    """Python's client, connected. Why it is cut off is put into `reasons`."""
    made = socketio.Client(reconnection=False)
    made.reasons = queue.Queue()
    made.on("disconnect", made.reasons.put)
    made.connect(site.sidecar.url, socketio_path="/imkit/socket.io", transports=["websocket"])

    try:
        yield made
    finally:
        made.disconnect()


def test_the_python_client_authenticates(served: Site) -> None:
    token = served.token("python", nickname="Zoë 🙂")

    with client(served) as socket:
        answer = socket.call("auth", token)

    shown = served.acting(token, "GET", "/me").json["result"]
    assert (answer["RC"], answer["RM"]) == (0, "OK")
    assert answer["result"]["client"] == shown


def test_the_python_client_is_answered_in_base64_where_it_asks_for_that(served: Site) -> None:
    token = served.token("encoded", nickname="Zoë 🙂")

    with client(served) as socket:
        configured = socket.call("conf", {"encoding": "base64"})
        answer = json.loads(base64.b64decode(socket.call("auth", token), validate=True))

    assert configured == {"RC": 0, "RM": "OK", "result": {"encoding": "base64"}}
    assert answer["result"]["client"]["nickname"] == "Zoë 🙂"


def test_the_python_client_is_cut_off_when_its_token_ends(served: Site) -> None:
    token = served.token("cut")

    with client(served) as socket:
        assert socket.call("auth", token)["RC"] == 0
        served.unbind("cut")

        assert socket.reasons.get(timeout=2) == "server disconnect"


@needs_node_sdks
@pytest.mark.node
def test_the_javascript_client_works(served: Site) -> None:
    token = served.token("node", nickname="Zoë 🙂")
    served.bind("node", "other-of-node")
    report = run(
        "imkit_socket.mjs",
        bare_environ()
        | {"IMKIT_URL": f"{served.sidecar.url}/imkit", "IMKIT_API_KEY": served.api_key}
        | {"TOKEN": token, "OTHER_TOKEN": "other-of-node"},
    )

    assert len(report["calls"]) == 10
