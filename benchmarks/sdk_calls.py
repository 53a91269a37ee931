"""The official SDKs making tokens and checking webhooks in a process, as a backend would.

    .venv-sdks/bin/python -m benchmarks.sdk_calls CALLS

Prints the microseconds of CPU that one call of each takes, as JSON. It runs in the SDKs' own
environment, so it uses nothing else of the sidecar's.
"""

import hashlib
import hmac
import json
import sys
import time
from collections.abc import Callable

from benchmarks.processes import API_KEY, API_SECRET

#: Seconds by which the sidecar's `iat` lies in the past.
BACK_DATED = 5

WARM_UP = 500

#: An event of 1 KB.
EVENT = json.dumps({"type": "message.new", "cid": "messaging:1", "text": "x" * 960}).encode()
SIGNATURE = hmac.new(API_SECRET.encode(), EVENT, hashlib.sha256).hexdigest()

TOKEN, OTHER_TOKEN = "`create_token` of stream-chat", "`create_token` of getstream"
WEBHOOK = "`verify_webhook` of stream-chat"
OTHER_WEBHOOK = "`verify_and_parse_webhook` of getstream"


def calls() -> dict[str, Callable[[int], object]]:
    """Return what is measured; each takes the number of the call."""
    from getstream import Stream
    from stream_chat import StreamChat

    client = StreamChat(api_key=API_KEY, api_secret=API_SECRET)
    other = Stream(api_key=API_KEY, api_secret=API_SECRET)
    return {
        TOKEN: lambda number: client.create_token(
            f"user-{number}", iat=int(time.time()) - BACK_DATED
        ),
        OTHER_TOKEN: lambda number: other.create_token(f"user-{number}"),
        WEBHOOK: lambda _: client.verify_webhook(EVENT, SIGNATURE),
        OTHER_WEBHOOK: lambda _: other.verify_and_parse_webhook(EVENT, SIGNATURE),
    }


def cpu_per_call(call: Callable[[int], object], times: int) -> float:
    """Return the microseconds of CPU that a call takes in this process."""
    for number in range(WARM_UP):
        call(number)

    started = time.process_time()

    for number in range(times):
        call(number)

    return (time.process_time() - started) / times * 1e6


if __name__ == "__main__":
    found = {name: cpu_per_call(call, int(sys.argv[1])) for name, call in calls().items()}
    print(json.dumps(found))
