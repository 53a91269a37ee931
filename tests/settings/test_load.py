"""Settings: read, checked, reported all at once, never printed."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from chatproxy import settings
from chatproxy.providers import SETTINGS
from chatproxy.providers.stream.settings import STAND_IN_KEY, STAND_IN_SECRET
from tests.settings.loading import problems_of, refusal_of

SECRET = "a-secret-of-forty-characters-0123456789ab"
MINIMUM = {"STREAM_API_KEY": "key", "STREAM_API_SECRET": SECRET}


def stream_of(found: settings.Settings) -> Any:
    return found.provider_settings["stream"]


def test_the_minimum_is_a_key_and_a_secret() -> None:
    found = settings.load(SETTINGS, MINIMUM)

    assert (found.http_port, found.bind_host, found.max_body_bytes) == (
        3000,
        "127.0.0.1",
        105 * 1024 * 1024,
    )
    assert stream_of(found).api_secrets == (SECRET,)
    assert list(found.warnings()) == []


def test_all_problems_are_reported_at_once() -> None:
    found = problems_of(HTTP_PORT="0", LOG_LEVEL="loud", PROVIDERS="stream,nobody")

    assert [problem.partition(":")[0] for problem in found] == [
        "HTTP_PORT",
        "LOG_LEVEL",
        "PROVIDERS",
        "STREAM_API_KEY",
        "STREAM_API_SECRET",
    ]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HTTP_PORT", "65536"),
        ("HTTP_PORT", "-1"),
        ("HTTP_PORT", "80.0"),
        ("HTTP_PORT", "8_0"),
        ("HTTP_PORT", "٨٠"),
        ("BIND_HOST", "127.0.0.1/x"),
        ("SERVICE_PREFIX", "talk"),
        ("SERVICE_PREFIX", "/chat/"),
        ("SERVICE_PREFIX", "/../x"),
        ("UPSTREAM_READ_TIMEOUT", "0"),
        ("UPSTREAM_READ_TIMEOUT", "nan"),
        ("UPSTREAM_CONNECT_TIMEOUT", "-1"),
        ("UPSTREAM_TOTAL_TIMEOUT", "inf"),
        ("UPSTREAM_POOL_SIZE", "many"),
        ("MAX_BODY_BYTES", "105MiB"),
        ("MAX_JSON_BYTES", "0"),
        ("EXPIRATION_TOKEN_DURATION", "0"),
        ("EXPIRATION_TOKEN_DURATION", "-5"),
        ("EXPIRATION_TOKEN_DURATION", "1h"),
        ("USERID_HEADER_KEY", "user_id"),
        ("USERID_HEADER_KEY", "a..b"),
        ("USERID_HEADER_KEY", "a b"),
        ("STREAM_BASE_URL", "chat.example"),
        ("STREAM_BASE_URL", "ftp://chat.example"),
        ("STREAM_BASE_URL", "https://user:pw@chat.example"),
        ("STREAM_BASE_URL", "https://chat.example?x=1"),
        ("STREAM_BASE_URL", "https://chat.example:99999"),
        ("STREAM_BASE_URL", "https://chat..example"),
        ("STREAM_BASE_URL", "https://.chat.example"),
        ("STREAM_BASE_URL", f"https://{'a' * 64}.example"),
        ("STREAM_API_KEY", "key&x=1"),
        ("STREAM_API_SECRET", "a,,b"),
        ("STREAM_AUTH_TOKEN", "not-a-token"),
        ("STREAM_ROOT_PORT", "x"),
        ("PERMISSIONS_VERSION", "3"),
        ("PERMISSIONS_CREATE_TYPES", "yes"),
        ("ERROR_OBJ_KEY", "authentication"),
    ],
)
def test_a_bad_value_is_named_and_never_printed(name: str, value: str) -> None:
    told = refusal_of(name, value, MINIMUM)

    assert value not in told or name == "ERROR_OBJ_KEY" or len(value) < 3


@pytest.mark.parametrize("value", ["gevent", "gthread"])
def test_a_setting_that_is_gone_is_told_once_and_has_no_effect(value: str) -> None:
    (warning,) = settings.load(SETTINGS, MINIMUM | {"WORKER_CLASS": value}).warnings()

    assert warning.startswith("WORKER_CLASS is set and has no effect any more: ")


def test_a_provider_that_is_not_known_is_named() -> None:
    (problem,) = problems_of(**MINIMUM, PROVIDERS="stream, nobody,else")

    assert problem.startswith("PROVIDERS: nobody, else is not known. The providers are stream, ")


def test_a_secret_may_stand_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(f"{SECRET}\n")
    found = settings.load(
        SETTINGS, {"STREAM_API_KEY": "key", "STREAM_API_SECRET_FILE": str(tmp_path / "secret")}
    )

    assert stream_of(found).api_secrets == (SECRET,)


@pytest.mark.parametrize(
    ("content", "words"), [(None, "cannot be read"), ("", "is empty"), ("\n", "is empty")]
)
def test_a_secret_file_without_a_secret_is_a_problem(
    tmp_path: Path, content: str | None, words: str
) -> None:
    path = tmp_path / "secret"

    if content is not None:
        path.write_text(content)

    (problem,) = problems_of(STREAM_API_KEY="key", STREAM_API_SECRET_FILE=str(path))
    assert problem.startswith("STREAM_API_SECRET_FILE: ")
    assert words in problem


def test_a_secret_given_twice_is_a_problem() -> None:
    (problem,) = problems_of(**MINIMUM, STREAM_API_SECRET_FILE="/x")

    assert problem.startswith("STREAM_API_SECRET: is set twice")


def test_several_secrets_are_a_rotation() -> None:
    found = settings.load(SETTINGS, MINIMUM | {"STREAM_API_SECRET": f" {SECRET} , old-{SECRET}"})

    assert stream_of(found).api_secrets == (SECRET, f"old-{SECRET}")
    assert set(found.secrets()) >= {SECRET, f"old-{SECRET}"}


def test_an_empty_variable_is_an_absent_one() -> None:
    assert (
        settings.load(SETTINGS, MINIMUM | {"HTTP_PORT": "", "STREAM_AUTH_TOKEN": " "}).http_port
        == 3000
    )


def test_no_repr_holds_a_secret() -> None:
    assert SECRET not in repr(settings.load(SETTINGS, MINIMUM))


@pytest.mark.parametrize(
    ("environ", "name"),
    [
        ({"STREAM_API_KEY": STAND_IN_KEY}, "STREAM_API_KEY"),
        ({"STREAM_API_SECRET": STAND_IN_SECRET}, "STREAM_API_KEY"),
        ({"STREAM_API_KEY": STAND_IN_KEY, "STREAM_API_SECRET": STAND_IN_SECRET}, "STREAM_BASE_URL"),
    ],
)
def test_the_stand_ins_credentials_do_not_mix_with_real_ones(
    environ: dict[str, str], name: str
) -> None:
    (problem,) = problems_of(**(MINIMUM | environ))

    assert problem.startswith(f"{name}:")


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({"BIND_HOST": "0.0.0.0"}, "administrator of the chat"),
        ({"BIND_HOST": "0.0.0.0"}, "set ALLOWED_HOSTS to the names that callers use"),
        ({"BIND_HOST": "::"}, "any name is served as Host"),
        ({"STREAM_API_SECRET": "short"}, "shorter than 32 bytes"),
    ],
)
def test_the_start_warns(environ: dict[str, str], words: str) -> None:
    (warning,) = settings.load(SETTINGS, MINIMUM | environ).warnings()

    assert words in warning


def test_the_start_warns_of_each_door_at_which_any_host_is_served() -> None:
    beyond = {"CLIENT_PORT": "3003", "CLIENT_HOST": "0.0.0.0"}  # noqa: S104
    (of_the_clients,) = settings.load(SETTINGS, MINIMUM | beyond).warnings()
    both = list(settings.load(SETTINGS, MINIMUM | beyond | {"BIND_HOST": "::"}).warnings())

    assert of_the_clients.startswith("CLIENT_HOST is 0.0.0.0, beyond loopback: any name is served")
    assert [one.split()[0] for one in both] == ["BIND_HOST", "CLIENT_HOST"]


@pytest.mark.parametrize(
    "more",
    [
        {"CLIENT_PORT": "3003", "CLIENT_HOST": "0.0.0.0", "ALLOWED_HOSTS": "chat.example"},
        {"CLIENT_PORT": "3003", "CLIENT_HOST": "::1"},
        {"CLIENT_PORT": "3003"},
        {"STATUS_PORT": "3004", "STATUS_HOST": "0.0.0.0"},
    ],
)
def test_the_start_warns_of_no_door_that_checks_hosts_or_has_no_need(more: dict[str, str]) -> None:
    assert list(settings.load(SETTINGS, MINIMUM | more).warnings()) == []


def test_the_start_does_not_warn_of_hosts_that_are_named() -> None:
    (warning,) = settings.load(
        SETTINGS, MINIMUM | {"BIND_HOST": "0.0.0.0", "ALLOWED_HOSTS": "chatproxy"}
    ).warnings()

    assert "ALLOWED_HOSTS" not in warning


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost", "LOCALHOST"])
def test_every_address_of_loopback_is_one(host: str) -> None:
    assert list(settings.load(SETTINGS, MINIMUM | {"BIND_HOST": host}).warnings()) == []


@pytest.mark.parametrize(
    "value", ["*", "https://chat.example", "chatproxy:3000", "a,,b", "a b", "*.example", "::1", "."]
)
def test_a_name_that_no_host_field_has(value: str) -> None:
    (problem,) = problems_of(**MINIMUM, ALLOWED_HOSTS=value)

    assert problem.startswith("ALLOWED_HOSTS: is not a comma list of host names without a port")


@pytest.mark.parametrize("value", ["*", "null", "app.example", "https://app.example/"])
def test_an_origin_that_no_page_has(value: str) -> None:
    (problem,) = problems_of(**MINIMUM, TRUSTED_ORIGINS=value)

    assert problem.startswith("TRUSTED_ORIGINS: is not a comma list of origins")
    assert "*" not in problem


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('{"web": ', "line 1"),
        ('{"web":\n\n 1}x', "line 3"),
        ("[]", "object of objects"),
        ('{"web": 1}', "object of objects"),
        ("\xff", "UTF-8"),
        ("[" * 100_000, "too deeply"),
        ('"' + "x" * 1_100_000 + '"', "smaller"),
    ],
)
def test_a_bad_client_configuration_stops_the_start(
    tmp_path: Path, content: str, words: str
) -> None:
    path = tmp_path / "style.json"
    path.write_bytes(content.encode("latin-1"))
    (problem,) = problems_of(**MINIMUM, STYLE_CONFIG=str(path))

    assert problem.startswith(f"STYLE_CONFIG: {path}")
    assert words in problem


def test_a_missing_client_configuration_stops_the_start(tmp_path: Path) -> None:
    (problem,) = problems_of(**MINIMUM, STYLE_CONFIG=str(tmp_path / "none.json"))

    assert "cannot be read" in problem


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        settings.load(SETTINGS, MINIMUM).http_port = 1  # type: ignore[misc]


@pytest.mark.parametrize("content", [None, "", "no certificate"])
def test_an_unusable_authority_file_stops_the_start(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "ca.pem"

    if content is not None:
        path.write_text(content)

    (problem,) = problems_of(**MINIMUM, UPSTREAM_CA_FILE=str(path))
    assert problem.startswith(f"UPSTREAM_CA_FILE: {path} cannot be used")


def test_two_listeners_need_two_ports() -> None:
    (problem,) = problems_of(**MINIMUM, HTTP_PORT="3002", STREAM_ROOT_PORT="3002")

    assert problem == "HTTP_PORT: is also the port of STREAM_ROOT_PORT. Choose two."


@pytest.mark.parametrize(
    ("ports", "expected"),
    [
        (
            {"CLIENT_PORT": "3000"},
            "HTTP_PORT: is also the port of CLIENT_PORT. Choose two.",
        ),
        (
            {"CLIENT_PORT": "3001", "STATUS_PORT": "3001", "STATUS_HOST": "10.0.0.1"},
            "CLIENT_PORT: is also the port of STATUS_PORT. Choose two.",
        ),
        (
            {"STATUS_PORT": "3002", "STREAM_ROOT_PORT": "3002", "HTTP_PORT": "3002"},
            "HTTP_PORT: is also the port of STATUS_PORT, STREAM_ROOT_PORT. "
            "Choose 3 different ones.",
        ),
    ],
)
def test_a_port_is_one_doors(ports: dict[str, str], expected: str) -> None:
    assert problems_of(**MINIMUM, **ports) == [expected]


def test_a_port_that_is_none_clashes_with_none() -> None:
    found = problems_of(**MINIMUM, HTTP_PORT="0", CLIENT_PORT="0", STATUS_PORT="3000")

    assert [one.partition(":")[0] for one in found] == ["HTTP_PORT", "CLIENT_PORT"]


def test_the_addresses_of_the_doors() -> None:
    environ = MINIMUM | {"CLIENT_PORT": "3003", "STATUS_PORT": "3004", "STREAM_ROOT_PORT": "3002"}
    hosts = {"BIND_HOST": "::1", "STATUS_HOST": "0.0.0.0"}  # noqa: S104
    found = settings.load(SETTINGS, environ | hosts).listeners()

    assert [(one.setting, one.address, one.door, one.mount) for one in found] == [
        ("HTTP_PORT", "[::1]:3000", "service", ""),
        ("CLIENT_PORT", "[::1]:3003", "client", ""),
        ("STATUS_PORT", "0.0.0.0:3004", "status", ""),
        ("STREAM_ROOT_PORT", "[::1]:3002", "service", "/stream/proxy"),
    ]


@pytest.mark.parametrize("name", ["CLIENT", "STATUS"])
def test_an_address_without_a_port_is_warned_of(name: str) -> None:
    (warning,) = settings.load(SETTINGS, MINIMUM | {f"{name}_HOST": "127.0.0.1"}).warnings()

    assert warning.startswith(f"{name}_HOST is set and {name}_PORT is not")


def test_a_list_of_no_provider_is_refused_beside_other_problems() -> None:
    found = problems_of(PROVIDERS=" , ", STREAM_API_KEY="key")

    assert found[0] == "PROVIDERS: is not a comma list of providers."
    assert found[1].startswith("STREAM_API_SECRET: is missing")


def test_a_bad_document_is_told_beside_a_missing_secret() -> None:
    found = problems_of(STREAM_API_KEY="key", STYLE_CONFIG="/nowhere.json")

    assert [problem.partition(":")[0] for problem in found] == [
        "STREAM_API_SECRET",
        "STYLE_CONFIG",
    ]


def test_a_command_does_without_the_sidecars_own_files(tmp_path: Path) -> None:
    """It may run where they are not mounted, such as in a job that upgrades the schema."""
    environ = {"UPSTREAM_CA_FILE": "/nowhere.pem", "DATABASE_URL": f"sqlite:///{tmp_path}/d.db"}

    assert settings.load_for_commands(environ).ca_file is None


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("STREAM_BSE_URL", "STREAM_BASE_URL"),
        ("STREAM_API_SECRETS", "STREAM_API_SECRET"),
        ("STREAM_API_SECERT_FILE", "STREAM_API_SECRET_FILE"),
        ("WORKER", "WORKERS"),
        ("HTTP-PORT", "HTTP_PORT"),
        ("log_level", "LOG_LEVEL"),
        ("CHATSDK_JWT_SECRETT", "CHATSDK_JWT_SECRET"),
        ("WORKER_CLAS", "WORKER_CLASS"),
    ],
)
def test_a_variable_that_is_one_slip_away_is_warned_of(name: str, meant: str) -> None:
    (warning,) = settings.load(SETTINGS, MINIMUM | {name: "never-said"}).warnings()

    assert warning == f"{name} is set and nobody reads it: is it meant to be {meant}?"


@pytest.mark.parametrize("name", ["PATH", "PORT", "STREAM_TIMEOUT", "REDIS_PORT", "HTTP_PROXY"])
def test_a_variable_that_is_further_away_is_somebody_elses(name: str) -> None:
    assert list(settings.load(SETTINGS, MINIMUM | {name: "3000"}).warnings()) == []


def test_an_empty_slip_is_an_absent_one() -> None:
    assert list(settings.load(SETTINGS, MINIMUM | {"STREAM_BSE_URL": " "}).warnings()) == []


def test_a_provider_behind_a_slip_has_its_settings_checked_in_the_same_go() -> None:
    found = problems_of(PROVIDERS="straem")

    assert [problem.partition(":")[0] for problem in found] == [
        "PROVIDERS",
        "STREAM_API_KEY",
        "STREAM_API_SECRET",
    ]


def test_what_is_wrong_between_variables_is_told_beside_what_is_wrong_with_one(
    tmp_path: Path,
) -> None:
    """Each of these was told only once the others were mended."""
    secret = "one-secret-for-two-purposes-0123456789abcdef"
    found = problems_of(
        PROVIDERS="stream,chatsdk,performchat,imkit",
        HTTP_PORT="0",
        UPSTREAM_CA_FILE="/nowhere.pem",
        DATABASE_URL=f"sqlite:///{tmp_path}/d.db",
        STREAM_API_KEY="key&",
        STREAM_API_SECRET=f"{SECRET},{STAND_IN_SECRET}",
        STYLE_CONFIG="/nowhere.json",
        CHATSDK_JWT_SECRET=secret,
        CENTRIFUGO_TOKEN_SECRET=secret,
        CENTRIFUGO_API_KEY="key",
        CHATSDK_BASE_URL="no url",
        PERFORMCHAT_AGENTS="/nowhere.json",
        PERFORMCHAT_KEY_ID="pk_x",
        PERFORMCHAT_MAX_TTL="long",
        IMKIT_BASE_URL="no url",
        IMKIT_API_KEY="key",
    )

    assert sorted(problem.partition(":")[0] for problem in found) == [
        "CENTRIFUGO_API_KEY",
        "CENTRIFUGO_TOKEN_SECRET",
        "CHATSDK_BASE_URL",
        "HTTP_PORT",
        "IMKIT_BASE_URL",
        "IMKIT_BASE_URL",
        "PERFORMCHAT_AGENTS",
        "PERFORMCHAT_BASE_URL",
        "PERFORMCHAT_MAX_TTL",
        "STREAM_API_KEY",
        "STREAM_API_SECRET",
        "STYLE_CONFIG",
        "UPSTREAM_CA_FILE",
    ]


def test_what_another_problem_would_cause_is_not_told(tmp_path: Path) -> None:
    """Whether secrets can be made here depends on an address that is not known."""
    found = problems_of(
        PROVIDERS="imbachat", BIND_HOST="/", DATABASE_URL=f"sqlite:///{tmp_path}/d.db"
    )

    assert [problem.partition(":")[0] for problem in found] == ["BIND_HOST"]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "content", ["{}", '[{"id": 1, "name": "a"}]', '[{"name": "a"}]', "[", '[{"id":"a","x":1}]']
)
def test_a_bad_list_of_agents_is_told_with_the_rest(tmp_path: Path, content: str) -> None:
    path = tmp_path / "agents.json"
    path.write_text(content)
    found = problems_of(PROVIDERS="performchat", LOG_LEVEL="loud", PERFORMCHAT_AGENTS=str(path))

    assert found[0].startswith("LOG_LEVEL: ")
    assert any(one.startswith(f"PERFORMCHAT_AGENTS: {path} is not a list") for one in found[1:])


def test_the_room_for_bodies_holds_the_largest() -> None:
    (problem,) = problems_of(
        STREAM_API_KEY="key", STREAM_API_SECRET="s" * 40, MAX_JSON_BYTES="9", MAX_HELD_BYTES="8"
    )

    assert problem.startswith("MAX_HELD_BYTES: ")
    assert "MAX_JSON_BYTES" in problem
