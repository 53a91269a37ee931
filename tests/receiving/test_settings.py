"""What settings change of received webhooks: in one process, before a real target."""

import base64
import gzip
import json
import os
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from chatproxy import settings
from chatproxy.app import create_app
from chatproxy.providers import SETTINGS
from sandbox.target import Target
from tests.access.samples import BACKEND, OTHER, caller, write
from tests.badinput.canned import CannedUpstream
from tests.badinput.conversation import rows
from tests.canaries import API_KEY, API_SECRET
from tests.receiving.conftest import PATH, event, signed
from tests.settings.loading import refusal_of
from tests.sidecar import free_port

MINIMUM = {"STREAM_API_KEY": API_KEY, "STREAM_API_SECRET": API_SECRET}
PASS = {"WEBHOOK_UNSIGNED": "pass"}


Clients = Callable[..., FlaskClient]


@pytest.fixture
def client() -> Iterator[Clients]:
    """Make a client of an application with further settings."""
    made: list[Flask] = []

    def client(**environ: str) -> FlaskClient:
        made.append(create_app(settings.load(SETTINGS, MINIMUM | environ)))
        return made[-1].test_client()

    yield client

    for one in made:
        one.extensions["chatproxy"].close()


def packed(message: bytes) -> str:
    return base64.b64encode(gzip.compress(message)).decode()


def envelope(message: str, **more: str) -> bytes:
    fields = {"Type": "Notification", "MessageId": "1", "TopicArn": "arn:aws:sns:a:1:b"}
    return json.dumps(fields | {"Message": message} | more).encode()


#: What comes of a queue: the form, and the body around an event.
QUEUED: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "SNS": ("sns", lambda one: envelope(packed(one))),
    "SNS, base64 alone": ("sns", lambda one: envelope(base64.b64encode(one).decode())),
    "SNS, plain": ("sns", lambda one: envelope(one.decode())),
    "SQS": ("sqs", lambda one: packed(one).encode()),
    "SQS, base64 alone": ("sqs", base64.b64encode),
    "SQS, plain": ("sqs", lambda one: one),
    "SQS of an SNS subscription": ("sns", lambda one: envelope(packed(one))),
    "gzip alone": ("sqs", gzip.compress),
}


@pytest.mark.parametrize(("form", "around"), rows(QUEUED))
def test_an_event_of_a_queue_goes_on_as_unsigned(
    client: Clients, target: Target, form: str, around: Callable[[bytes], bytes]
) -> None:
    body = event()
    asked = client(WEBHOOK_TARGET=target.url, **PASS)

    for _ in range(2):
        answer = asked.post(PATH, data=around(body), content_type="text/plain; charset=UTF-8")
        assert answer.status_code == 200, answer.text

    (came,) = target.events
    assert came.body == body
    assert came.fields["content-type"] == "application/json"
    assert came.fields["x-chatproxy-verdict"] == "unsigned"
    assert came.fields["x-chatproxy-form"] == form
    assert "authorization" not in came.fields


def test_nothing_that_an_envelope_names_is_called(client: Clients, target: Target) -> None:
    """A confirmation goes on as it is: the target may confirm it."""
    with CannedUpstream() as elsewhere:
        where = {
            name: f"{elsewhere.url}/{name}"
            for name in ("SigningCertURL", "SigningCertUrl", "SubscribeURL", "UnsubscribeURL")
        }
        asked = client(WEBHOOK_TARGET=target.url, **PASS)
        wrapped = envelope(packed(event()), **where, Signature="QQ==", SignatureVersion="1")
        confirms = envelope("You have chosen…", **where, Type="SubscriptionConfirmation")

        for body in (wrapped, confirms):
            assert asked.post(PATH, data=body).status_code == 200
            verified = {"rawBody": body.decode(), "signature": "", "encoding": "sns"}
            asked.post("/webhook/verify", json=verified)

        assert elsewhere.requests == []

    forms = [one.fields["x-chatproxy-form"] for one in target.events]
    assert forms == ["sns", "sns-subscription"]
    assert target.events[1].body == confirms


NO_EVENTS = {
    "text": b"hello",
    "list": b"[1]",
    "form": b"a=b",
    "base64 of no event": base64.b64encode(b"hello"),
    "base64, cut": packed(b"{}").encode()[:-1],
    "gzip, cut": base64.b64encode(gzip.compress(b"{}")[:-1]),
    "bomb": base64.b64encode(gzip.compress(b"{" + bytes(11 * 1024 * 1024))),
    "gzip of no event": base64.b64encode(gzip.compress(b"hello")),
    "empty gzip": gzip.compress(b""),
    "SNS of another kind": envelope("a", Type="Other"),
    "SNS around no event": envelope("hello"),
    "SNS around itself cut": envelope(packed(b"{}")[:-1]),
    "spaces": b"   ",
}


@pytest.mark.parametrize("body", rows(NO_EVENTS))
def test_what_holds_no_event_is_400(client: Clients, target: Target, body: bytes) -> None:
    answer = client(WEBHOOK_TARGET=target.url, **PASS).post(PATH, data=body)

    assert answer.status_code == 400
    assert "event" in answer.json["errorMsg"]
    assert target.events == []


@pytest.mark.parametrize(
    "fields",
    [
        {"Origin": "http://localhost"},
        {"Sec-Fetch-Site": "same-origin"},
        {"X-Api-Key": "another"},
        {"X-Signature": "00" * 32},
    ],
    ids=["origin", "fetch", "another application", "wrong signature"],
)
def test_an_unsigned_one_is_refused_where_it_claims_more(
    client: Clients, target: Target, fields: dict[str, str]
) -> None:
    asked = client(WEBHOOK_TARGET=target.url, **PASS)

    assert asked.post(PATH, data=event(), headers=fields).status_code in (400, 401, 403)
    assert target.events == []


def test_an_unsigned_one_does_not_keep_the_signed_one_out(client: Clients, target: Target) -> None:
    body, named = event(), {"X-Webhook-Id": "one"}
    asked = client(WEBHOOK_TARGET=target.url, **PASS)
    asked.post(PATH, data=body, headers=named)
    asked.post(PATH, data=body, headers=named | {"X-Signature": signed(body)})

    verdicts = [one.fields["x-chatproxy-verdict"] for one in target.events]
    assert verdicts == ["unsigned", "valid"]


def test_what_is_in_a_head_is_refused_where_it_cannot_go_on(
    client: Clients, target: Target
) -> None:
    body = event()
    fields = {"X-Signature": signed(body), "X-Webhook-Id": "a\x01b"}

    assert (
        client(WEBHOOK_TARGET=target.url).post(PATH, data=body, headers=fields).status_code == 400
    )
    assert target.events == []


def test_without_a_target_it_says_what_to_set(client: Clients) -> None:
    body = event()
    answer = client().post(PATH, data=body, headers={"X-Signature": signed(body)})

    assert (answer.status_code, "WEBHOOK_TARGET" in answer.json["errorMsg"]) == (503, True)


def test_a_target_that_is_down_is_502_and_told_by_the_check_up_alone(client: Clients) -> None:
    port = free_port()
    asked, body = client(WEBHOOK_TARGET=f"http://127.0.0.1:{port}/"), event()
    fields = {"X-Signature": signed(body)}

    assert asked.post(PATH, data=body, headers=fields).status_code == 502
    assert asked.get("/-/ready").status_code == 200
    assert "webhook-target" in asked.get("/-/check-up").text

    with Target(port) as target:
        assert "webhook-target" not in asked.get("/-/check-up").text
        assert target.events == []
        assert asked.post(PATH, data=body, headers=fields).status_code == 200
        assert [(one.path, one.body) for one in target.events] == [("/", body)]

    # It has come back, and the connection that was kept leads to nobody.
    with Target(port) as target:
        other = event()
        fields = {"X-Signature": signed(other)}
        assert asked.post(PATH, data=gzip.compress(other), headers=fields).status_code == 200
        assert [one.body for one in target.events] == [other]


def test_only_unsigned_ones_need_the_key_of_a_caller(
    client: Clients, target: Target, tmp_path: Path
) -> None:
    path = write(
        tmp_path / "access.json",
        queue=caller(providers=["stream"], endpoints=[PATH]),
        other=caller(OTHER, providers=["stream"], endpoints=["/api-key"]),
    )
    asked, body = client(WEBHOOK_TARGET=target.url, ACCESS_CONFIG=path, **PASS), event()

    def status(**fields: str) -> int:
        named = {name.replace("_", "-"): value for name, value in fields.items()}
        return asked.post(PATH, data=body, headers=named).status_code

    assert status() == 401
    assert status(X_Signature="") == 401
    assert status(X_Chatproxy_Key=OTHER) == 403
    assert target.events == []
    assert status(X_Chatproxy_Key=BACKEND) == 200
    assert status(X_Signature=signed(body)) == 200
    assert [one.fields["x-chatproxy-verdict"] for one in target.events] == ["unsigned", "valid"]


def test_replicas_with_one_redis_hand_an_event_on_once(client: Clients, target: Target) -> None:
    if not (url := os.environ.get("TEST_REDIS_URL", "")):
        pytest.skip("TEST_REDIS_URL is not set: such as redis://127.0.0.1:6379/0")

    replicas = [client(WEBHOOK_TARGET=target.url, REDIS_URL=url) for _ in range(2)]
    body = event(run=uuid.uuid4().hex)
    fields = {"X-Signature": signed(body), "X-Webhook-Id": "one"}
    told = [one.post(PATH, data=body, headers=fields) for one in (*replicas, *replicas)]

    assert [one.status_code for one in told] == [200] * 4
    assert ["X-Chatproxy-Duplicate" in one.headers for one in told] == [False, True, True, True]
    assert [one.body for one in target.events] == [body]


def test_it_is_served_at_both_doors() -> None:
    found = create_app(settings.load(SETTINGS, MINIMUM | {"CLIENT_PORT": "3001"})).url_map
    doors = [rule.subdomain for rule in found.iter_rules() if rule.rule == PATH]

    assert sorted(doors) == ["client", "service"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("WEBHOOK_TARGET", "target:8080"),
        ("WEBHOOK_TARGET", "http://user:password@target/"),
        ("WEBHOOK_TARGET", "http://target/?key=1"),
        ("WEBHOOK_TARGET", "ftp://target/"),
        ("WEBHOOK_TARGET_TOKEN", "two words"),
        ("WEBHOOK_TIMEOUT", "0"),
        ("WEBHOOK_TIMEOUT", "61"),
        ("WEBHOOK_WINDOW", "0s"),
        ("WEBHOOK_WINDOW_COUNT", "0"),
        ("WEBHOOK_WINDOW_COUNT", "1000001"),
        ("WEBHOOK_UNSIGNED", "allow"),
    ],
)
def test_a_setting_that_cannot_be_used_stops_the_start(name: str, value: str) -> None:
    environ = MINIMUM | {"WEBHOOK_TARGET": "http://target/"}
    assert refusal_of(name, value, environ)


@pytest.mark.parametrize(
    ("environ", "named"),
    [
        ({"WEBHOOK_TIMEOUT": "6"}, ["WEBHOOK_TIMEOUT"]),
        (PASS, ["WEBHOOK_UNSIGNED"]),
        ({"WORKERS": "4"}, []),
    ],
    ids=["timeout", "unsigned", "workers"],
)
def test_what_the_start_warns_of(environ: dict[str, Any], named: list[str]) -> None:
    """Not of workers that count apart: nothing is limited, and webhooks are remembered by all."""
    found = settings.load(SETTINGS, MINIMUM | {"WEBHOOK_TARGET": "http://target/"} | environ)
    assert [one.split()[0] for one in found.warnings()] == named
