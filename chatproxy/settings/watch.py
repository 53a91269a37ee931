"""Keeping the settings in step with the files that they come from, for all workers at once.

The first process alone reads files. It looks at them every second, checks what has changed as at a
start, and posts what is in force. A worker never reads a file: it takes over the last post.
"""

import dataclasses
import logging
import os
import pickle
import threading
from collections.abc import Callable, Mapping

from chatproxy.errors import SettingsError
from chatproxy.settings import Providers, Settings, load
from chatproxy.settings.board import Board
from chatproxy.settings.files import Files
from chatproxy.settings.variables import declared

log = logging.getLogger(__name__)

#: Seconds between two looks. What has changed counts when two looks have found the same: a file may
#: be half written, or missing while another one takes its place.
INTERVAL = 1.0

#: Seconds that a reload waits for the look. A file may lie on a disk that does not answer.
LOOK_WITHIN = 5.0

#: Earlier secrets that are still hidden in the log.
MOST_HIDDEN = 200


@dataclasses.dataclass(frozen=True)
class InForce:
    """The settings that all workers use.

    `problems` say why newer ones are not in force. `hidden` are all secrets to be kept out of logs,
    those of earlier settings too.
    """

    settings: Settings
    problems: tuple[str, ...] = ()
    hidden: tuple[str, ...] = dataclasses.field(default=(), repr=False)


class Watch:
    """Watches the files, in a thread of the first process.

    `adopted` is told of new settings, `judged` whether a change was taken over.
    """

    def __init__(
        self,
        providers: Providers,
        monotonic: Callable[[], float],
        environ: Mapping[str, str] | None = None,
    ) -> None:
        # Read once for good: no later load may go by another environment.
        self._environ = dict(os.environ if environ is None else environ)
        self._providers = providers
        self._monotonic = monotonic
        self._seen = self._judged = Files()
        self._read = load(providers, self._environ, self._judged)
        self._ended: dict[str, dict[str, float]] = {}
        self._board = Board()
        self._wanted, self._looked = threading.Event(), threading.Event()
        # No fork while something is being taken over: the child would inherit half of it.
        self._lock = threading.Lock()
        self.in_force = InForce(self._read)
        self.adopted: Callable[[InForce], None] = lambda _: None
        self.judged: Callable[[bool], None] = lambda _: None
        self._post()

    def start(self) -> None:
        """Begin to watch."""
        os.register_at_fork(
            before=self._lock.acquire,
            after_in_parent=self._lock.release,
            after_in_child=self._lock.release,
        )
        threading.Thread(target=self._watch, name="settings", daemon=True).start()

    def reload(self) -> None:
        """Take over all changes now, or none of them if one is bad."""
        self._looked.clear()
        self._wanted.set()
        self._looked.wait(LOOK_WITHIN)

    def posted(self) -> tuple[int, InForce]:
        """Return the number of what is in force, and that; also in a process forked from this."""
        number, content = self._board.read()
        # Written by the process that this one was forked from, in memory that no other one has.
        return number, pickle.loads(content)  # noqa: S301

    @property
    def number(self) -> int:
        """The number of what is in force; it grows with every change."""
        return self._board.number

    def look(self, *, at_once: bool = False) -> None:
        """Look at the files; take over what two looks have found, or what this one has."""
        found = self._judged.again()  # outside of the lock, since a disk may not answer

        with self._lock:
            is_settled = at_once or found.is_as(self._seen)
            self._seen = found
            self._forget_ended()

            if is_settled and not found.is_as(self._judged):
                self._judge(found)

    def _watch(self) -> None:
        while True:
            at_once = self._wanted.wait(INTERVAL)
            self._wanted.clear()

            try:
                self.look(at_once=at_once)
            except Exception:
                log.exception("changed settings cannot be looked at")

            self._looked.set()

    def _judge(self, found: Files) -> None:
        self._judged = found

        try:
            read = load(self._providers, self._environ, found)
            _check_change(self._read, read)
        except SettingsError as error:
            self._refuse(tuple(error.problems))
        except Exception as error:  # noqa: BLE001 - whatever it is, what was good stays in force
            # Its kind alone: its text may hold a secret that is not hidden in the log yet.
            self._refuse((f"The settings cannot be read ({type(error).__name__}).",))
        else:
            self._adopt(read)

    def _refuse(self, problems: tuple[str, ...]) -> None:
        if problems != self.in_force.problems:
            log.error(
                "changed settings refused, the last good ones stay in force",
                extra={"config": {"fault": list(problems)}},
            )

        self.in_force = dataclasses.replace(self.in_force, problems=problems)
        self._post()
        self.judged(False)

    def _adopt(self, read: Settings) -> None:
        before, self._read = self._read, read
        changed, was_refused = _changed(before, read), bool(self.in_force.problems)
        self.in_force = dataclasses.replace(self.in_force, problems=())
        self._end(before.lists(), read.lists())
        self._put_in_force()

        self.judged(True)

        if changed or was_refused:
            log.info("changed settings in force", extra={"config": {"changed": changed}})

        for warning in read.warnings():
            if warning not in before.warnings():
                log.warning(warning)

    def _end(
        self, before: Mapping[str, tuple[str, ...]], after: Mapping[str, tuple[str, ...]]
    ) -> None:
        """Note until when secrets are accepted that are in force no more."""
        until = self._monotonic() + self._read.secret_overlap

        for name, secrets in before.items():
            for secret in secrets:
                self._ended.setdefault(name, {}).setdefault(secret, until)

        # One that is in force again ends no more. One that signs for another purpose now must not
        # verify for this one any longer.
        current = {secret for secrets in after.values() for secret in secrets}
        self._ended = {
            name: {secret: end for secret, end in ends.items() if secret not in current}
            for name, ends in self._ended.items()
        }
        self._drop_ended()

    def _forget_ended(self) -> None:
        if self._drop_ended():
            self._put_in_force()

    def _drop_ended(self) -> bool:
        now = self._monotonic()
        ended = self._ended
        self._ended = {
            name: {secret: end for secret, end in ends.items() if end > now}
            for name, ends in ended.items()
        }
        return self._ended != ended

    def _put_in_force(self) -> None:
        # Behind those that are in force: only the first one signs.
        settings = self._read.accepting(self._ended)
        # What is wrong with newer ones stays wrong when an overlap ends.
        self.in_force = dataclasses.replace(
            self.in_force, settings=settings, hidden=_hidden(self.in_force, settings)
        )
        # Before any worker uses a new secret, and could write it into the log.
        self.adopted(self.in_force)
        self._post()

    def _post(self) -> None:
        self._board.post(pickle.dumps(self.in_force))


def _hidden(before: InForce, settings: Settings) -> tuple[str, ...]:
    current = dict.fromkeys(settings.secrets())
    earlier = [one for one in (*before.hidden, *before.settings.secrets()) if one not in current]
    return (*dict.fromkeys(earlier[-MOST_HIDDEN:]), *current)


def _check_change(before: Settings, after: Settings) -> None:
    if before.directory is None or after.directory is None:
        return

    if before.directory.sqlite_path != after.directory.sqlite_path:
        raise SettingsError(["DATABASE_URL: names another database. Restart to change to it."])


def _changed(before: Settings, after: Settings) -> list[str]:
    """Return the names of the variables whose values differ."""
    values = [
        {
            one.name: getattr(section, attribute)
            for section in settings.sections()
            for attribute, one in declared(type(section))
        }
        for settings in (before, after)
    ]
    return [name for name, value in values[0].items() if values[1][name] != value]


_watch: Watch | None = None


def of_this_process(providers: Providers, monotonic: Callable[[], float]) -> Watch:
    """Return the watch of this process, made at the first call. Raises `SettingsError` then."""
    # gunicorn may load its settings again; what has been good once must not end it then.
    global _watch
    _watch = _watch or Watch(providers, monotonic)
    return _watch


def inherited() -> Watch | None:
    """Return the watch of the process that this one was forked from, if it has one."""
    return _watch
