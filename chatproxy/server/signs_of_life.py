"""Where workers keep the file that they touch as a sign of life."""

import contextlib
import tempfile
from collections.abc import Sequence

#: On a disk that stalls a worker would be killed as hung, so memory comes first; see "How do I
#: avoid Gunicorn excessively blocking in os.fchmod?" in gunicorn's FAQ. None: where Python puts
#: temporary files, `TMPDIR` or `/tmp`.
FOLDERS = ("/dev/shm", None)  # noqa: S108


def folder(folders: Sequence[str | None] = FOLDERS) -> str | None:
    """Return the first folder in which a file can be made; raise `OSError` if there is none."""
    # Tried, not asked: a folder may be there and be read-only, full or somebody else's.
    for one in folders:
        with contextlib.suppress(OSError), tempfile.TemporaryFile(dir=one):
            return one

    raise OSError("no folder for temporary files can be written. Mount an empty one at /tmp")
