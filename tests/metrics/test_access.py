"""What is counted by the name of a caller of the access document."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from chatproxy import errors
from chatproxy.metrics import requests
from chatproxy.metrics.segments import Segment
from tests.access.samples import BACKEND, EVERY_CALL, NOBODY, OTHER, caller, write
from tests.mounted import wait_for
from tests.scraping import counted_in, scrape
from tests.sidecar import Sidecar, free_port
from tests.upstream import StreamUpstream
from tests.wire import ask, get

REFUSALS = "chatproxy_access_refusals_total"


@pytest.fixture
def guarded(
    upstream: StreamUpstream, sidecar_before: Callable[..., Sidecar], tmp_path: Path
) -> Iterator[Sidecar]:
    whole = caller(providers=["stream"], calls=EVERY_CALL, users=["*"], limit="3 per hour")
    narrow = caller(OTHER, providers=["stream"], calls=[{"methods": ["GET"], "paths": ["/app"]}])
    document = write(tmp_path / "access.json", backend=whole, narrow=narrow)

    # At the services' port a scrape would need a key.
    doors = {"STATUS_PORT": str(free_port())}

    with sidecar_before(upstream.url, ACCESS_CONFIG=document, **doors) as running:
        yield running


def test_calls_and_refusals_have_the_callers_name(guarded: Sidecar) -> None:
    status_port = int(guarded.environ["STATUS_PORT"])
    calls = [
        ("/proxy/app", BACKEND, 200),
        ("/proxy/app", BACKEND, 200),
        ("/proxy/app", BACKEND, 200),
        ("/proxy/app", BACKEND, 429),
        ("/proxy/app", OTHER, 200),
        ("/proxy/users", OTHER, 403),
        ("/proxy/app", NOBODY, 401),
        ("/proxy/app", "", 401),
    ]

    for path, key, status in calls:
        assert (
            ask(guarded.port, get(path, *[f"X-Chatproxy-Key: {key}"] * bool(key))).status == status
        )

    route = {"route": "/proxy/<path>"}
    wait_for(lambda: scrape(status_port).value("chatproxy_requests_total", **route) == len(calls))
    found = scrape(status_port)

    for name, status_class, count in (
        ("backend", "2xx", 3),
        ("backend", "4xx", 1),
        ("narrow", "2xx", 1),
        ("narrow", "4xx", 1),
        ("", "4xx", 2),
    ):
        labels = route | {"caller": name, "status_class": status_class}
        assert found.value("chatproxy_requests_total", **labels) == count, labels

    assert found.value(REFUSALS, caller="backend", reason="limited") == 1
    assert found.value(REFUSALS, caller="narrow", reason="not_allowed") == 1
    assert found.value(REFUSALS, caller="", reason="unknown") == 2
    assert found.value(REFUSALS) == 4
    assert found.value("chatproxy_limit_hits_total", limit="caller") == 1
    assert found.value("chatproxy_limit_hits_total") == 1
    assert found.values_of("caller") == {"", "backend", "narrow"}


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (errors.CallerUnknown("x"), "unknown"),
        (errors.CallerAmbiguous("x"), "ambiguous"),
        (errors.CallerNotAllowed("x"), "not_allowed"),
        (errors.CallerLimited("x", retry_after=1, headers={}), "limited"),
    ],
)
def test_a_refusal_has_its_reason(
    segment: Segment, error: errors.ChatproxyError, reason: str
) -> None:
    requests.count_refusal("stream", error, "backend")

    found = counted_in(segment)
    assert found.value(REFUSALS, caller="backend", reason=reason) == 1
    assert found.value(REFUSALS) == 1
