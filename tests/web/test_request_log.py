"""What a request leaves behind in its worker."""

import gc
import sys

import pytest
from werkzeug.test import EnvironBuilder

from chatproxy import settings
from chatproxy.app import create_app
from chatproxy.metrics import series
from chatproxy.metrics.table import IN_FLIGHT
from chatproxy.providers import SETTINGS
from chatproxy.web.current import RequestContext
from chatproxy.web.request_log import RequestLog

ENVIRON = {"STREAM_API_KEY": "key", "STREAM_API_SECRET": "s" * 40}


@pytest.mark.parametrize("path", ["/token/alice", "/api-key", "/-/healthz"])
def test_a_request_leaves_nothing_for_the_garbage_collection(path: str) -> None:
    """A cycle would keep the caller's fields, and cost time while others are served."""
    app = create_app(settings.load(SETTINGS, ENVIRON))
    gc.collect()
    gc.disable()

    try:
        for _ in range(20):
            environ = EnvironBuilder(path=path).get_environ() | {"RAW_URI": path}
            answer = app.wsgi_app(environ, lambda *_: lambda _: None)
            assert b"".join(answer)
            answer.close()

        del environ, answer
        alive = [one for one in gc.get_objects() if isinstance(one, RequestContext)]
    finally:
        gc.enable()

    assert alive == []


@pytest.mark.parametrize("path", ["/token/alice", "/-/healthz"])
def test_what_is_broken_off_is_not_in_flight_any_more(path: str) -> None:
    """Such as by the end of the worker's greenlets."""
    app = create_app(settings.load(SETTINGS, ENVIRON))
    layer = app.wsgi_app
    assert isinstance(layer, RequestLog)
    layer._app = lambda *_: sys.exit()
    before = series.store().cells[IN_FLIGHT.place()]

    with pytest.raises(SystemExit):
        layer(EnvironBuilder(path=path).get_environ() | {"RAW_URI": path}, lambda *_: None)

    assert series.store().cells[IN_FLIGHT.place()] == before
