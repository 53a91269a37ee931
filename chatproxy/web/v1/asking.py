"""Each provider is asked in turn. One that fails keeps no other from its answer."""

import dataclasses
import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from flask import Response

from chatproxy.errors import CallerError, ChatproxyError
from chatproxy.providers.base import Provider
from chatproxy.web import access
from chatproxy.web.answers import private
from chatproxy.web.current import context, services

log = logging.getLogger(__name__)

#: Answered where nothing failed, but not all that was asked for could be done: looking at the
#: answer is needed, and asking again is of no use (RFC 4918 section 11.1).
INCOMPLETE = 207


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What came of asking one provider.

    `status` is the word in the answer, `facts` what stands beside it. `error` is why the provider
    was asked in vain, if it was.
    """

    status: str
    facts: Mapping[str, Any] = dataclasses.field(default_factory=dict, repr=False)
    error: ChatproxyError | None = None

    @property
    def failed(self) -> bool:
        """Whether asking again may do, since it was no fault of the caller's."""
        return self.error is not None and not isinstance(self.error, CallerError)

    def body(self) -> dict[str, Any]:
        """Return it as the answer has it."""
        if self.error is None:
            return {"status": self.status, **self.facts}

        return {
            "status": self.status,
            "errorMsg": self.error.message,
            "code": self.error.status,
            **self.facts,
        }


Outcomes = Mapping[str, Outcome]


def of_each(names: Iterable[str], ask: Callable[[Provider], Outcome]) -> Outcomes:
    """Ask each of the providers; return what came of it, by name."""
    return {name: _outcome(name, ask) for name in names}


def answer(
    user_id: str, outcomes: Outcomes, further: Mapping[str, Any], *, good: str, nobody: str
) -> Response:
    """Answer with what came of each.

    `good` is the word for what was to be done. `nobody` is said where no provider has the person.
    """
    status = _status(outcomes, good)
    first = next((one.error for one in outcomes.values() if one.failed), None)

    if first is not None:
        context().note(first)

    said = {} if status in (200, INCOMPLETE) else {"errorMsg": _message(outcomes, nobody)}
    body = {name: one.body() for name, one in outcomes.items()}
    made = private(
        {"userId": user_id, "complete": status == 200, **said, **further, "providers": body},
        status,
    )
    made.headers.update({} if first is None else first.headers)
    return made


def _outcome(name: str, ask: Callable[[Provider], Outcome]) -> Outcome:
    try:
        access.may_use(name)
        return ask(services().backends[name].provider)
    except CallerError as error:
        return Outcome("refused", error=error)
    except ChatproxyError as error:
        extra = {"provider": name, "detail": error.detail or error.message}
        log.warning("a provider failed", extra=extra)
        return Outcome("failed", error=error)


def _status(outcomes: Outcomes, good: str) -> int:
    failures = {one.error.status for one in outcomes.values() if one.error and one.failed}

    # Not 2xx: whoever looks at the status alone must not take a part for the whole.
    if failures:
        return failures.pop() if len(failures) == 1 else 502

    concerned = [one for one in outcomes.values() if one.status != "unknown"]
    refused = {one.error.status for one in concerned if one.error}

    if not concerned:
        return 404

    if all(one.error for one in concerned):
        return refused.pop() if len(refused) == 1 else 400

    return 200 if all(one.status == good for one in concerned) else INCOMPLETE


def _message(outcomes: Outcomes, nobody: str) -> str:
    failed = [name for name, one in outcomes.items() if one.failed]
    refused = [f"{name}: {one.error.message}" for name, one in outcomes.items() if one.error]

    if failed:
        return f"Not all of it could be done, ask again: {', '.join(failed)} failed."

    return refused[0] if refused else nobody
