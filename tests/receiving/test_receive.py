"""`POST /webhook/stream`: from a stand-in of the vendor through two workers to a target."""

import base64
import gzip
import json
import os
import signal
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from sandbox.target import Target
from tests.badinput.conversation import error_message, refused, rows
from tests.canaries import API_KEY, CANARIES, OLD_API_SECRET, TEXT
from tests.receiving.conftest import PATH, TIMEOUT, TOKEN, event, head, ids, send, signed
from tests.scraping import scrape
from tests.sidecar import Sidecar
from tests.wire import ask, chunked, connected, get, post


def at_once(count: int, port: int, body: bytes, fields: list[str]) -> Counter[int]:
    """Send one webhook so many times at the same moment; return how often each status came."""
    ready = threading.Barrier(count)

    def one(_: int) -> int:
        ready.wait()
        return send(port, body, fields).status

    with ThreadPoolExecutor(count) as pool:
        return Counter(pool.map(one, range(count)))


def wait_for_events(target: Target) -> None:
    until = time.monotonic() + 30

    while not target.events:
        assert time.monotonic() < until, "nothing came"
        time.sleep(0.01)


def packed(message: bytes) -> str:
    return base64.b64encode(gzip.compress(message)).decode()


def envelope(message: str, **more: str) -> bytes:
    where = "http://127.0.0.1:9/SimpleNotificationService.pem"
    fields = {"Type": "Notification", "MessageId": "1", "SigningCertURL": where}
    return json.dumps(fields | {"Message": message} | more).encode()


def test_a_webhook_is_handed_on_as_it_was_signed(receiver: Sidecar, target: Target) -> None:
    body = event(text=TEXT)

    with target.answering(status=201, body=b'{"message":{"text":"changed"}}'):
        answer = send(receiver.port, body, [*head(body, webhook_id="w 1"), "Cookie: a=b"])

    assert (answer.status, answer.body) == (201, b'{"message":{"text":"changed"}}')
    assert answer.header("content-type") == "application/json"
    assert answer.header("x-chatproxy-duplicate") is None
    (came,) = target.events
    assert (came.path, came.body) == ("/hooks/here", body)
    assert came.fields == {
        "host": f"127.0.0.1:{target.port}",
        "content-type": "application/json",
        "accept-encoding": "identity",
        "x-request-id": answer.header("x-request-id"),
        "x-chatproxy-provider": "stream",
        "x-chatproxy-verdict": "valid",
        "x-chatproxy-form": "webhook",
        "authorization": f"Bearer {TOKEN}",
        "x-webhook-id": "w 1",
        "x-webhook-attempt": "1",
        "x-api-key": API_KEY,
        "x-signature": signed(body),
        "content-length": str(len(body)),
    }
    line = receiver.wait_for_line(req_id=answer.header("x-request-id"))
    wanted = {"verdict": "valid", "form": "webhook", "id": "w 1", "outcome": "delivered"}
    assert line["webhook"] == wanted
    assert line["url"]["path"] == PATH
    written = receiver.output.read_text()
    assert TOKEN not in written
    assert TEXT not in written


EVENT = b'{"type":"message.new","text":"\xe2\x82\xac"}'
PACKED = gzip.compress(EVENT)
HALVES = gzip.compress(EVENT[:9]) + gzip.compress(EVENT[9:])
OLD = {"X-Signature": signed(EVENT, OLD_API_SECRET)}

#: The body, what changes in the head, and the form that the target is told.
FORMS = {
    "plain": (EVENT, {}, "webhook"),
    "gzip": (PACKED, {"Content-Encoding": "gzip"}, "webhook"),
    "gzip of two members, zeros behind": (HALVES + bytes(9), {}, "webhook"),
    "signed with the old secret": (EVENT, OLD, "webhook"),
    "without a key": (EVENT, {"X-Api-Key": None}, "webhook"),
    "another content type": (EVENT, {"Content-Type": "text/plain"}, "webhook"),
    "no content type": (EVENT, {"Content-Type": None}, "webhook"),
    "any host": (EVENT, {"Host": "tunnel.example"}, "webhook"),
    "SNS, with a signature": (envelope(packed(EVENT)), {}, "sns"),
    "SQS, with a signature": (packed(EVENT).encode(), {}, "sqs"),
}


@pytest.mark.parametrize(("body", "changes", "form"), rows(FORMS))
def test_whatever_it_comes_in_the_target_gets_the_event(
    receiver: Sidecar, target: Target, body: bytes, changes: dict[str, str | None], form: str
) -> None:
    fields = dict(one.split(": ", 1) for one in head(body, of=EVENT)) | changes
    lines = [f"{name}: {value}" for name, value in fields.items() if value and name != "Host"]
    request = post(PATH, body, *lines).replace(b"localhost", (fields.get("Host") or "a").encode())
    answer = ask(receiver.port, request.replace(b"Host: a\r\n", b"Host: localhost\r\n"))

    assert answer.status == 200, answer.body
    (came,) = target.events
    assert came.body == EVENT
    assert came.fields["x-chatproxy-form"] == form
    media = fields["Content-Type"] if form == "webhook" else None
    assert came.fields["content-type"] == (media or "application/json")


def test_a_chunked_webhook(receiver: Sidecar, target: Target) -> None:
    body = event()
    lines = "\r\n".join(head(body)).encode()
    request = chunked(PATH, body[:7], body[7:]).replace(b"Host: localhost", b"Host: a\r\n" + lines)
    request = request.replace(b"Host: a", b"Host: localhost", 1)

    assert ask(receiver.port, request).status == 200
    assert [one.body for one in target.events] == [body]


GOOD = signed(EVENT)
REFUSED = {
    "no signature": (401, EVENT, {"X-Signature": None}),
    "empty signature": (401, EVENT, {"X-Signature": ""}),
    "of another body": (401, EVENT + b" ", {}),
    "body cut": (401, EVENT[:-1], {}),
    "in upper case": (401, EVENT, {"X-Signature": GOOD.upper()}),
    "with its scheme": (401, EVENT, {"X-Signature": f"sha256={GOOD}"}),
    "cut": (401, EVENT, {"X-Signature": GOOD[:-1]}),
    "twice": (401, EVENT, {"X-Signature": f"{GOOD}\r\nX-Signature: {GOOD}"}),
    "list of 100": (401, EVENT, {"X-Signature": ",".join([GOOD] * 100)}),
    "not ASCII": (401, EVENT, {"X-Signature": "\xe9" * 64}),
    "canary": (401, EVENT, {"X-Signature": CANARIES["webhook signature"]}),
    "gzip cut": (401, PACKED[:-1], {}),
    "gzip with junk": (401, PACKED + b"junk", {}),
    "member behind the zeros": (401, PACKED + bytes(4) + gzip.compress(b"x"), {}),
    "bomb": (401, gzip.compress(bytes(11 * 1024 * 1024)), {}),
    "SNS without a signature": (401, envelope(packed(EVENT)), {"X-Signature": None}),
    "SNS around another": (401, envelope(packed(EVENT + b" ")), {}),
    "SNS confirmation": (401, envelope("a", Type="SubscriptionConfirmation"), {}),
    "SQS without a signature": (401, packed(EVENT).encode(), {"X-Signature": None}),
    "another application": (403, EVENT, {"X-Api-Key": "another"}),
    "key in another case": (403, EVENT, {"X-Api-Key": API_KEY.upper()}),
    "key twice": (403, EVENT, {"X-Api-Key": f"{API_KEY}\r\nX-Api-Key: {API_KEY}"}),
    "empty body": (400, b"", {"X-Signature": signed(b"")}),
    "from another site's page": (403, EVENT, {"Origin": "https://evil.example"}),
    "id of 10 kB": (431, EVENT, {"X-Webhook-Id": "a" * 10_000}),
}


@pytest.mark.parametrize(("status", "body", "changes"), rows(REFUSED))
def test_what_is_not_the_vendors_is_not_handed_on(
    receiver: Sidecar, target: Target, status: int, body: bytes, changes: dict[str, str | None]
) -> None:
    fields = dict(one.split(": ", 1) for one in head(body, of=EVENT)) | changes
    lines = [f"{name}: {value}" for name, value in fields.items() if value is not None]
    answer = ask(receiver.port, post(PATH, body, *lines))

    assert answer.status == status, answer.body
    assert error_message(answer)
    assert target.events == []


def test_a_webhook_that_ends_early_is_not_handed_on(receiver: Sidecar, target: Target) -> None:
    body = event()

    for request in (post(PATH, body + b" ", *head(body))[:-1], chunked(PATH, body)[:-3]):
        assert error_message(refused(receiver, request, {400}, half_close=True))

    assert target.events == []


def test_a_body_above_the_limit_is_413(receiver: Sidecar, target: Target) -> None:
    request = get(PATH, "Content-Length: 1048577", method="POST")
    assert error_message(refused(receiver, request, {413}, half_close=True))
    assert target.events == []


def test_other_methods_and_providers_are_not_there(receiver: Sidecar) -> None:
    assert ask(receiver.port, get(PATH)).header("allow") == "POST"

    for other in ("imkit", "chatsdk", "performchat", "imbachat", "stream/x", "STREAM"):
        assert ask(receiver.port, post(f"/webhook/{other}", b"{}")).status == 404


def test_an_event_is_known_by_its_id_and_its_content(receiver: Sidecar, target: Target) -> None:
    first, second = event(), event()
    long = "i" * 8000
    told = [
        send(receiver.port, body, head(body, webhook_id=name))
        for body, name in (
            *((first, "same"), (first, "same"), (first, "other"), (second, "same"), (second, "")),
            *((second, ""), (first, long), (first, long), (first, "same")),
        )
    ]
    duplicates = [one.header("x-chatproxy-duplicate") == "true" for one in told]

    assert {one.status for one in told} == {200}
    assert duplicates == [False, True, False, False, False, True, False, True, True]
    assert [one.body for one in target.events] == [first, first, second, second, first]
    assert {one.body for one in told if one.header("x-chatproxy-duplicate")} == {b""}


def test_a_retry_in_another_coding_is_the_same_event(receiver: Sidecar, target: Target) -> None:
    body = event()
    fields = head(body, of=body)
    send(receiver.port, body, fields)
    send(receiver.port, gzip.compress(body), fields)

    assert len(target.events) == 1


def test_fifty_at_once_are_one_delivery(receiver: Sidecar, target: Target) -> None:
    body, holds = event(), threading.Event()
    fields = head(body)

    with target.answering(status=202, holds=holds):
        threading.Timer(0.5, holds.set).start()
        assert at_once(50, receiver.port, body, fields) == {202: 50}

    assert len(target.events) == 1
    assert send(receiver.port, body, fields).header("x-chatproxy-duplicate") == "true"


def test_a_failure_is_shared_by_all_who_waited_and_by_nobody_later(
    receiver: Sidecar, target: Target
) -> None:
    """They are told to come again, and whoever does delivers."""
    body, holds = event(), threading.Event()
    fields = head(body)

    with target.answering(status=503, holds=holds):
        threading.Timer(1.5, holds.set).start()
        assert at_once(10, receiver.port, body, fields) == {503: 10}
        assert len(target.events) < 10
        failed = len(target.events)

    assert at_once(10, receiver.port, body, fields) == {200: 10}
    assert len(target.events) == failed + 1


ANSWERS = {
    "no content": (204, b""),
    "bad request": (400, b'{"error":"no"}'),
    "gone": (410, b""),
    "too many": (429, b"later"),
    "error": (500, b"broken"),
    "unavailable": (503, b"<p>down</p>"),
}


@pytest.mark.parametrize(("status", "body"), rows(ANSWERS))
def test_the_vendor_is_answered_what_the_target_answers(
    receiver: Sidecar, target: Target, status: int, body: bytes
) -> None:
    sent = event()

    with target.answering(status=status, body=body, fields=(("Content-Type", "text/x"),)):
        answer = send(receiver.port, sent, head(sent, webhook_id="n"))

    assert (answer.status, answer.body) == (status, body)
    assert answer.header("content-type") == ("text/x" if body else None)
    again = send(receiver.port, sent, head(sent, webhook_id="n"))
    # What was taken is not sent again, and what was not is.
    assert again.status == (204 if status == 204 else 200)
    assert len(target.events) == (1 if status == 204 else 2)


FAILURES = {
    "hangs up": (502, {"drops": True}),
    "answers with less than it says": (502, {"body": b"{}", "cuts": 5}),
    "redirects": (502, {"status": 307, "fields": (("Location", "/elsewhere"),)}),
    "redirects for ever": (502, {"status": 301, "fields": (("Location", "/hooks/here"),)}),
}


@pytest.mark.parametrize(("status", "way"), rows(FAILURES))
def test_a_target_that_fails_is_an_error_to_the_vendor(
    receiver: Sidecar, target: Target, status: int, way: dict[str, object]
) -> None:
    body = event()

    with target.answering(**way):
        answer = send(receiver.port, body, head(body, webhook_id="f"))

    assert (answer.status, "target of webhooks" in error_message(answer)) == (status, True)
    assert {one.path for one in target.events} == {"/hooks/here"}
    came = len(target.events)
    assert send(receiver.port, body, head(body, webhook_id="f")).status == 200
    assert len(target.events) == came + 1


def test_a_silent_target_is_504_before_the_vendor_gives_up(
    receiver: Sidecar, target: Target
) -> None:
    body = event()

    with target.answering(holds=threading.Event()):
        began = time.monotonic()
        answer = send(receiver.port, body, head(body, webhook_id="s"))
        took = time.monotonic() - began

    assert answer.status == 504
    assert TIMEOUT - 0.1 < took < TIMEOUT + 10  # a busy machine
    assert send(receiver.port, body, head(body, webhook_id="s")).status == 200
    assert len(target.events) == 2


def test_of_a_very_long_answer_only_the_status_goes_back(receiver: Sidecar, target: Target) -> None:
    body = event()

    with target.answering(body=b"a" * 2_000_000):
        answer = send(receiver.port, body, head(body, webhook_id="l"))

    assert (answer.status, answer.body) == (200, b"")
    assert send(receiver.port, body, head(body, webhook_id="l")).header("x-chatproxy-duplicate")


def test_a_vendor_that_leaves_does_not_stop_the_delivery(receiver: Sidecar, target: Target) -> None:
    body, holds = event(), threading.Event()
    fields = head(body)

    with target.answering(holds=holds):
        with connected(receiver.port) as sock:
            sock.sendall(post(PATH, body, *fields))
            wait_for_events(target)

        holds.set()
        assert send(receiver.port, body, fields).header("x-chatproxy-duplicate") == "true"

    assert len(target.events) == 1


def test_what_became_of_webhooks_is_counted(receiver: Sidecar, target: Target) -> None:
    def counts() -> dict[str, float]:
        found = scrape(receiver.port)
        return {
            outcome: found.value(
                "chatproxy_webhook_deliveries_total", provider="stream", outcome=outcome
            )
            for outcome in ("delivered", "duplicate", "refused", "failed", "unreachable")
        } | {
            verdict: found.value(
                "chatproxy_webhook_verdicts_total", provider="stream", verdict=verdict
            )
            for verdict in ("valid", "invalid", "unsigned", "foreign")
        }

    before, body = counts(), event()
    send(receiver.port, body, head(body, webhook_id="c"))
    send(receiver.port, body, head(body, webhook_id="c"))
    send(receiver.port, body, [])
    send(receiver.port, body, ["X-Api-Key: another"])
    send(receiver.port, body, head(body, of=b""))

    for way in ({"status": 404}, {"status": 500}, {"drops": True}):
        other = event()

        with target.answering(**way):
            send(receiver.port, other, head(other))

    assert {name: value - before[name] for name, value in counts().items()} == {
        **{"delivered": 1, "duplicate": 1, "refused": 1, "failed": 1, "unreachable": 1},
        **{"valid": 5, "invalid": 1, "unsigned": 1, "foreign": 1},
    }


def test_a_killed_worker_does_not_keep_its_webhook(receiver: Sidecar, target: Target) -> None:
    """The retry comes at once, and delivers long before the lease of the dead one is over."""
    body, holds, number = event(), threading.Event(), next(ids)
    fields = head(body, webhook_id=f"killed {number}")

    with target.answering(holds=holds), ThreadPoolExecutor(1) as pool:
        first = pool.submit(send, receiver.port, body, fields)
        wait_for_events(target)

        for worker in receiver.workers():
            os.kill(worker, signal.SIGKILL)

        with pytest.raises(ConnectionError):
            first.result()

    assert send(receiver.port, body, fields).status == 200
    assert [one.body for one in target.events] == [body, body]
