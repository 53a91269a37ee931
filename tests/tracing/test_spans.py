"""Spans, from a real sidecar to a real receiver."""

import itertools
import re
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from tests.access.samples import BACKEND, EVERY_CALL, caller, write
from tests.canaries import CANARIES, SERVER_TOKEN, forms
from tests.mounted import wait_for
from tests.sidecar import Sidecar, free_port
from tests.test_secrets import REQUESTS, _all_of
from tests.tracing.collector import Collector, attributes
from tests.upstream import StreamUpstream
from tests.wire import ask, connected, get, post

SPAN = "00f067aa0ba902b7"
COLLECTORS_KEY = "canary-of-the-collector-6e1f"
TRACES = (f"{number:032x}" for number in itertools.count(0x4BF92F3577B34DA6A3CE929D0E0E0000))
OTEL = {
    "OTEL_BSP_SCHEDULE_DELAY": "200",
    "OTEL_EXPORTER_OTLP_HEADERS": f"authorization=Bearer%20{COLLECTORS_KEY}",
    "OTEL_EXPORTER_OTLP_TIMEOUT": "3",
    "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=test",
}
SLACK = {"UPSTREAM_READ_TIMEOUT": "3", "BODY_IDLE_TIMEOUT": "3"}


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    with Collector() as running:
        yield running


@pytest.fixture(scope="module")
def traced(
    collector: Collector, upstream: StreamUpstream, sidecar_before: Callable[..., Sidecar]
) -> Iterator[Sidecar]:
    to = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url}

    with sidecar_before(upstream.url, **to, **OTEL, **SLACK) as running:
        yield running


def traceparent(trace: str, flags: str = "01") -> str:
    return f"traceparent: 00-{trace}-{SPAN}-{flags}"


def sent_on(upstream: StreamUpstream) -> str:
    (field,) = upstream.journal[-1].values("traceparent")
    return field


def is_sampled(field: str) -> bool:
    """The second flag says that the id is random (Trace Context level 2)."""
    return bool(int(field[-2:], 16) & 1)


def test_a_forwarded_call_has_a_span_and_so_has_its_request(
    traced: Sidecar, collector: Collector, upstream: StreamUpstream
) -> None:
    trace = next(TRACES)
    ask(traced.port, get("/proxy/_sandbox/echo?secret=1", traceparent(trace), "tracestate: a=b"))
    server, client = collector.wait_for(trace, 2)

    assert (server.kind, client.kind) == (Span.SPAN_KIND_SERVER, Span.SPAN_KIND_CLIENT)
    assert (server.name, client.name) == ("GET /proxy/<path>", "GET")
    assert server.parent_span_id.hex() == SPAN
    assert client.parent_span_id == server.span_id
    assert server.start_time_unix_nano <= client.start_time_unix_nano
    assert client.end_time_unix_nano <= server.end_time_unix_nano
    assert attributes(server) == {
        "http.request.method": "GET",
        "url.scheme": "http",
        "http.response.status_code": 200,
        "http.route": "/proxy/<path>",
        "chatproxy.provider": "stream",
    }
    assert attributes(client) == {
        "http.request.method": "GET",
        "http.response.status_code": 200,
        "server.address": "127.0.0.1",
        "server.port": int(upstream.url.rpartition(":")[2]),
        "chatproxy.provider": "stream",
    }
    assert sent_on(upstream) == f"00-{trace}-{client.span_id.hex()}-01"
    assert upstream.journal[-1].values("tracestate") == ["a=b"]


def test_the_log_leads_to_the_span(traced: Sidecar, collector: Collector) -> None:
    trace = next(TRACES)
    ask(traced.port, get("/token/alice", traceparent(trace), "X-Request-Id: to-the-span"))
    (server,) = collector.wait_for(trace, 1)
    line = traced.wait_for_line(req_id="to-the-span")

    assert (line["traceId"], line["spanId"]) == (trace, server.span_id.hex())
    assert server.name == "GET /token/<userId>"


def test_without_a_caller_that_traces_a_trace_begins_here(
    traced: Sidecar, collector: Collector, upstream: StreamUpstream
) -> None:
    ask(traced.port, get("/proxy/_sandbox/echo", "traceparent: junk", "X-Request-Id: root"))
    trace = traced.wait_for_line(req_id="root")["traceId"]
    server, client = collector.wait_for(trace, 2)

    assert server.parent_span_id == b""
    assert sent_on(upstream).startswith(f"00-{trace}-{client.span_id.hex()}-")
    assert is_sampled(sent_on(upstream))


def test_a_trace_that_is_not_sampled_goes_on_and_is_not_sent(
    traced: Sidecar, collector: Collector, upstream: StreamUpstream
) -> None:
    trace, later = next(TRACES), next(TRACES)
    asked = get("/proxy/_sandbox/echo", traceparent(trace, "00"), "X-Request-Id: unsampled")
    ask(traced.port, asked)
    field = sent_on(upstream)
    ask(traced.port, get("/token/a", traceparent(later)))
    collector.wait_for(later, 1)

    assert re.fullmatch(rf"00-{trace}-[0-9a-f]{{16}}-00", field)
    assert SPAN not in field
    assert traced.wait_for_line(req_id="unsampled")["traceId"] == trace
    assert not [span for span in collector.spans() if span.trace_id.hex() == trace]


@pytest.mark.parametrize(
    ("request_bytes", "status", "kinds", "error"),
    [
        (("/proxy/x", "X-Sandbox-Fault: reset"), 502, "SC", "UpstreamBroken"),
        (("/proxy/x", "X-Sandbox-Fault: never"), 504, "SC", "UpstreamTimeout"),
        (
            ("/proxy/_sandbox/bytes?size=50000", "X-Sandbox-Fault: cut=sized"),
            200,
            "SC",
            "AnswerBroken",
        ),
        (("/proxy/_sandbox/echo", "X-Sandbox-Fault: status=503"), 503, "SC", "503"),
        (("/proxy/_sandbox/echo", "X-Sandbox-Fault: status=404"), 404, "C", "404"),
        (("/nowhere",), 404, "", ""),
        (("/proxy/../x",), 400, "", ""),
    ],
    ids=["reset", "silence", "broken answer", "their 503", "their 404", "our 404", "our 400"],
)
def test_a_failure_is_one_on_the_side_that_failed(
    traced: Sidecar,
    collector: Collector,
    request_bytes: tuple[str, ...],
    status: int,
    kinds: str,
    error: str,
) -> None:
    trace = next(TRACES)

    with connected(traced.port) as sock:
        sock.sendall(get(*request_bytes, traceparent(trace), "Connection: close"))
        _all_of(sock)

    forwarded = request_bytes[0].startswith("/proxy/_") or error.startswith("Upstream")
    server, *clients = collector.wait_for(trace, 2 if forwarded else 1)
    failed = {"S": server, "C": clients[0] if clients else server}

    assert attributes(server)["http.response.status_code"] == status
    assert {kind for kind, span in failed.items() if _failed(span)} == set(kinds)
    assert {attributes(failed[kind]).get("error.type") for kind in kinds} <= {error}
    assert not any(span.status.message for span in failed.values())


def _failed(span: Span) -> bool:
    return span.status.code == Status.STATUS_CODE_ERROR


def test_a_caller_who_leaves_is_nobodys_failure(traced: Sidecar, collector: Collector) -> None:
    trace = next(TRACES)

    with connected(traced.port) as sock:
        sock.sendall(get("/proxy/_sandbox/echo", "X-Sandbox-Fault: slow=2", traceparent(trace)))
        time.sleep(0.3)

    server, client = collector.wait_for(trace, 2)
    assert attributes(server)["chatproxy.broken_by"] == "caller"
    assert not _failed(server)
    assert not _failed(client)


def test_probes_have_no_spans(traced: Sidecar, collector: Collector) -> None:
    trace, later = next(TRACES), next(TRACES)
    ask(traced.port, get("/-/healthz", traceparent(trace)))
    ask(traced.port, get("/token/a", traceparent(later)))
    collector.wait_for(later, 1)

    assert not [span for span in collector.spans() if span.trace_id.hex() == trace]


def test_an_unknown_method_is_no_name(traced: Sidecar, collector: Collector) -> None:
    trace = next(TRACES)
    ask(traced.port, get("/token/a", traceparent(trace), method="BREW"))
    (server,) = collector.wait_for(trace, 1)

    assert attributes(server)["http.request.method"] == "_OTHER"
    assert "BREW" not in server.name


def test_who_sends_is_named(traced: Sidecar, collector: Collector) -> None:
    trace = next(TRACES)
    ask(traced.port, get("/token/a", traceparent(trace)))
    collector.wait_for(trace, 1)
    resource = collector.resource()

    assert resource["service.name"] == "chatproxy"
    assert resource["deployment.environment.name"] == "test"
    assert resource["telemetry.sdk.language"] == "python"
    assert collector.fields[0]["path"] == "/v1/traces"
    assert collector.fields[0]["authorization"] == f"Bearer {COLLECTORS_KEY}"


def test_no_secret_no_query_and_no_user_is_in_what_is_sent(
    traced: Sidecar, collector: Collector
) -> None:
    for request_bytes in REQUESTS.values():
        with connected(traced.port) as sock:
            sock.sendall(request_bytes)
            sock.settimeout(2)
            _all_of(sock)

    user = "a-user-who-is-nobodys-business"
    ask(traced.port, get(f"/token/{user}"))
    ask(traced.port, get("/config", f"userid: {user}", f"User-Agent: {user}"))
    ask(traced.port, get(f"/proxy/users/{user}?id={user}", f"X-Stream-Client: {SERVER_TOKEN}"))
    trace = next(TRACES)
    ask(traced.port, get("/token/a", traceparent(trace), f"baggage: user={user}"))
    collector.wait_for(trace, 1)
    sent = b"".join(collector.bodies)

    assert len(collector.spans()) > len(REQUESTS)
    assert user.encode() not in sent
    assert [
        name
        for name, secret in CANARIES.items()
        if any(form.encode() in sent for form in forms(secret))
    ] == []


def test_a_caller_that_is_known_is_named(
    collector: Collector,
    upstream: StreamUpstream,
    sidecar_before: Callable[..., Sidecar],
    tmp_path: Path,
) -> None:
    """By its name in the access document; its key is in no span."""
    rules = caller(providers=["stream"], calls=EVERY_CALL, endpoints=["/"], users=["*"])
    path = write(tmp_path / "access.json", billing=rules)
    to = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "ACCESS_CONFIG": str(path)}
    known, unknown = next(TRACES), next(TRACES)
    key = f"X-Chatproxy-Key: {BACKEND}"

    with sidecar_before(upstream.url, **OTEL, **to) as sidecar:
        asked = get("/proxy/_sandbox/echo", traceparent(known), key, "X-Request-Id: billed")
        ask(sidecar.port, asked)
        refused = ask(sidecar.port, get("/token/a", traceparent(unknown)))
        server, client = collector.wait_for(known, 2)
        (stranger,) = collector.wait_for(unknown, 1)
        line = sidecar.wait_for_line(req_id="billed")

    assert attributes(server)["chatproxy.caller"] == line["caller"] == "billing"
    assert "chatproxy.caller" not in attributes(client)
    assert refused.status == attributes(stranger)["http.response.status_code"] == 401
    assert "chatproxy.caller" not in attributes(stranger)
    assert BACKEND.encode() not in b"".join(collector.bodies)


def test_a_collector_that_is_away_stops_no_request_and_fills_no_log(
    upstream: StreamUpstream, sidecar_before: Callable[..., Sidecar]
) -> None:
    port = free_port()
    to = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{port}",
        "OTEL_EXPORTER_OTLP_TIMEOUT": "1",
    }

    with sidecar_before(upstream.url, **OTEL | to) as sidecar:
        until = time.monotonic() + 5
        statuses, slowest = set(), 0.0

        while time.monotonic() < until:
            began = time.monotonic()
            statuses.add(ask(sidecar.port, get("/token/a")).status)
            slowest = max(slowest, time.monotonic() - began)

        wait_for(lambda: bool(said(sidecar, "spans do not reach")), within=20)

        with Collector(port) as collector:
            trace = next(TRACES)
            ask(sidecar.port, get("/token/a", traceparent(trace)))
            collector.wait_for(trace, 1)
            wait_for(lambda: bool(said(sidecar, "spans reach the collector again")), within=20)

    (line,) = said(sidecar, "spans do not reach")
    assert statuses == {201}
    assert slowest < 3
    assert (line["level"], line["reason"]) == (40, "ConnectionError")
    assert line["lostSpans"] > 0
    assert not [one for one in sidecar.lines() if "otlp" in str(one).lower()]


def said(sidecar: Sidecar, text: str) -> list[dict[str, Any]]:
    return [line for line in sidecar.lines() if text in line["msg"]]


def test_a_worker_that_ends_sends_what_is_left(
    collector: Collector, upstream: StreamUpstream, sidecar_before: Callable[..., Sidecar]
) -> None:
    to = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_BSP_SCHEDULE_DELAY": "600000"}
    trace = next(TRACES)

    with sidecar_before(upstream.url, **OTEL | to) as sidecar:
        ask(sidecar.port, get("/token/a", traceparent(trace), "Connection: close"))

    collector.wait_for(trace, 1, within=1)


def test_a_collector_that_says_nothing_does_not_hold_up_the_end(
    upstream: StreamUpstream, sidecar_before: Callable[..., Sidecar]
) -> None:
    with Collector() as deaf:
        deaf.status = None
        to = {"OTEL_EXPORTER_OTLP_ENDPOINT": deaf.url, "OTEL_EXPORTER_OTLP_TIMEOUT": "600"}

        with sidecar_before(upstream.url, **OTEL | to) as sidecar:
            ask(sidecar.port, get("/token/a", "Connection: close"))
            time.sleep(1)
            began = time.monotonic()
            sidecar.process.send_signal(signal.SIGTERM)
            assert sidecar.process.wait(30) == 0
            took = time.monotonic() - began

        deaf.status = 200

    assert took < 10
    assert said(sidecar, "the last spans did not reach the collector in time")


def test_every_worker_sends_its_own(
    upstream: StreamUpstream, sidecar_before: Callable[..., Sidecar]
) -> None:
    with Collector() as collector:
        to = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "WORKERS": "2"}
        traces = [next(TRACES) for _ in range(30)]

        with sidecar_before(upstream.url, **OTEL | to) as sidecar:
            for trace in traces:
                ask(sidecar.port, get("/token/a", traceparent(trace)))

            for trace in traces:
                collector.wait_for(trace, 1)

            sidecar.process.send_signal(signal.SIGHUP)
            again = next(TRACES)
            wait_for(lambda: len(said(sidecar, "Booting worker")) == 4, within=30)
            ask(sidecar.port, get("/token/a", traceparent(again)))
            collector.wait_for(again, 1)


@pytest.mark.parametrize(
    ("variables", "sampled"),
    [
        ({"OTEL_TRACES_SAMPLER": "always_off"}, False),
        ({"OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0"}, False),
        ({"OTEL_TRACES_SAMPLER": "always_on"}, True),
    ],
    ids=["off", "none of a ratio", "on"],
)
def test_the_sdks_own_variables_count(
    collector: Collector,
    upstream: StreamUpstream,
    sidecar_before: Callable[..., Sidecar],
    variables: dict[str, str],
    sampled: bool,
) -> None:
    to = {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": f"{collector.url}/v1/traces"}

    with sidecar_before(upstream.url, **OTEL, **to, **variables) as sidecar:
        ask(sidecar.port, get("/proxy/_sandbox/echo"))

    assert is_sampled(sent_on(upstream)) is sampled


def test_other_propagators_are_used(
    collector: Collector, upstream: StreamUpstream, sidecar_before: Callable[..., Sidecar]
) -> None:
    """With none of them the caller's field goes on as it came."""
    to = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_PROPAGATORS": "none"}
    trace = next(TRACES)

    with sidecar_before(upstream.url, **OTEL, **to) as sidecar:
        ask(sidecar.port, get("/proxy/_sandbox/echo", traceparent(trace)))

    assert sent_on(upstream) == traceparent(trace).partition(" ")[2]


def test_variables_that_the_sdk_refuses_leave_the_service_alone(
    collector: Collector, upstream: StreamUpstream, sidecar_before: Callable[..., Sidecar]
) -> None:
    to = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_PROPAGATORS": "carrier-pigeon"}

    with sidecar_before(upstream.url, **OTEL, **to) as sidecar:
        assert ask(sidecar.port, get("/proxy/_sandbox/echo")).status == 200

    (line,) = said(sidecar, "spans are not sent")
    assert line["level"] == 50
    assert "carrier-pigeon" in line["error"]["message"]


def test_a_body_goes_on_beside_a_trace(traced: Sidecar, collector: Collector) -> None:
    trace = next(TRACES)
    answer = ask(traced.port, post("/proxy/_sandbox/echo", b"12345", traceparent(trace)))
    server, client = collector.wait_for(trace, 2)

    assert answer.status == 200
    assert (server.name, client.name) == ("POST /proxy/<path>", "POST")
