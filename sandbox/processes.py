"""Processes that a local run starts, and that end together."""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from types import FrameType

Process = subprocess.Popen[bytes]


def pass_signals_on(processes: Sequence[Process]) -> threading.Event:
    """End the processes where this one is asked to end, and go on waiting for them.

    The event that is returned is set then.
    """
    told = threading.Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        told.set()

        for process in processes:
            process.terminate()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    return told


def are_alive(processes: Mapping[str, Process]) -> bool:
    """Say whether each of them runs."""
    return all(process.poll() is None for process in processes.values())


def wait(processes: Mapping[str, Process], told: threading.Event) -> int:
    """Wait until one process ends, end the others, return the first one's exit code.

    At a terminal Ctrl-C reaches all of them: one that it has ended has not failed.
    """
    while are_alive(processes):
        time.sleep(0.2)

    name, first = next((name, one) for name, one in processes.items() if one.poll() is not None)
    code = 0 if told.is_set() and first.returncode < 0 else first.returncode

    if code:
        print(f"the {name} has ended, with exit code {code}: see above", file=sys.stderr)

    for process in processes.values():
        if process.poll() is None:
            process.terminate()

    for process in processes.values():
        process.wait()

    return code
