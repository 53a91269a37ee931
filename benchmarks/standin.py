"""The strict stand-in in a process of its own, with the benchmarks' credentials."""

import signal
import sys
import threading

from benchmarks.processes import API_KEY, API_SECRET
from sandbox import StreamSandbox


def serve(port: int) -> None:
    """Serve until SIGTERM."""
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())

    with StreamSandbox(API_KEY, [API_SECRET], port=port):
        stop.wait()


if __name__ == "__main__":
    serve(int(sys.argv[1]))
