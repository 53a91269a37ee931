"""What callers show us, no provider's server is shown."""

import json

import pytest

from chatproxy.forwarding.body import CallerBody, with_json_fields
from tests.badinput.canned import CannedUpstream
from tests.calls import call
from tests.directories import make_key
from tests.everything import everything
from tests.sidecar import Sidecar

CANARY = "canary-key-of-a-caller-7d3e"

#: Names of a caller's credentials, spelt in the ways that some server takes for the same.
NAMES = [
    "IM-API-KEY", "im-api-key", "Im-Api-Key", "IM_API_KEY", "im_api-key", "IM.API.KEY", "IMAPIKEY",
    "API_KEY", "API-KEY", "Api-Key", "api_key", "apikey", "Api.Key",
    "CLIENT_KEY", "Client-Key", "client_key", "ClientKey",
    "IM-Client-Key", "im-client-key", "IM_Client_Key", "im.client.key", "IMClientKey",
    "IM-Authorization", "IM_AUTHORIZATION", "im-authorization", "Im.Authorization",
    "X-API-Key", "x-api-key", "X_API_KEY", "X-Api_Key", "X.API.Key", "XApiKey",
    "keySecret", "Key-Secret", "key_secret",
    "X-Chatproxy-Key", "x-chatproxy-key", "XChatproxyKey", "X-Chatproxy.Key",
    "userid", "UserId", "User-Id", "user_id", "Cookie", "Proxy-Authorization",
]  # fmt: skip

#: Where calls are forwarded, each with who may call there.
FORWARDED = {
    "stream": "/proxy/app",
    "stream by name": "/stream/proxy/app",
    "chatsdk": "/chatsdk/proxy/x",
    "chatsdk client": "/api/channels",
    "performchat": "/performchat/proxy/x",
    "imkit": "/imkit/proxy/x",
    "imkit platform": "/imkit/rooms",
    "imkit client": "/imkit/rooms?as=client",
    "imbachat": "/imbachat/proxy/x",
}

QUERIES = [
    "X-API-Key", "x_api_key", "x%2dapi%2dkey", "IM-API-KEY", "im_client_key", "IM-Authorization",
    "api_key", "API-KEY", "apikey", "client_key[]", "key_secret", "%69m-api-key", "im%252dapi-key",
    "X-Chatproxy-Key", "x_chatproxy_key", "x%2dchatproxy%2dkey",
]  # fmt: skip


@pytest.fixture(scope="module")
def callers(whole: Sidecar, provider: CannedUpstream) -> dict[str, list[str]]:
    """The fields with which each gets in, by the rows of the table above."""
    key = make_key(whole.environ, "callers")["apiKey"]
    client = make_key(whole.environ, "callers-app", "client")["clientKey"]
    issued = call(
        whole.port, "POST", "/tokens", f"X-API-Key: {key}", body={"userId": "callers"}
    ).json
    # The stand-in for IMKit's server says what the vendor's does of a change.
    before = provider.answer
    provider.says("HTTP/1.1 200 OK", "Content-Length: 8", body=b'{"RC":0}')
    body = {"_id": "callers", "issueAccessToken": True}
    made = call(whole.port, "POST", "/imkit/admin/clients", f"IM-API-KEY: {key}", body=body)
    provider.answer = before
    token = made.json["result"]["token"]
    return {
        "chatsdk client": [f"Authorization: Bearer {issued['token']}"],
        "imkit platform": [f"IM-API-KEY: {key}"],
        "imkit client": [f"IM-Client-Key: {client}", f"IM-Authorization: {token}"],
        "key": [key],
    }


@pytest.fixture(autouse=True)
def _forget_heads(provider: CannedUpstream) -> None:
    provider.requests.clear()


def shown(provider: CannedUpstream) -> str:
    ((_, head),) = provider.requests
    return head.decode("latin-1")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("place", FORWARDED)
def test_no_provider_is_sent_a_callers_key(
    whole: Sidecar, provider: CannedUpstream, callers: dict[str, list[str]], place: str, name: str
) -> None:
    own = callers.get(place, [])

    if any(field.lower().startswith(name.lower().replace("_", "-") + ":") for field in own):
        return  # that would be two of the credential, and is refused

    if place.startswith("imkit ") and name.lower() in ("im-api-key", "api_key", "api-key"):
        return  # so is a bad platform key

    if place == "imkit client" and name in ("CLIENT_KEY", "client_key", "Client-Key"):
        return

    fields = [*own, f"{name}: {CANARY}", "X-Kept: kept"]
    reply = call(whole.port, "GET", FORWARDED[place], *fields)

    assert reply.status == 200, reply.raw.body
    assert CANARY not in shown(provider)
    assert "x-kept: kept" in shown(provider).lower()


@pytest.mark.parametrize("name", ["Authorization", "X-Key", "Api-Token", "X-Amz-Meta-Key"])
@pytest.mark.parametrize("place", FORWARDED)
def test_no_field_takes_a_key_of_ours_along(
    whole: Sidecar, provider: CannedUpstream, callers: dict[str, list[str]], place: str, name: str
) -> None:
    (key,) = callers["key"]
    own = callers.get(place, [])

    if any(field.startswith(f"{name}:") for field in own):
        return

    _, half = key.split(".", 1)

    for value in (key, f"Bearer {key}", f'Key id="a", secret="{half}"'):
        provider.requests.clear()
        reply = call(whole.port, "GET", FORWARDED[place], *own, f"{name}: {value}")

        assert reply.status == 200, reply.raw.body
        assert half not in shown(provider)


def test_what_gets_a_caller_in_stays_here(
    whole: Sidecar, provider: CannedUpstream, callers: dict[str, list[str]]
) -> None:
    for place in ("imkit platform", "imkit client"):
        provider.requests.clear()
        call(whole.port, "GET", FORWARDED[place], *callers[place])
        key = callers[place][0].partition(": ")[2]
        assert key not in shown(provider)


@pytest.mark.parametrize("name", QUERIES)
@pytest.mark.parametrize("place", FORWARDED)
def test_no_query_takes_a_callers_key_along(
    whole: Sidecar, provider: CannedUpstream, callers: dict[str, list[str]], place: str, name: str
) -> None:
    path = FORWARDED[place]
    query = f"{'&' if '?' in path else '?'}a=b&{name}={CANARY}&c=d;e"
    reply = call(whole.port, "GET", path + query, *callers.get(place, []))

    assert reply.status == 200, reply.raw.body
    assert CANARY not in shown(provider)
    assert "a=b&c=d;e" in shown(provider)


def test_a_sidecar_without_those_providers_withholds_them_too(
    provider: CannedUpstream, output_folder, tmp_path
) -> None:
    output = output_folder / "stream-alone.log"

    with everything(provider.url, output, tmp_path, PROVIDERS="stream") as alone:
        for name in NAMES:
            provider.requests.clear()
            assert call(alone.port, "GET", "/proxy/app", f"{name}: {CANARY}").status == 200
            assert CANARY not in shown(provider)


@pytest.mark.parametrize(
    "name",
    ["keySecret", "KeySecret", "key_secret", "KEY-SECRET", "keysecret", "key.secret", "keyid"],
)
def test_a_body_holds_one_key_however_the_callers_is_spelt(name: str) -> None:
    ours = {"keyId": "ours", "keySecret": "our-secret"}
    body = CallerBody.of_bytes(json.dumps({name: CANARY, "a": 1}).encode())
    fields = [("Content-Type", "application/json")]
    _, written = with_json_fields(fields, body, ours, 1000)

    assert json.loads(written.read_all(1000)) == {"a": 1} | ours
