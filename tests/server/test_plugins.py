"""gevent's plugins: found as before, and looked for once."""

from importlib import metadata

import pytest

from chatproxy.server.plugins import packages_read_once

GROUPS = ("console_scripts", "pytest11", "gevent.plugins.monkey.will_patch_all", "of nobody")


def test_who_asks_is_told_the_same_and_the_packages_are_read_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = metadata.entry_points
    expected = [set(metadata.entry_points(group=one)) for one in GROUPS]
    read: list[None] = []
    packages = metadata.distributions
    monkeypatch.setattr(metadata, "distributions", lambda: read.append(None) or packages())

    with packages_read_once():
        found = [set(metadata.entry_points(group=one)) for one in GROUPS]

    assert found == expected
    assert expected[0]
    assert len(read) == 1
    assert metadata.entry_points is before
