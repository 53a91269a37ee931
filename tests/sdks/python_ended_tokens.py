"""PyPI's stream-chat with the sidecar's token in place of its own, before and after its end."""

import json
import os
import urllib.request

from stream_chat import StreamChat
from stream_chat.base.exceptions import StreamAPIException

SIDECAR = os.environ["SIDECAR_URL"]


def ask(method: str, path: str) -> dict:
    request = urllib.request.Request(f"{SIDECAR}{path}", method=method)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def seen(client: StreamChat) -> object:
    try:
        return len(client.query_users({"id": {"$in": ["una"]}})["users"])
    except StreamAPIException as error:
        return f"code {error.error_code}"


client = StreamChat(
    os.environ["CHAT_API_KEY"],
    "any secret, for its own is not used",
    base_url=os.environ["STAND_IN_URL"],
)
client.auth_token = ask("GET", "/token/una?upsert=true")["token"]
before = seen(client)
ask("POST", "/users/una/revoke-tokens")
print(json.dumps({"before": before, "after": seen(client)}))
