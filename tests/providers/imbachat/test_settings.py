"""ImbaChat's settings: what is needed, what a local run makes, what is refused."""

from pathlib import Path

import pytest

from chatproxy import settings
from chatproxy.providers import SETTINGS
from tests.settings.loading import local_run, problems_of

SECRETS = {
    "IMBACHAT_API_PASSWORD": "p" * 20,
    "IMBACHAT_SECRET_KEY": "s" * 64,
    "KEY_SIGNING_SECRET": "k" * 40,
}
ALONE = SECRETS | {"PROVIDERS": "imbachat", "IMBACHAT_DEV_ID": "40"}
ELSEWHERE = {"PROVIDERS": "imbachat", "BIND_HOST": "0.0.0.0"}


def test_the_defaults_are_those_of_the_plugins() -> None:
    found = settings.load(SETTINGS, ALONE).provider_settings["imbachat"]

    assert (found.token_ttl, found.base_url) == (7 * 3600, "https://imbachat.com")
    assert (found.api_login, found.app) == ("imbachat", "default")


def test_a_setting_of_its_own_turns_it_on() -> None:
    stream = {"STREAM_API_KEY": "key", "STREAM_API_SECRET": "s" * 40}

    assert list(settings.load(SETTINGS, stream).provider_settings) == ["stream"]
    assert list(settings.load(SETTINGS, stream | SECRETS).provider_settings) == [
        "stream",
        "imbachat",
    ]


def test_a_local_run_makes_its_secrets_and_has_no_widget(tmp_path: Path) -> None:
    first, second = local_run("imbachat", tmp_path), local_run("imbachat", tmp_path)
    made = sorted(path.name for path in (tmp_path / "d.db.secrets").iterdir())
    said = " ".join(first.warnings())

    assert first.provider_settings == second.provider_settings
    assert made == sorted(SECRETS)
    assert first.provider_settings["imbachat"].dev_id == "no-dev-id"
    assert "IMBACHAT_DEV_ID is not set" in said
    assert "shorter" not in said


def test_elsewhere_the_secrets_are_required() -> None:
    found = problems_of(**ELSEWHERE)

    assert [problem.partition(":")[0] for problem in found] == [
        "KEY_SIGNING_SECRET",
        "IMBACHAT_API_PASSWORD",
        "IMBACHAT_SECRET_KEY",
    ]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("IMBACHAT_API_LOGIN", "a:b"),
        ("IMBACHAT_API_LOGIN", "a\nb"),
        ("IMBACHAT_API_PASSWORD", "a\x7fb"),
        ("IMBACHAT_API_PASSWORD", "a\udcffb"),
        ("IMBACHAT_SECRET_KEY", "two\nlines"),
        ("IMBACHAT_DEV_ID", "40/../41"),
        ("IMBACHAT_DEV_ID", "4:0"),
        ("IMBACHAT_DEV_ID", "٤"),
        ("IMBACHAT_DEV_ID", "x" * 65),
        ("IMBACHAT_TOKEN_TTL", "25200"),
        ("IMBACHAT_TOKEN_TTL", "59s"),
        ("IMBACHAT_TOKEN_TTL", "31d"),
        ("IMBACHAT_BASE_URL", "chat.example"),
        ("IMBACHAT_BASE_URL", "javascript:alert(1)"),
        ("IMBACHAT_BASE_URL", "https://imbachat.com/?x"),
        ("IMBACHAT_APP", "a b"),
        ("IMBACHAT_APP", "x" * 65),
    ],
    ids=ascii,
)
def test_a_bad_value_is_named(name: str, value: str) -> None:
    (problem,) = problems_of(**(ALONE | {name: value}))

    assert problem.startswith(f"{name}: is not ")
    assert value not in problem


@pytest.mark.parametrize(
    ("secret", "is_short"), [("s" * 31, True), ("s" * 32, False), ("é" * 16, False)]
)
def test_a_short_secret_is_warned_of_and_used(secret: str, is_short: bool) -> None:
    found = settings.load(SETTINGS, ALONE | {"IMBACHAT_SECRET_KEY": secret})

    assert any("IMBACHAT_SECRET_KEY is shorter" in one for one in found.warnings()) == is_short


def test_secrets_are_in_no_repr_and_may_stand_in_files(tmp_path: Path) -> None:
    environ = {name: text for name, text in ALONE.items() if name not in SECRETS}

    for name in SECRETS:
        (tmp_path / name).write_text(f"{SECRETS[name]}\n")
        environ[f"{name}_FILE"] = str(tmp_path / name)

    found = settings.load(SETTINGS, environ)

    assert found.provider_settings["imbachat"].secret_key == SECRETS["IMBACHAT_SECRET_KEY"]
    assert not any(secret in repr(found) for secret in SECRETS.values())
    assert set(SECRETS.values()) <= set(found.secrets())
