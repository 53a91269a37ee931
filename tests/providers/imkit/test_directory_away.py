"""Where the directory cannot be asked, nobody is let in; what needs nobody goes on."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from chatproxy.identity.key_format import KeyFormat
from tests.calls import Reply
from tests.canaries import IMKIT_CLIENT_KEY, IMKIT_KEY, KEY_SIGNING_SECRET
from tests.providers.imkit.conftest import Site, before_it
from tests.providers.imkit.refusals import refusal
from tests.sidecar import Sidecar, free_port
from tests.upstream import IMKitUpstream

AWAY = (503, 503, "SERVICE_UNAVAILABLE")


@pytest.fixture(scope="module")
def away(output_folder: Path) -> Iterator[Site]:
    """A sidecar whose PostgreSQL is not there, with an IMKit server that is."""
    signer = KeyFormat([KEY_SIGNING_SECRET])

    with IMKitUpstream(IMKIT_KEY, IMKIT_CLIENT_KEY) as server:
        environ = before_it(server.url) | {
            "PROVIDERS": "imkit",
            "KEY_SIGNING_SECRET": KEY_SIGNING_SECRET,
            "DATABASE_URL": f"postgresql://user@127.0.0.1:{free_port()}/nowhere",
        }

        with Sidecar(output_folder / "imkit-away.log", environ) as sidecar:
            yield Site(sidecar, signer.make("platform")[1], "none", signer.make("client")[1])


CALLS: dict[str, Callable[[Site], Reply]] = {
    "put": lambda site: site.ask("POST", "/admin/clients", body={"_id": "a"}),
    "list": lambda site: site.ask("GET", "/admin/clients"),
    "bind": lambda site: site.bind("a", "token"),
    "unbind": lambda site: site.unbind("a"),
    "me": lambda site: site.acting("token", "GET", "/me"),
    "a client's call": lambda site: site.acting("token", "GET", "/rooms"),
    "a platform's call": lambda site: site.ask("GET", "/rooms"),
    "verify": lambda site: site.verify("token"),
    "badge": lambda site: site.bare("GET", "/badge/a"),
}


@pytest.mark.parametrize("made", CALLS.values(), ids=CALLS)
def test_what_needs_the_directory_is_503(away: Site, made: Callable[[Site], Reply]) -> None:
    reply = made(away)

    assert refusal(reply) == AWAY
    assert reply.header("Retry-After") == "1"


def test_the_proxy_needs_it_not(away: Site) -> None:
    assert away.bare("GET", "/proxy/admin/connection-count").status == 200
