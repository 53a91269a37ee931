"""The page in this process: what is in it, and what never is."""

import html
import re
from collections.abc import Callable
from urllib.parse import urljoin

import pytest
from flask import Flask

from chatproxy.metrics import table
from chatproxy.metrics.lately import Fault
from chatproxy.metrics.segments import Segment
from chatproxy.providers import SETTINGS
from chatproxy.settings.shown import SHARED
from chatproxy.settings.variables import declared
from chatproxy.signing.tokens import mint
from tests.canaries import forms
from tests.web.console.conftest import STREAM

HOSTILE = "</td></tr><script>alert(1)</script>\"'&{{7*7}}\u202egnp\x00\x1b[31m\n"
SECRETS = [
    one.name
    for section in [*SHARED.values(), *SETTINGS.values()]
    for _, one in declared(section)
    if one.secret
]
#: Those that have a form of their own. The others take any long text.
FORMED = {
    "DATABASE_URL": "sqlite:///{folder}/canary-database-secret.db",
    "REDIS_URL": "redis://:{text}@127.0.0.1:1/0",
    "UPSTREAM_PROXY": "http://user:{text}@127.0.0.1:1",
    "STREAM_AUTH_TOKEN": mint({"server": True}, "canary-key-of-the-console-9d1e5a3f7b2c"),
    "CHATSDK_API_KEY": "chatsdk_canary9d1e5a3f7b2c4d6e8f",
}


def page_of(app: Flask, path: str = "/-/console") -> str:
    answer = app.test_client().get(path)
    assert answer.status_code == 200, answer.text
    return answer.text


def fault(**changes: object) -> Fault:
    whole = {"at": 1.0, "side": "upstream", "provider": "stream", "route": "/proxy/<path>"}
    more = {"status": 502, "kind": "UpstreamBroken", "message": "Broken.", "request_id": "id-1"}
    return Fault(**(whole | more | changes))  # type: ignore[arg-type]


def test_it_is_not_there_unless_it_is_switched_on(made: Callable[..., Flask]) -> None:
    assert made(CONSOLE="false").test_client().get("/-/console").status_code == 404


def test_only_reading_is_served(made: Callable[..., Flask]) -> None:
    client = made().test_client()

    for method in ("POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
        answer = client.open("/-/console", method=method)
        assert (answer.status_code, answer.headers["Allow"]) == (405, "GET")

    got, head = client.get("/-/console"), client.head("/-/console/")
    assert (head.status_code, head.data) == (200, b"")
    assert head.headers["Content-Type"] == got.headers["Content-Type"] == "text/html; charset=utf-8"


def test_a_browser_may_do_nothing_with_it_but_show_it(made: Callable[..., Flask]) -> None:
    answer = made().test_client().get("/-/console")
    policy = answer.headers["Content-Security-Policy"]

    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "frame-ancestors 'none'" in policy
    assert "script" not in policy
    assert "unsafe" not in policy
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "<script" not in answer.text
    assert re.findall(r'(?:src|action)=|(?<!data-)href="(?!#|\./|\.\./|data:,)', answer.text) == []
    assert re.findall(r'\son[a-z]+=|\sstyle="', answer.text) == []


@pytest.mark.parametrize("path", ["/-/console", "/-/console/"])
def test_its_links_lead_where_they_say(made: Callable[..., Flask], path: str) -> None:
    app = made(SERVICE_PREFIX="/chat")
    client = app.test_client()
    links = re.findall(r'<a href="(\.[^"]*)"', page_of(app, path))
    found = {client.get(urljoin(path, link)).status_code for link in links}

    assert len(links) == 4
    assert found <= {200, 503}  # a check-up of a server that is not there


def test_without_the_documentation_nothing_leads_there(made: Callable[..., Flask]) -> None:
    assert "documentation" not in page_of(made(DOCUMENTATION="false"))


def test_no_secret_is_in_it(made: Callable[..., Flask], tmp_path: object, segment: Segment) -> None:
    texts = {
        name: FORMED.get(name, "{text}").format(
            folder=tmp_path, text=f"canary-{number}-of-the-console-9d1e5a3f7b2c"
        )
        for number, name in enumerate(SECRETS)
    }
    texts |= {"PROVIDERS": ",".join(SETTINGS), "IMBACHAT_DEV_ID": "7"}
    texts |= dict.fromkeys(("CENTRIFUGO_API_URL", "WEBHOOK_TARGET"), "http://127.0.0.1:1")
    texts |= {f"{name.upper()}_BASE_URL": "http://127.0.0.1:1" for name in SETTINGS}
    app = made(**texts)
    secrets = [texts[name] for name in SECRETS if name not in ("DATABASE_URL",)]
    secrets += app.extensions["chatproxy"].secrets()

    # Brought by a caller, too, or repeated by a provider.
    for secret in secrets:
        segment.lately.remember(fault(message=f"said {secret}", request_id=secret[:128]))

    page = html.unescape(page_of(app))
    assert len(secrets) > len(SECRETS)
    assert [one for one in secrets for form in forms(one) if len(one) > 6 and form in page] == []
    assert "canary" not in page.replace("canary-database-secret", "")
    assert "[REDACTED]" in page


@pytest.mark.parametrize("shape", ["Bearer abcdefgh", "eyJhbGciOiJIUzI1NiJ9.e30.c2lnbmF0dXJl"])
def test_what_looks_like_a_secret_is_not_either(
    made: Callable[..., Flask], segment: Segment, shape: str
) -> None:
    segment.lately.remember(fault(message=shape, request_id=shape.replace(" ", "-earer ")))

    assert shape.rpartition(".")[2].removeprefix("Bearer ") not in page_of(made())


def test_a_hostile_text_stays_a_text(made: Callable[..., Flask], segment: Segment) -> None:
    names = ("side", "provider", "route", "kind", "message", "request_id")
    segment.lately.remember(fault(**dict.fromkeys(names[2:], HOSTILE)))
    table.WEBHOOK_VERDICTS.add("stream", HOSTILE)
    app = made(ERROR_OBJ_KEY='<img src=x onerror="alert(1)">', STYLE_CONFIG="")
    page = page_of(app)

    assert "<script" not in page
    assert "<img" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "&lt;img src=x onerror=" in page
    assert "49" not in re.sub(r"[\d:.-]{8,}", "", page.partition("Last faults")[2][:3000])
    assert not [one for one in page if not one.isprintable() and one != "\n"]
    assert "\\u202e" in page


def test_a_notes_text_is_escaped_as_well(made: Callable[..., Flask]) -> None:
    app = made()
    app.extensions["chatproxy"].config.problems = ["X is <script>bad</script>."]
    page = page_of(app)

    assert "X is &lt;script&gt;bad" in page
    assert "Ready" in page


def test_why_no_requests_should_come(made: Callable[..., Flask]) -> None:
    app = made()
    app.extensions["chatproxy"].lifetime.ends_when(lambda: False, lambda: True)

    assert "Not ready" in page_of(app)
    assert "The sidecar is being stopped." in page_of(app)
    assert "<title>chatproxy: not ready</title>" in page_of(app)


def test_what_was_counted(made: Callable[..., Flask]) -> None:
    app = made()
    table.TOKENS_MINTED.add("stream", by=41)
    table.TOKENS_REFUSED.add("stream", "expired", by=2)
    table.TOKENS_REFUSED.add("stream", "forged", by=1)
    table.WEBHOOK_VERDICTS.add("stream", "valid", by=7)
    table.WEBHOOK_DELIVERIES.add("stream", "delivered", by=3)
    table.WEBHOOK_DELIVERIES.add("stream", "doubled")
    table.WEBHOOK_DELIVERIES.add("stream", "refused", by=0)
    page = page_of(app)
    row = page[page.index("Tokens made") :]

    assert re.findall(r'class="number">(\d+)<', row)[:3] == ["41", "3", "0"]
    assert "7 valid" in row
    assert "3 delivered, 1 doubled" in row


def test_settings_in_force_and_no_others(made: Callable[..., Flask]) -> None:
    page = page_of(made(KEEPALIVE_TIMEOUT="7", CHATSDK_TOKEN_TTL="1h"))

    assert re.search(r"<code>KEEPALIVE_TIMEOUT</code></th>\s*<td>\s*<code>7</code>", page)
    assert "STREAM_BASE_URL" in page
    assert STREAM["STREAM_API_SECRET"] not in page
    assert "IMKIT" not in page  # which is off


def test_what_is_a_fault(made: Callable[..., Flask], segment: Segment) -> None:
    client = made().test_client()

    for method, path, name in (
        ("GET", "/proxy/app", "unreachable"),
        ("GET", "/nowhere", "nowhere"),
        ("POST", "/token/ann", "method"),
        ("GET", "/-/check-up", "probe"),
    ):
        answer = client.open(path, method=method, headers={"X-Request-Id": name})
        assert answer.get_data()  # to its end, or its caller has left
        answer.close()

    (found,) = segment.lately.faults()

    assert found.request_id == "unreachable"
    assert (found.status, found.side, found.provider) == (502, "upstream", "stream")
    assert found.route.startswith("/proxy/")
    assert found.kind == "UpstreamUnreachable"


def test_nothing_is_kept_where_nobody_looks(made: Callable[..., Flask], segment: Segment) -> None:
    made(CONSOLE="false").test_client().get("/proxy/app").close()

    assert list(segment.lately.faults()) == []
