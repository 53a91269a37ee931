"""Work that one process of the server does for all: whoever has the baton.

The system takes it from a process that ends, however it ends, so that another one goes on. What
has been done so far is posted in memory that all of them share: the baton alone would not tell the
next one.
"""

import fcntl
import os
import tempfile

from chatproxy.settings.board import Board


class Baton:
    """Made before the workers are forked."""

    def __init__(self) -> None:
        self._file = _nameless_file()
        self._board = Board()

    def take(self) -> bool:
        """Take it, unless another process has it; say whether it is ours."""
        # A record lock (fcntl(2)): it belongs to the process and not to the descriptor, which all
        # of them share, and ends with it.
        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False

        return True

    def give(self) -> None:
        """Give it up."""
        fcntl.lockf(self._file, fcntl.LOCK_UN)

    @property
    def number(self) -> int:
        """The number of the last post, 0 before the first."""
        return self._board.number

    def post(self, content: bytes) -> None:
        """Post how far the work is, while this process has the baton."""
        self._board.post(content)

    def posted(self) -> bytes:
        """Return the last post, empty before the first."""
        return self._board.read()[1] if self._board.number else b""


def _nameless_file() -> int:
    if hasattr(os, "memfd_create"):
        return os.memfd_create("chatproxy-baton", os.MFD_CLOEXEC)

    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


#: That of this process and of all that it forks.
BATON = Baton()
