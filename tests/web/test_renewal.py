"""Settings that a worker cannot use: its requests go on with what was good."""

from typing import Any

import pytest

from chatproxy.metrics.series import store
from chatproxy.providers import SETTINGS
from chatproxy.services import Services, open_services
from chatproxy.settings import Settings, load
from chatproxy.settings.watch import Watch
from chatproxy.web.renewal import Renewal
from tests.scraping import counted_in
from tests.stopwatch import Stopwatch

SECRET = "a-secret-of-forty-characters-0123456789ab"


@pytest.fixture
def watch(clock: Stopwatch) -> Watch:
    return Watch(SETTINGS, clock, {"STREAM_API_KEY": "key", "STREAM_API_SECRET": SECRET})


@pytest.fixture
def services() -> Services:
    return open_services(load(SETTINGS, {"STREAM_API_KEY": "k", "STREAM_API_SECRET": SECRET}), [])


def test_it_is_tried_once_and_told_without_its_text(
    watch: Watch, services: Services, caplog: pytest.LogCaptureFixture
) -> None:
    tried: list[Settings] = []
    before, failures = services.settings, failures_counted()

    def broken(settings: Settings) -> Any:
        tried.append(settings)
        raise ValueError(SECRET)

    renew = Renewal(watch, 0, services, broken)
    renew()
    renew()

    assert len(tried) == 1
    assert services.settings is before
    assert services.config.problems == ("This worker cannot use the settings (ValueError).",)
    assert SECRET not in caplog.text
    assert failures_counted() == failures + 1


def failures_counted() -> float:
    return counted_in(store().segment).value("chatproxy_settings_unusable_total")
