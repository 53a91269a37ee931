"""A sidecar with every provider on, before stand-ins that misbehave on demand."""

import contextlib
import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chatproxy.providers import SETTINGS
from sandbox import SERVED
from sandbox.centrifugo import API_KEY as CENTRIFUGO_KEY
from sandbox.centrifugo import TOKEN_SECRET
from sandbox.imkit import API_KEY as IMKIT_KEY
from sandbox.imkit import CLIENT_KEY as IMKIT_CLIENT_KEY
from sandbox.stream import API_KEY, API_SECRET
from tests.calls import Reply, call, segment
from tests.databases import new_directory
from tests.openapi.house import House, environ_of, furnished
from tests.sidecar import Sidecar
from tests.upstream import CentrifugoUpstream, IMKitUpstream, StreamUpstream


@dataclasses.dataclass
class Everybody:
    """The house, and the servers behind it that are looked into."""

    house: House
    stream: StreamUpstream
    imkit: IMKitUpstream
    centrifugo: CentrifugoUpstream

    @property
    def port(self) -> int:
        return self.house.sidecar.port

    def give(self, user_id: Any, **fields: Any) -> Reply:
        return call(self.port, "POST", "/v1/tokens", body={"userId": user_id, **fields})

    def end(self, user_id: str) -> Reply:
        return call(self.port, "DELETE", f"/v1/users/{segment(user_id)}/tokens")

    def show(self, user_id: str) -> Reply:
        return call(self.port, "GET", f"/v1/users/{segment(user_id)}")

    def with_key(self, method: str, path: str, body: Any = None) -> Reply:
        return call(self.port, method, path, f"X-API-Key: {self.house.key['apiKey']}", body=body)


@pytest.fixture(scope="package")
def everybody(output_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Everybody]:
    with contextlib.ExitStack() as stack:
        enter = stack.enter_context
        stream = enter(StreamUpstream(API_KEY, [API_SECRET]))
        imkit = enter(IMKitUpstream(IMKIT_KEY, IMKIT_CLIENT_KEY))
        centrifugo = enter(CentrifugoUpstream(CENTRIFUGO_KEY, [TOKEN_SECRET]))
        urls = {"stream": stream.url, "imkit": imkit.url}
        urls |= {name: enter(SERVED[name]()).url for name in SETTINGS if name not in urls}
        directory = enter(new_directory("sqlite", tmp_path_factory.mktemp("directory")))
        environ = environ_of(urls, centrifugo.url) | {"DATABASE_URL": directory}
        environ |= {"CHATSDK_WS_URL": "wss://ws.example/connection", "UPSTREAM_READ_TIMEOUT": "2"}
        sidecar = enter(Sidecar(output_folder / "everybody.log", environ))
        yield Everybody(furnished(sidecar), stream, imkit, centrifugo)


@pytest.fixture(autouse=True)
def _forget_faults(request: pytest.FixtureRequest) -> None:
    if "everybody" in request.fixturenames:
        found = request.getfixturevalue("everybody")

        for one in (found.stream, found.imkit, found.centrifugo):
            one.faults.clear()
            one.journal.clear()

        found.centrifugo.disconnected.clear()
