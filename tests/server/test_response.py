"""What the server in front does with an answer, over real sockets."""

from tests.sidecar import Sidecar
from tests.wire import connected, get


def test_a_caller_who_reads_nothing_is_let_go_at_the_limit(sidecar: Sidecar) -> None:
    """Else it would hold its worker's memory, and the provider's connection, for ever."""
    path = "/proxy/_sandbox/bytes"

    with connected(sidecar.port) as deaf:
        deaf.sendall(get(f"{path}?size=200000000", "X-Request-Id: deaf"))
        line = sidecar.wait_for_line(within=20, req_id="deaf")

    assert line["brokenBy"] == "caller"
    assert line["http"]["response"]["body"]["bytes"] < 200_000_000
    assert line["responseTime"] >= 3000
