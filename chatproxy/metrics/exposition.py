"""The sums in Prometheus's formats."""

import platform
from collections.abc import Iterable, Iterator, Mapping, Sequence

from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample

from chatproxy import __version__
from chatproxy.metrics import table
from chatproxy.metrics.segments import Key
from chatproxy.metrics.series import Gauge, Histogram, Metric, every_segment
from chatproxy.metrics.sums import TURN, sums
from chatproxy.turns import Turns

#: Of each metric its series: the values of the labels, and the cells.
Values = Mapping[str, Mapping[Key, Sequence[float]]]


def render(accept: str, *, draining: bool) -> tuple[bytes, str]:
    """Return all metrics, and their content type: OpenMetrics where the caller takes it."""
    found = sums(every_segment())
    found[table.DRAINING.name] = {(): [float(draining)]}
    found[table.BUILD.name] = {(__version__, platform.python_version()): [1.0]}
    encode, content_type = choose_encoder(accept)
    return encode(_Families(found)), content_type


class _Families(Collector):
    """What prometheus-client writes. It takes one family after the other."""

    def __init__(self, values: Values) -> None:
        self._values = values

    def collect(self) -> Iterator[Family]:
        """Yield each metric with its series."""
        turns = Turns(TURN)

        for one in table.TABLE:
            family = _family(one, self._values[one.name], turns)
            family.samples = _Paced(family.samples, turns)
            yield family


class _Paced(list[Sample]):
    """The lines of one metric. There may be thousands, and they are written in a row."""

    def __init__(self, samples: Iterable[Sample], turns: Turns) -> None:
        super().__init__(samples)
        self._turns = turns

    def __iter__(self) -> Iterator[Sample]:
        """Yield each, and let others run in between."""
        for one in super().__iter__():
            yield one
            self._turns.count()


def _family(one: Metric, series: Mapping[Key, Sequence[float]], turns: Turns) -> Family:
    if isinstance(one, Histogram):
        histogram = HistogramMetricFamily(one.name, one.meaning, labels=one.labels)

        for labels, cells in sorted(series.items()):
            buckets = [(_written(bound), count) for bound, count in one.cumulated(cells)]
            histogram.add_metric(labels, buckets, cells[-1])
            turns.count()

        return histogram

    made = GaugeMetricFamily if isinstance(one, Gauge) else CounterMetricFamily
    family = made(one.name, one.meaning, labels=one.labels)

    for labels, (value,) in sorted(series.items()):
        family.add_metric(labels, value)

    return family


def _written(bound: float) -> str:
    return "+Inf" if bound == float("inf") else str(bound)
