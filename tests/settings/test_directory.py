"""Settings of the directory, the limits and ChatSDK; secrets that a local run makes for itself."""

import stat
from pathlib import Path

import pytest

from chatproxy import settings
from chatproxy.providers import SETTINGS
from tests.settings.loading import local_run, problems_of, refusal_of

STREAM = {"STREAM_API_KEY": "key", "STREAM_API_SECRET": "s" * 40}
SECRETS = {
    "CHATSDK_JWT_SECRET": "j" * 40,
    "CENTRIFUGO_TOKEN_SECRET": "c" * 40,
    "KEY_SIGNING_SECRET": "k" * 40,
}
ALONE = SECRETS | {"PROVIDERS": "chatsdk"}


def test_stream_alone_has_no_directory_and_no_limits() -> None:
    found = settings.load(SETTINGS, STREAM)

    assert (found.directory, found.keys, found.limiter, found.kept) == (None, None, None, None)


def test_a_setting_of_chatsdk_turns_it_on() -> None:
    assert list(settings.load(SETTINGS, STREAM | SECRETS).provider_settings) == [
        "stream",
        "chatsdk",
    ]


def test_the_defaults_are_those_of_the_guide() -> None:
    found = settings.load(SETTINGS, ALONE)
    chatsdk = found.provider_settings["chatsdk"]

    assert (chatsdk.token_ttl, chatsdk.refresh_grace) == (86400, 86400)
    assert found.limiter is not None
    assert str(found.limiter.token_rate) == "10 per 15 minutes"
    assert found.directory is not None
    assert found.directory.database_url == "sqlite:///var/chatproxy.db"


def test_a_local_run_makes_its_secrets_and_keeps_them(tmp_path: Path) -> None:
    first, second = local_run("chatsdk", tmp_path), local_run("chatsdk", tmp_path)
    folder = tmp_path / "d.db.secrets"

    assert first.provider_settings == second.provider_settings
    assert first.keys == second.keys
    assert sorted(path.name for path in folder.iterdir()) == sorted(SECRETS)
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_kept_secrets_are_announced_and_never_printed(tmp_path: Path) -> None:
    found = local_run("chatsdk", tmp_path)
    (said,) = found.warnings()
    texts = [path.read_text().strip() for path in (tmp_path / "d.db.secrets").iterdir()]

    assert all(name in said for name in SECRETS)
    assert not any(text in said + repr(found) for text in texts)
    assert set(texts) <= set(found.secrets())


def test_one_that_is_set_is_not_made(tmp_path: Path) -> None:
    found = local_run("chatsdk", tmp_path, CHATSDK_JWT_SECRET="j" * 40)

    assert found.provider_settings["chatsdk"].jwt_secrets == ("j" * 40,)
    assert not (tmp_path / "d.db.secrets" / "CHATSDK_JWT_SECRET").exists()


@pytest.mark.parametrize(
    "environ",
    [
        {"BIND_HOST": "0.0.0.0"},
        {"DATABASE_URL": "postgresql://localhost/x"},
    ],
    ids=["beyond loopback", "on a server"],
)
def test_elsewhere_they_are_required(environ: dict[str, str]) -> None:
    found = problems_of(**({"PROVIDERS": "chatsdk"} | environ))

    assert [problem.partition(":")[0] for problem in found] == [
        "KEY_SIGNING_SECRET",
        "CHATSDK_JWT_SECRET",
        "CENTRIFUGO_TOKEN_SECRET",
    ]
    assert all("is missing" in problem for problem in found)


def test_where_they_cannot_be_kept_the_start_says_so(tmp_path: Path) -> None:
    (tmp_path / "d.db.secrets").write_text("a file where a folder should be")
    found = problems_of(PROVIDERS="chatsdk", DATABASE_URL=f"sqlite:///{tmp_path}/d.db")

    assert len(found) == 3
    assert all("is a link or of another kind" in problem for problem in found)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CHATSDK_JWT_SECRET", "short"),
        ("CHATSDK_JWT_SECRET", f"{'j' * 40},short"),
        ("KEY_SIGNING_SECRET", "x" * 31),
        ("CHATSDK_TOKEN_TTL", "86400"),
        ("CHATSDK_TOKEN_TTL", "59s"),
        ("CHATSDK_TOKEN_TTL", "31d"),
        ("CHATSDK_TOKEN_TTL", "-1h"),
        ("CHATSDK_TOKEN_TTL", "1.5h"),
        ("CHATSDK_TOKEN_TTL", "24H"),
        ("CHATSDK_TOKEN_TTL", "٢٤h"),
        ("CHATSDK_REFRESH_GRACE", "1w"),
        ("CHATSDK_BASE_URL", "ftp://x"),
        ("CHATSDK_BASE_URL", "https://user:pw@x"),
        ("CHATSDK_API_KEY", "a b"),
        ("CHATSDK_API_KEY", "é"),
        ("CHATSDK_APP_KEY", "a b"),
        ("CHATSDK_API_VERSION", "2"),
        ("CHATSDK_API_VERSION", "2026-06"),
        ("CHATSDK_SCOPES", "chat:read,"),
        ("CHATSDK_SCOPES", "chat read"),
        ("CHATSDK_SCOPES", "x" * 65),
        ("CHATSDK_SCOPES", ",".join(["x"] * 51)),
        ("CHATSDK_JWT_ISSUER", "a b"),
        ("CHATSDK_JWT_AUDIENCE", '"'),
        ("CHATSDK_WS_URL", "https://x"),
        ("CHATSDK_ALLOWED_ORIGINS", "app.example"),
        ("CHATSDK_ALLOWED_ORIGINS", "https://app.example/path"),
        ("DATABASE_URL", "sqlite://"),
        ("DATABASE_URL", "sqlite:///:memory:"),
        ("DATABASE_URL", "mysql://x/y"),
        ("DATABASE_URL", "postgresql://u:p@h:12x/d"),
        ("DATABASE_URL", "postgresql://u:p/w@h/d"),
        ("DATABASE_URL", "postgresql://h"),
        ("TOKEN_RATE_LIMIT", "10"),
        ("TOKEN_RATE_LIMIT", "0 per minute"),
        ("AUTH_FAILURE_LIMIT", "ten per minute"),
        ("REDIS_URL", "http://x"),
        ("LIMITS_WITHOUT_REDIS", "panic"),
    ],
)
def test_a_bad_value_is_named(name: str, value: str) -> None:
    assert refusal_of(name, value, ALONE)


def test_one_secret_for_both_tokens_is_refused() -> None:
    shared = {"CHATSDK_JWT_SECRET": "x" * 40, "CENTRIFUGO_TOKEN_SECRET": f"{'c' * 40},{'x' * 40}"}
    (problem,) = problems_of(**(ALONE | shared))

    assert problem.startswith("CENTRIFUGO_TOKEN_SECRET: a secret of it is also in CHATSDK_JWT_")
    assert "xxx" not in problem


def test_streams_secret_is_not_chatsdks_either() -> None:
    """A `token` would be a good Stream token: both name the user in `user_id`."""
    shared = STREAM | SECRETS | {"CHATSDK_JWT_SECRET": "s" * 40}
    (problem,) = problems_of(**shared)

    assert problem.startswith("CHATSDK_JWT_SECRET: a secret of it is also in STREAM_API_SECRET")


@pytest.mark.parametrize(
    "half", [{"CENTRIFUGO_API_URL": "http://c:8000/api"}, {"CENTRIFUGO_API_KEY": "key"}]
)
def test_half_of_a_centrifugo_is_refused(half: dict[str, str]) -> None:
    (problem,) = problems_of(**(ALONE | half))

    assert "Set both or none." in problem


def test_a_server_without_a_key_is_warned_of() -> None:
    found = settings.load(SETTINGS, ALONE | {"CHATSDK_BASE_URL": "https://x"})

    assert any("CHATSDK_API_KEY is not" in warning for warning in found.warnings())


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("postgres://u@h/d", "postgresql+psycopg://u@h/d"),
        ("postgresql://u@h/d", "postgresql+psycopg://u@h/d"),
        ("postgresql+psycopg://u@h/d", "postgresql+psycopg://u@h/d"),
        ("postgresql://h:5432/d?sslmode=require", "postgresql+psycopg://h:5432/d?sslmode=require"),
        ("postgresql:///d?host=/run", "postgresql+psycopg:///d?host=/run"),
        ("postgresql://u:p%2Fw@[::1]:1/d", "postgresql+psycopg://u:p%2Fw@[::1]:1/d"),
        ("postgresql://a,b/d", "postgresql+psycopg://a,b/d"),
        ("sqlite:////tmp/x.db", "sqlite:////tmp/x.db"),
    ],
)
def test_the_driver_is_ours_to_name(given: str, url: str) -> None:
    found = settings.load(SETTINGS, ALONE | {"DATABASE_URL": given})

    assert found.directory is not None
    assert found.directory.url == url


def test_a_secret_may_stand_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("f" * 40 + "\n")
    given = {name: text for name, text in ALONE.items() if name != "CHATSDK_JWT_SECRET"}
    found = settings.load(SETTINGS, given | {"CHATSDK_JWT_SECRET_FILE": str(tmp_path / "secret")})

    assert found.provider_settings["chatsdk"].jwt_secrets == ("f" * 40,)
