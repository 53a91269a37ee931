"""What the official Python SDKs say of webhooks: `{name: base64}` on stdin, verdicts on stdout."""

import base64
import json
import sys
from collections.abc import Callable

from getstream import Stream
from stream_chat import StreamChat


def says(verify: Callable[[bytes, str], object], body: str, signature: str) -> bool:
    try:
        verify(base64.b64decode(body), signature)
    except Exception:  # of four kinds, zlib's own among them
        return False

    return True


asked = json.load(sys.stdin)
secret, signature = asked["secret"], asked["signature"]
sdks = {
    "stream-chat": StreamChat("key", secret).verify_and_parse_webhook,
    "getstream": Stream(api_key="key", api_secret=secret).verify_and_parse_webhook,
}
print(
    json.dumps(
        {
            sdk: {name: says(verify, body, signature) for name, body in asked["bodies"].items()}
            for sdk, verify in sdks.items()
        }
    )
)
