"""Is each webhook handed on once, and none lost? `python -m benchmarks.webhooks`.

What the lines mean is in the README beside this.
"""

import argparse
import collections
import hashlib
import hmac
import http.client
import itertools
import json
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.processes import API_KEY, API_SECRET, NOBODY, sidecar
from sandbox.target import Target

#: Events that the stand-in of the vendor sends in a second, and seconds before and after.
RATE = 5.0
BEFORE, AFTER = 3.0, 3.0

#: Seconds for which it waits for an answer, as Stream does, and between two tries.
PATIENCE = 6.0
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 4.0


class Vendor:
    """Sends events, and sends again what was not answered 2xx, under the same id."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._numbers = itertools.count(1)
        self.answers: collections.Counter[str] = collections.Counter()
        self.acknowledged: set[str] = set()

    def event(self) -> tuple[str, bytes]:
        """Return an id and a body that no other event has."""
        name = f"event-{next(self._numbers)}"
        return name, json.dumps({"type": "message.new", "id": name}).encode()

    def send(self, name: str, body: bytes) -> int:
        """Send an event once; return the status, 0 for none."""
        signature = hmac.new(API_SECRET.encode(), body, hashlib.sha256).hexdigest()
        fields = {"X-Signature": signature, "X-Api-Key": API_KEY, "X-Webhook-Id": name}
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=PATIENCE)

        try:
            connection.request("POST", "/webhook/stream", body, fields)
            status = connection.getresponse().status
            said = str(status)
        except OSError as error:
            status, said = 0, type(error).__name__
        finally:
            connection.close()

        self.answers[said] += 1
        return status

    def send_until_taken(self, name: str, body: bytes, until: float) -> None:
        """Send an event until it is answered 2xx, or until then."""
        pause = FIRST_PAUSE

        while time.monotonic() < until:
            if 200 <= self.send(name, body) < 300:
                self.acknowledged.add(name)
                return

            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)


def at_once(vendor: Vendor, target: Target, count: int) -> None:
    """Send one event so many times at the same moment."""
    name, body = vendor.event()
    ready = threading.Barrier(count)

    def one(_: int) -> None:
        ready.wait()
        vendor.send(name, body)

    with ThreadPoolExecutor(count) as pool:
        list(pool.map(one, range(count)))

    print(f"{count} at once with one id: answers {dict(vendor.answers)}")
    print(f"  deliveries: {sum(one.body == body for one in target.events)}")


def outage(vendor: Vendor, port: int, seconds: float) -> None:
    """Send while the target is away for so many seconds; say what has arrived."""
    sent: list[str] = []
    bodies: list[bytes] = []
    vendor.answers.clear()
    began = time.monotonic()
    ends = began + BEFORE + seconds + AFTER
    target = Target(port).__enter__()
    is_up = True

    with ThreadPoolExecutor(int(RATE * (seconds + BEFORE + AFTER)) + 1) as pool:
        while (now := time.monotonic()) < ends:
            away = BEFORE < now - began < BEFORE + seconds

            if away and is_up:
                target.__exit__()
                bodies += [one.body for one in target.events]
            elif not away and not is_up:
                target = Target(port).__enter__()

            is_up = not away
            name, body = vendor.event()
            sent.append(name)
            pool.submit(vendor.send_until_taken, name, body, ends + 60)
            time.sleep(1 / RATE)

    target.__exit__()
    bodies += [one.body for one in target.events]
    arrived = collections.Counter(json.loads(body)["id"] for body in bodies)
    print(f"target away for {seconds:g} s: answers {dict(vendor.answers)}")
    print(f"  sent: {len(sent)}, arrived: {len(arrived)}")
    print(f"  lost: {len(set(sent) - set(arrived))}")
    print(f"  answered 2xx and not arrived: {len(vendor.acknowledged - set(arrived))}")
    print(f"  arrived more than once: {sum(count > 1 for count in arrived.values())}")


def main() -> None:
    """Start a sidecar and a target, and try both."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--at-once", type=int, default=50)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--away", type=float, default=60.0, help="seconds")
    parser.add_argument("--redis", help="the URL of a Redis in which it is remembered")
    asked = parser.parse_args()

    with tempfile.TemporaryDirectory() as folder, Target() as target:
        settings = {"WORKERS": str(asked.workers), "WEBHOOK_TARGET": target.url}
        settings |= {"REDIS_URL": asked.redis} if asked.redis else {}

        with sidecar(Path(folder), NOBODY, **settings) as server:
            vendor = Vendor(server.port)
            at_once(vendor, target, asked.at_once)
            target.__exit__()
            outage(vendor, target.port, asked.away)


if __name__ == "__main__":
    main()
