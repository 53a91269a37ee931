"""Sample secrets, which everybody knows, are refused beside a real server."""

import importlib
import re
from pathlib import Path
from typing import Any

import pytest

from chatproxy import settings
from chatproxy.providers import SETTINGS
from chatproxy.settings.published import SHARED, is_local
from sandbox import SERVED
from tests.composed import composed
from tests.settings.loading import problems_of

PUBLISHED = SHARED.union(*(one.published for one in SETTINGS.values()))
COMPOSED = composed()["services"]["chatproxy"]["environment"]
OWN = "a-secret-of-ones-own-0123456789abcdefghij"
STREAM = {"STREAM_API_KEY": "key", "STREAM_API_SECRET": OWN}
REAL = "https://chat.example"
FROM_COMPOSE = {
    name: COMPOSED[name]
    for name in ("KEY_SIGNING_SECRET", "CHATSDK_JWT_SECRET", "CENTRIFUGO_TOKEN_SECRET")
}


def stand_ins_credentials() -> set[str]:
    """Every key and secret at the head of a stand-in's package."""
    names = re.compile(r"(API_|CLIENT_|JWT_|TOKEN_)?(KEY|SECRET)|SECRET_KEY|KEY_(ID|SECRET)")
    modules = [importlib.import_module(f"sandbox.{name}") for name in SERVED]
    return {
        value
        for module in modules
        for name, value in vars(module).items()
        if names.fullmatch(name) and isinstance(value, str)
    }


def test_every_sample_secret_of_the_repository_is_on_the_list() -> None:
    found = stand_ins_credentials() | {COMPOSED["STREAM_API_KEY"], COMPOSED["STREAM_API_SECRET"]}
    found |= set(FROM_COMPOSE.values())

    assert len(found) >= 13
    assert found <= PUBLISHED


PROVIDERS: dict[str, dict[str, str]] = {
    "chatsdk": {
        "CHATSDK_BASE_URL": REAL,
        "CHATSDK_API_KEY": "chatsdk_sandbox_key_of_the_stand_in",
        "CHATSDK_APP_KEY": "chatsdk_sandbox_app_key_of_the_stand_in",
        "CHATSDK_JWT_SECRET": FROM_COMPOSE["CHATSDK_JWT_SECRET"],
        "CENTRIFUGO_TOKEN_SECRET": f"{OWN},{FROM_COMPOSE['CENTRIFUGO_TOKEN_SECRET']}",
    },
    "performchat": {
        "PERFORMCHAT_BASE_URL": REAL,
        "PERFORMCHAT_KEY_ID": "pk_sandbox_of_the_stand_in",
        "PERFORMCHAT_KEY_SECRET": "sk_sandbox_secret_of_the_stand_in",
    },
    "imkit": {
        "IMKIT_BASE_URL": REAL,
        "IMKIT_API_KEY": "imkit-sandbox-api-key-of-the-stand-in",
        "IMKIT_CLIENT_KEY": "imkit-sandbox-client-key-of-the-stand-in",
    },
    "imbachat": {
        "IMBACHAT_DEV_ID": "42",
        "IMBACHAT_SECRET_KEY": "sandbox-imbachat-secret-of-the-stand-in-not-for-production",
    },
}


@pytest.mark.parametrize("provider", PROVIDERS)
def test_for_each_provider(provider: str, tmp_path: Path) -> None:
    given = PROVIDERS[provider]
    shared = {"PROVIDERS": provider, "DATABASE_URL": f"sqlite:///{tmp_path}/d.db"}
    found = problems_of(**shared, **given, KEY_SIGNING_SECRET=FROM_COMPOSE["KEY_SIGNING_SECRET"])

    published = {name for name, text in given.items() if set(text.split(",")) & PUBLISHED}
    assert {one.partition(":")[0] for one in found} == {"KEY_SIGNING_SECRET", *published}
    assert all("holds a sample secret" in one for one in found)
    assert not any(secret in one for one in found for secret in PUBLISHED)


def test_the_compose_file_with_ones_own_account_at_stream() -> None:
    """The likeliest way there: the account is put in, and the rest is left as it was."""
    environ: dict[str, Any] = COMPOSED | STREAM | {"STREAM_BASE_URL": REAL, "STYLE_CONFIG": ""}
    found = problems_of(**environ)

    assert {one.partition(":")[0] for one in found} == {"KEY_SIGNING_SECRET", "DATABASE_URL"}
    assert "STREAM_BASE_URL is a real server" in found[0]


def test_centrifugo_is_a_server_too(tmp_path: Path) -> None:
    (problem,) = problems_of(
        PROVIDERS="chatsdk",
        DATABASE_URL=f"sqlite:///{tmp_path}/d.db",
        CENTRIFUGO_API_URL="https://centrifugo.example/api",
        CENTRIFUGO_API_KEY="centrifugo-sandbox-key",
    )

    assert problem.startswith("CENTRIFUGO_API_KEY: holds a sample secret")


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1", "http://127.8.0.1", "http://[::1]:1/x", "http://localhost"]
)
def test_beside_a_stand_in_they_are_what_they_are_for(tmp_path: Path, url: str) -> None:
    given = PROVIDERS["imkit"] | {"IMKIT_BASE_URL": url} | {"PROVIDERS": "imkit"}

    assert settings.load(SETTINGS, given | {"DATABASE_URL": f"sqlite:///{tmp_path}/d.db"})
    assert is_local(url)


@pytest.mark.parametrize(
    "url", ["http://sandbox.example", "http://127.0.0.1.example", "http://10.0.0.1", "http://[::2]"]
)
def test_an_address_that_only_looks_like_it_is_real(url: str) -> None:
    assert not is_local(url)


@pytest.mark.parametrize("odd", ["abc://[", "abc://u:p[x]y@z", "abc://Hunter℅@z", "://@://"])
def test_a_secret_that_is_no_url_is_not_parsed_as_one(tmp_path: Path, odd: str) -> None:
    """A parser would raise, and show a part of it in its message."""
    shared = {"PROVIDERS": "chatsdk", "DATABASE_URL": f"sqlite:///{tmp_path}/d.db"}
    own = {"CHATSDK_BASE_URL": REAL, "CHATSDK_API_KEY": "k", "CHATSDK_JWT_SECRET": odd + OWN}

    assert settings.load(SETTINGS, shared | own)


def test_a_password_in_a_url_counts_beside_what_no_url_should_hold() -> None:
    url = f"http://us[er:{sorted(SHARED)[-1]}@proxy:3128"
    (problem,) = problems_of(**STREAM, UPSTREAM_PROXY=url)

    assert problem.startswith("UPSTREAM_PROXY: holds a sample secret")
