"""What another process does with the same database."""

import contextlib
import itertools
import time
from collections.abc import Iterator, Sequence
from multiprocessing.synchronize import Barrier

from chatproxy.errors import ChatproxyError
from chatproxy.identity.directory import Directory
from chatproxy.identity.records import DEFAULT_APP, Action, Profile
from chatproxy.identity.schema import upgrade
from chatproxy.identity.token_records import Issued
from tests.identity.tokens import is_good

SECRETS = ("signs-the-keys-of-this-test-run-0123456789",)
WITHIN = 30

_together: list[Barrier] = []


def meet(barrier: Barrier) -> None:
    """Remember where the processes of a pool wait for each other."""
    _together.append(barrier)


@contextlib.contextmanager
def directory_at(url: str) -> Iterator[Directory]:
    directory = Directory(url, SECRETS, now=time.time, monotonic=time.monotonic)

    try:
        yield directory
    except ChatproxyError as error:  # it would not come through a pipe
        raise AssertionError(f"{error}: {error.detail}") from None
    finally:
        directory.close()


def upgrade_together(url: str) -> None:
    with directory_at(url) as directory:
        _together[0].wait(WITHIN)
        upgrade(directory.database)


def upsert_together(url: str, external_ids: Sequence[str]) -> list[Action]:
    with directory_at(url) as directory:
        _together[0].wait(WITHIN)
        return [directory.users.upsert(DEFAULT_APP, one, Profile())[1] for one in external_ids]


def is_revoked(url: str, token: Issued) -> bool:
    with directory_at(url) as directory:
        return not is_good(directory, token)


def write_until_killed(url: str, prefix: str) -> None:
    """Make users, and print the id of each once it is written."""
    with directory_at(url) as directory:
        for number in itertools.count():
            directory.users.upsert(DEFAULT_APP, f"{prefix}-{number}", Profile(name="x" * 500))
            print(f"{prefix}-{number}", flush=True)
