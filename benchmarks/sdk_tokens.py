"""Stream's official SDK making user tokens in its own process, as a backend would.

    .venv-sdks/bin/python -m benchmarks.sdk_tokens CALLS

Prints the microseconds of CPU that one call takes, as JSON. It runs in the SDKs' own
environment, so it uses nothing else of the sidecar's.
"""

import json
import sys
import time

from benchmarks.processes import API_KEY, API_SECRET

#: Seconds by which the sidecar's `iat` lies in the past.
BACK_DATED = 5

WARM_UP = 1000


def main() -> None:
    """Make tokens for ever other users."""
    from stream_chat import StreamChat

    calls = int(sys.argv[1])
    client = StreamChat(api_key=API_KEY, api_secret=API_SECRET)

    for number in range(-WARM_UP, calls):
        if number == 0:
            started = time.process_time()

        client.create_token(f"user-{number}", iat=int(time.time()) - BACK_DATED)

    print(json.dumps((time.process_time() - started) / calls * 1e6))


if __name__ == "__main__":
    main()
