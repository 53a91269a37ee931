"""gunicorn's settings with counting taken out, for `counting`."""

from typing import Any

from chatproxy import gunicorn_conf as shipped

globals().update({name: value for name, value in vars(shipped).items() if name[0] != "_"})


def post_fork(server: Any, worker: Any) -> None:  # noqa: ARG001 - gunicorn calls it so
    """Make all that counts do nothing."""
    from chatproxy.metrics import requests, series, upstreams
    from chatproxy.web import request_log

    def nothing(*_: Any, **__: Any) -> None:
        pass

    for kind in (series.Counter, series.Gauge):
        kind.add = nothing

    series.Gauge.set = nothing
    series.Histogram.observe = nothing
    requests.count = nothing
    request_log._count = nothing

    for name in ("begin", "opened", "closed", "reused", "idle", "answered", "failed"):
        setattr(upstreams.UpstreamCounts, name, nothing)
