"""What a worker makes of gunicorn's settings."""

import pytest
from gunicorn.config import Config

from chatproxy.server.worker import read_once
from tests.server.test_request import configured


def test_settings_that_are_read_once_are_the_same() -> None:
    cfg, plain = (configured(workers=3, worker_class="gevent", errorlog="-") for _ in range(2))
    read_once(cfg)

    # Of functions each configuration has its own.
    for name in (name for name in cfg.settings if not callable(getattr(plain, name))):
        assert getattr(cfg, name) == getattr(plain, name), name

    assert cfg.is_ssl == plain.is_ssl
    assert cfg.forwarded_allow_networks() == plain.forwarded_allow_networks()


def test_they_need_no_look_up(monkeypatch: pytest.MonkeyPatch) -> None:
    cfg = configured(keepalive=7)
    read_once(cfg)
    monkeypatch.delattr(Config, "__getattr__")

    assert cfg.keepalive == 7
