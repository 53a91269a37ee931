"""What a request and an error are counted by."""

import pytest

from chatproxy import errors
from chatproxy.metrics import requests, series
from chatproxy.metrics.segments import Segment
from chatproxy.metrics.upstreams import UpstreamCounts
from chatproxy.providers.base import CredentialWatch
from chatproxy.web.spelling import template
from tests.scraping import counted_in


@pytest.mark.parametrize(
    ("rule", "spelt"),
    [
        ("/proxy/<anything:path>", "/proxy/<path>"),
        ("/token/<anything:user_id>", "/token/<userId>"),
        ("/a/<x>/b/<int(max=3):y>/", "/a/<x>/b/<y>"),
        ("/-/healthz/", "/-/healthz"),
        ("/", "/"),
    ],
)
def test_a_route_is_spelt_as_in_the_documents(rule: str, spelt: str) -> None:
    assert template(rule) == spelt


@pytest.mark.parametrize("method", ["PROPFIND", "get", 'X"Y', "M" * 100])
def test_unknown_methods_are_one(segment: Segment, method: str) -> None:
    """And take no memory each: callers make them up."""
    ended = requests.Ended("/x", "stream", method, 2, "")
    requests.count(ended, first=0.1, last=0.2, received=3, sent=4)

    assert counted_in(segment).value("chatproxy_requests_total", method="other") == 1
    assert series.store().looked_up == {}


@pytest.mark.parametrize(
    ("status", "its_class"), [(101, "1xx"), (204, "2xx"), (499, "4xx"), (0, "none"), (700, "none")]
)
def test_a_status_has_its_class(status: int, its_class: str) -> None:
    assert requests.class_of(status) == its_class


def test_a_request_without_route_or_provider_has_none(segment: Segment) -> None:
    ended = requests.Ended("", "", "GET", 4, "web")
    requests.count(ended, first=0.1, last=0.2, received=3, sent=4)
    requests.count(ended, first=0.1, last=0.2, received=0, sent=0)

    found = counted_in(segment)
    labels = {"route": "none", "provider": "none", "status_class": "4xx", "caller": "web"}
    assert found.value("chatproxy_requests_total", **labels) == 2
    assert found.value("chatproxy_time_to_first_byte_seconds", route="none") == 2
    assert found.value("chatproxy_time_to_last_byte_seconds", route="none") == 2
    assert found.value("chatproxy_request_body_bytes_total", route="none") == 3
    assert found.value("chatproxy_response_body_bytes_total", route="none") == 4


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (errors.TokenMalformed("x"), "malformed"),
        (errors.TokenForged("x"), "forged"),
        (errors.TokenUnknown("x"), "unknown"),
        (errors.TokenExpired("x"), "expired"),
        (errors.TokenRevoked("x"), "revoked"),
        (errors.TokenOfAnotherApp("x"), "other_app"),
        (errors.TokenRejected("x"), "other"),
    ],
)
def test_a_refused_token_is_counted_by_its_reason(
    segment: Segment, error: errors.TokenRejected, reason: str
) -> None:
    requests.count_refusal("chatsdk", error)

    found = counted_in(segment)
    assert found.value("chatproxy_tokens_refused_total", provider="chatsdk", reason=reason) == 1
    assert found.value("chatproxy_tokens_refused_total") == 1
    assert found.value("chatproxy_authentication_failures_total", provider="chatsdk") == 1


def test_a_refusal_above_the_limit_is_still_one(segment: Segment) -> None:
    """429 is answered in place of it."""
    limited = errors.TooManyRequests("x", retry_after=1, headers={}, limit="failures")

    try:
        try:
            raise errors.TokenForged("x")
        except errors.TokenForged:
            raise limited  # noqa: B904 - as a limiter that knows nothing of the reason
    except errors.TooManyRequests as error:
        requests.count_refusal("chatsdk", error)

    found = counted_in(segment)
    assert found.value("chatproxy_tokens_refused_total", reason="forged") == 1
    assert found.value("chatproxy_authentication_failures_total") == 1
    assert found.value("chatproxy_limit_hits_total", limit="failures") == 1


@pytest.mark.parametrize(("limit", "failures"), [("tokens", 0), ("caller", 0), ("failures", 1)])
def test_a_limit_is_counted_by_its_name(
    segment: Segment, limit: errors.Limit, failures: int
) -> None:
    error = errors.TooManyRequests("x", retry_after=1, headers={}, limit=limit)
    requests.count_refusal("", error)

    found = counted_in(segment)
    assert found.value("chatproxy_limit_hits_total", limit=limit) == 1
    assert found.value("chatproxy_limit_hits_total") == 1
    assert found.value("chatproxy_authentication_failures_total") == failures


def test_other_errors_say_nothing_of_a_credential(segment: Segment) -> None:
    for error in (
        errors.NotFound("x"),
        errors.Forbidden("x"),
        errors.DirectoryUnavailable(detail=""),
    ):
        requests.count_refusal("chatsdk", error)

    assert counted_in(segment).value("chatproxy_authentication_failures_total") == 0


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (errors.UpstreamUnreachable("x"), "unreachable"),
        (errors.UpstreamBroken("x", answer_begun=False), "broken"),
        (errors.UpstreamTimeout("x"), "timeout"),
        (errors.ProxyUnreachable("x"), "proxy_unreachable"),
        (errors.ProxyTimeout("x"), "proxy_timeout"),
        (errors.AnswerBroken("x"), "answer_broken"),
        (errors.UpstreamError("x"), "other"),
    ],
)
def test_an_upstreams_failure_is_counted_by_its_kind(
    segment: Segment, error: errors.ChatproxyError, kind: str
) -> None:
    counts = UpstreamCounts("stream")
    counts.begin()
    counts.failed(error)

    found = counted_in(segment)
    assert found.value("chatproxy_upstream_failures_total", provider="stream", kind=kind) == 1
    assert found.value("chatproxy_upstream_failures_total") == 1


def test_a_refusal_of_our_own_credential_is_one_of_them(segment: Segment) -> None:
    watch = CredentialWatch("stream")

    for status, verdict in ((401, "refused"), (401, "refused"), (200, "accepted")):
        watch.saw(status, verdict)  # type: ignore[arg-type]

    found = counted_in(segment)
    assert found.value("chatproxy_upstream_failures_total", kind="credential_refused") == 2
