"""Reading `/-/metrics` as Prometheus does."""

import dataclasses
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from chatproxy.metrics import table
from chatproxy.metrics.segments import Segment
from chatproxy.metrics.sums import sums
from tests.wire import ask, get

Sample = tuple[str, dict[str, str], float]


@dataclasses.dataclass
class Scrape:
    """What was read: each sample's name, labels and value."""

    samples: list[Sample]

    def value(self, name: str, **labels: str) -> float:
        """The sum of the samples that have at least these labels."""
        return sum(
            value
            for found, has, value in self.samples
            if found == name and labels.items() <= has.items()
        )

    def values_of(self, label: str) -> set[str]:
        """Every value that a label has anywhere."""
        return {has[label] for _, has, _ in self.samples if label in has}


def read(text: str) -> Scrape:
    return Scrape(
        [
            (one.name, dict(one.labels), one.value)
            for family in text_string_to_metric_families(text)
            for one in family.samples
        ]
    )


def scrape(port: int, *fields: str) -> Scrape:
    """Ask whichever worker takes the connection."""
    answer = ask(port, get("/-/metrics", *fields))
    assert answer.status == 200
    return read(answer.body.decode())


def counted_in(segment: Segment) -> Scrape:
    """What this process has counted in its memory: a value for each cell of a series."""
    found = sums([segment])
    names: dict[str, Any] = {one.name: one for one in table.TABLE}
    return Scrape(
        [
            (name, dict(zip(names[name].labels, labels, strict=True)), sum(cells[:-1] or cells))
            for name, series in found.items()
            for labels, cells in series.items()
        ]
    )
