"""gunicorn's settings with a meter: for how long each request kept the worker from all others.

That is the longest time between two switches of greenlets, in seconds of the thread's CPU: a busy
machine adds little to it, unlike to the time on a clock.
"""

import gc
import json
import os
import time
from typing import Any

from chatproxy import gunicorn_conf as shipped

globals().update({name: value for name, value in vars(shipped).items() if name[0] != "_"})


class Meter:
    """The longest stretch since it was last asked."""

    def __init__(self) -> None:
        self._since = time.thread_time()
        self._longest = 0.0

    def switched(self, *_: Any) -> None:
        now = time.thread_time()
        self._longest = max(self._longest, now - self._since)
        self._since = now

    def reading(self) -> float:
        self.switched()
        longest, self._longest = self._longest, 0.0
        return longest


meter = Meter()


def work() -> float:
    """The seconds of CPU that a fixed piece of work takes: how fast the machine is just now."""
    started = time.thread_time()
    sum(range(200_000))
    return time.thread_time() - started


def post_worker_init(worker: Any) -> None:
    """Begin to measure."""
    import greenlet

    shipped.post_worker_init(worker)
    _write({"id": "start", "frozen": gc.get_freeze_count()})
    greenlet.settrace(meter.switched)


def post_request(worker: Any, req: Any, environ: Any, resp: Any) -> None:  # noqa: ARG001
    """Write the measurement of a request with an id, and of all that came before it without one."""
    if "HTTP_X_REQUEST_ID" in environ:
        _write({"id": environ["HTTP_X_REQUEST_ID"], "held": meter.reading(), "work": work()})
        meter.reading()


def _write(line: dict[str, Any]) -> None:
    with open(os.environ["METER_OUTPUT"], "a") as output:
        output.write(f"{json.dumps(line)}\n")
