"""While the directory cannot be asked: users are unknown, tokens go on, and it is said."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.databases import KINDS, run_at
from tests.providers.imbachat.conftest import Site


@pytest.mark.parametrize("kind", KINDS)
def test_users_are_503_and_tokens_need_no_directory(
    imbachat_before: Callable[..., Any], kind: str
) -> None:
    with imbachat_before(kind) as site:
        assert site.ask("/imbachat/users/6").status == 200
        url = site.sidecar.environ["DATABASE_URL"]
        run_at(url.replace("postgresql:", "postgresql+psycopg:"), "ALTER TABLE users RENAME TO x")

        for path in ("/imbachat/users/6", "/imbachat/api/v1/search/john"):
            reply = site.ask(path)
            assert (reply.status, reply.header("Retry-After")) == (503, "1")
            assert reply.json == {
                "code": 503,
                "version": "1.0",
                "error": "The directory cannot be asked.",
                "debug": "",
            }

        needs_none(site)


def needs_none(site: Site) -> None:
    assert site.get("/imbachat/token/6").status == 200
    assert site.get("/imbachat/widget/6?format=html").status == 200
    assert site.get("/imbachat/api/v1").status == 200
    assert site.get("/imbachat/users/6").status == 401
    assert site.ask("/imbachat/users/,").json == []
