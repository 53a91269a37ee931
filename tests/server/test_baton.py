"""Who has the baton: one process, until it gives it up or ends."""

import os
import signal
from collections.abc import Callable

from chatproxy.server.baton import Baton


def child(work: Callable[[], None]) -> int:
    """Run something in a fork, as a worker is one; return its process id."""
    if (pid := os.fork()) == 0:
        try:
            work()
        finally:
            os._exit(0)

    return pid


def test_one_process_has_it_until_it_gives_it_up_or_is_killed() -> None:
    baton = Baton()
    told, tell = os.pipe()

    def holder() -> None:
        os.write(tell, b"y" if baton.take() else b"n")
        baton.post(b"half done")
        os.write(tell, b".")
        signal.pause()

    first = child(holder)
    assert os.read(told, 1) == b"y"
    assert os.read(told, 1) == b"."
    assert not baton.take()

    os.kill(first, signal.SIGKILL)
    os.waitpid(first, 0)
    assert baton.posted() == b"half done"
    assert baton.take()

    second = child(lambda: os._exit(int(baton.take())))
    assert os.waitstatus_to_exitcode(os.waitpid(second, 0)[1]) == 0
    baton.give()
    third = child(lambda: os._exit(int(baton.take())))
    assert os.waitstatus_to_exitcode(os.waitpid(third, 0)[1]) == 1


def test_nothing_is_posted_at_first() -> None:
    baton = Baton()

    assert baton.posted() == b""
    assert baton.number == 0
