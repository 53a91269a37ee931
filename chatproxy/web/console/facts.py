"""What the page says, as plain data: texts are raw, and become harmless in `page`."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from chatproxy import __version__
from chatproxy.metrics import table
from chatproxy.metrics.lately import Fact, Fault, newest_faults
from chatproxy.metrics.series import Metric, every_segment
from chatproxy.metrics.sums import sums
from chatproxy.providers import SETTINGS
from chatproxy.services import Backend, Part, Services
from chatproxy.settings.shown import Shown, in_force
from chatproxy.web.console.checks import Checks
from chatproxy.web.status import readiness

#: Faults that the page has room for.
MOST_FAULTS = 30

#: What is said of our credential, by what the provider has said of it.
CREDENTIALS = {
    "accepted": "accepted",
    "refused": "refused",
    "unknown": "not known yet",
}

Sums = Mapping[str, Mapping[tuple[str, ...], Sequence[float]]]


@dataclasses.dataclass(frozen=True)
class Dependency:
    """A server that the sidecar depends on. `checked` is in epoch seconds, None if never.

    `credential` is empty where none of ours is sent. `fault` is empty where it works.
    """

    name: str
    is_provider: bool
    credential: str
    checked: float | None
    fault: str


@dataclasses.dataclass(frozen=True)
class Counts:
    """What was counted for one provider since the start; webhooks by verdict and by outcome."""

    provider: str
    made: int
    refused: int
    revoked: int
    webhooks: Mapping[str, int]
    received: Mapping[str, int]


@dataclasses.dataclass(frozen=True)
class Facts:
    """All of the page. Times are in epoch seconds; `since` is None where no server runs."""

    version: str
    now: float
    since: float | None
    reasons: Mapping[str, str]
    notes: Mapping[str, Mapping[str, Any]]
    dependencies: Sequence[Dependency]
    faults: Sequence[Fault]
    counts: Sequence[Counts]
    requests: Mapping[str, int]
    settings: Sequence[Shown]


def gather(services: Services, checks: Checks) -> Facts:
    """Look at everything once."""
    # First: asking may change what readiness notes.
    checked = checks.look()
    reasons, notes = readiness(services)
    found = sums(every_segment())
    (since,) = found[table.STARTED_AT.name].get((), [0.0])
    return Facts(
        version=__version__,
        now=services.clock.now(),
        since=since or None,
        reasons=reasons,
        notes=notes,
        dependencies=_dependencies(services, checked, found),
        faults=newest_faults((one.lately for one in every_segment()), MOST_FAULTS),
        counts=[_counts(name, found) for name in services.backends],
        requests=_by_label(found, table.REQUESTS, "status_class"),
        settings=in_force(services.settings, SETTINGS),
    )


def _dependencies(
    services: Services, checked: Mapping[str, Fact], found: Sums
) -> Sequence[Dependency]:
    return [
        _dependency(part, services.backends.get(part.name), checked.get(part.name), found)
        for part in services.parts
        if part.ping is not None or part.name in services.backends
    ]


def _dependency(part: Part, backend: Backend | None, fact: Fact | None, found: Sums) -> Dependency:
    if backend is not None and backend.peer is None:
        needs = f"Nothing is forwarded: it needs {backend.provider.needed} to be set."
        return Dependency(part.name, True, "", None, needs)

    credential = "" if backend is None else CREDENTIALS[_said(part.name, fact, found)]
    at, fault = (None, "") if fact is None else (fact["at"], fact["fault"])
    return Dependency(part.name, backend is not None, credential, at, fault)


def _said(name: str, fact: Fact | None, found: Sums) -> str:
    """Return what the provider says of our credential."""
    # The check-up is the newest. Not every provider has one that needs the credential; then the
    # workers' forwarded calls tell.
    if fact is not None and fact["said"] in ("accepted", "refused"):
        return str(fact["said"])

    series = found[table.UPSTREAM_CREDENTIAL.name]
    told = [verdict for verdict in ("refused", "accepted") if series.get((name, verdict), [0])[0]]
    return told[0] if told else "unknown"


def _counts(provider: str, found: Sums) -> Counts:
    def of(metric: Metric) -> int:
        series = found[metric.name].items()
        return int(sum(cells[0] for labels, cells in series if labels[0] == provider))

    def each(metric: Metric) -> Mapping[str, int]:
        series = sorted(found[metric.name].items())
        return {
            labels[1]: int(cells[0])
            for labels, cells in series
            if labels[0] == provider and cells[0]
        }

    return Counts(
        provider,
        made=of(table.TOKENS_MINTED),
        refused=of(table.TOKENS_REFUSED),
        revoked=of(table.TOKENS_REVOKED),
        webhooks=each(table.WEBHOOK_VERDICTS),
        received=each(table.WEBHOOK_DELIVERIES),
    )


def _by_label(found: Sums, metric: Metric, label: str) -> Mapping[str, int]:
    place = metric.labels.index(label)
    counted: dict[str, int] = {}

    for labels, cells in sorted(found[metric.name].items(), key=lambda one: one[0][place]):
        counted[labels[place]] = counted.get(labels[place], 0) + int(cells[0])

    return counted
