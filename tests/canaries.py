"""Planted secrets. None may be found in any output of the whole test run."""

import base64
from urllib.parse import quote

from chatproxy.signing.tokens import mint

API_KEY = "canarykey8f3a1c"
API_SECRET = "canary-secret-one-7b1e5d0c9a8f4e2b6d3c"
OLD_API_SECRET = "canary-secret-two-2c4e6a8b0d1f3a5c7e9b"
SERVER_TOKEN = mint({"server": True}, API_SECRET)
JWT_SECRET = "canary-jwt-secret-5a1f9c3e7b2d8046a1c3"
CENTRIFUGO_SECRET = "canary-centrifugo-secret-8e2b6d0f4a7c"
KEY_SIGNING_SECRET = "canary-key-signing-secret-1c9e5a3f7b20"
CENTRIFUGO_KEY = "canary-centrifugo-key-4d8f2b6a"
CHATSDK_KEY = "chatsdk_canary7c1e9a5f3b8d2046e8a0"
CHATSDK_APP_KEY = "chatsdk_canary2f8d4b6e0a1c3957d5e7"
IMKIT_KEY = "canary-imkit-platform-key-3f7a1c9e"
IMKIT_CLIENT_KEY = "canary-imkit-client-key-8b2d6f40"
BOUND_TOKEN = "canary-customers-own-token-5e9c1a7d"
IMPORTED_KEY = "canary-imported-key-6b0d4f8a2c7e"
PROXY_PASSWORD = "canary@proxy/password:4e8b1d"

# What callers bring, and what must not be logged of them.
BEARER = "canary-bearer-51d0e7"
PASSWORD = "canary-password-90aa3f"
QUERY_KEY = "canary-query-key-77b2c1"
COOKIE = "canary-cookie-3e5f60"
TEXT = "canary-message-text-a9c0"

CANARIES = {
    "API key": API_KEY,
    "API secret": API_SECRET,
    "API secret being retired": OLD_API_SECRET,
    "server token": SERVER_TOKEN,
    "user token": mint({"user_id": "canary"}, API_SECRET).rpartition(".")[2],
    "caller's bearer token": BEARER,
    "caller's Basic password": PASSWORD,
    "caller's API key in the query": QUERY_KEY,
    "caller's cookie": COOKIE,
    "webhook signature": "canary-signature-0011aabb",
    "webhook body": "canary-webhook-body-42ff",
    "text in a query": TEXT,
    "secret of REST tokens": JWT_SECRET,
    "secret of WebSocket tokens": CENTRIFUGO_SECRET,
    "secret that signs API keys": KEY_SIGNING_SECRET,
    "key of Centrifugo": CENTRIFUGO_KEY,
    "key of the ChatSDK server": CHATSDK_KEY,
    "app-scoped key of the ChatSDK server": CHATSDK_APP_KEY,
    "imported API key": IMPORTED_KEY,
    "platform key of the IMKit server": IMKIT_KEY,
    "client key of the IMKit server": IMKIT_CLIENT_KEY,
    "token that a customer bound": BOUND_TOKEN,
    "password of the outbound proxy": PROXY_PASSWORD,
}


def forms(secret: str) -> set[str]:
    """The secret as it stands, URL-encoded, and in base64 at each offset within a text."""
    encoded = {
        base64.b64encode(b"x" * offset + secret.encode()).decode()[4:-4] for offset in range(3)
    }
    return {secret, quote(secret, safe=""), *encoded}
