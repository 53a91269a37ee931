"""Secrets as people store them: what is taken off, and what stops the start."""

import codecs
from pathlib import Path
from typing import Any

import pytest

from chatproxy import settings
from chatproxy.providers import SETTINGS
from chatproxy.settings.variables import declared
from tests.settings.loading import problems_of

LONG = "a-secret-of-forty-characters-0123456789ab"
#: A good text for every secret variable that there is.
GOOD = {
    "DATABASE_URL": "postgresql://u:it%27s%22@db/chat",
    "KEY_SIGNING_SECRET": f"k-{LONG}",
    "REDIS_URL": "redis://:it%27s%22@redis/0",
    "STREAM_API_KEY": "key",
    "STREAM_API_SECRET": f"s-{LONG}",
    "STREAM_AUTH_TOKEN": "eyJhbGciOiJIUzI1NiJ9.eyJzZXJ2ZXIiOnRydWV9.c2lnbmF0dXJl",
    "CHATSDK_JWT_SECRET": f"j-{LONG}",
    "CENTRIFUGO_TOKEN_SECRET": f"c-{LONG}",
    "CHATSDK_API_KEY": "chatsdk_key",
    "CHATSDK_APP_KEY": "chatsdk_app_key",
    "CENTRIFUGO_API_KEY": "centrifugo-key",
    "PERFORMCHAT_JWT_SECRET": f"p-{LONG}",
    "PERFORMCHAT_KEY_ID": "pk_1",
    "PERFORMCHAT_KEY_SECRET": "sk_1",
    "IMKIT_API_KEY": "platform+key/==",
    "IMKIT_CLIENT_KEY": "client+key/==",
    "IMBACHAT_API_PASSWORD": 'the widget\'s "password" no. 1',
    "IMBACHAT_SECRET_KEY": f"i-{LONG}",
}
OTHERS = {
    "PROVIDERS": "stream,chatsdk,performchat,imkit,imbachat",
    "CENTRIFUGO_API_URL": "http://centrifugo:8000/api",
    "PERFORMCHAT_BASE_URL": "https://api.perform.chat",
    "IMKIT_BASE_URL": "https://imkit.example",
}
LISTS = ("KEY_SIGNING_SECRET", "STREAM_API_SECRET", "CHATSDK_JWT_SECRET", "PERFORMCHAT_JWT_SECRET")

#: How a text is spoilt, and a word of what is said of it.
SPOILT = {
    "single quotes": ("'{}'", "quotes"),
    "double quotes": ('"{}"', "quotes"),
    "typographic quotes": ("“{}”", "quotes"),
    "a zero-width space": ("{}\u200b", "ZERO WIDTH SPACE"),
    "a zero-width space before it": ("\u200b{}", "ZERO WIDTH SPACE"),
    "a joiner": ("\u200d{}", "ZERO WIDTH JOINER"),
    "a second byte order mark": ("\ufeff\ufeff{}", "ZERO WIDTH NO-BREAK SPACE"),
    "a mark at its end": ("{}\ufeff", "ZERO WIDTH NO-BREAK SPACE"),
    "a soft hyphen": ("{}\u00ad", "SOFT HYPHEN"),
    "a direction mark": ("\u202a{}", "LEFT-TO-RIGHT EMBEDDING"),
    "a filler": ("{}\u3164", "HANGUL FILLER"),
    "a no-break space": ("{}\u00a0", "NO-BREAK SPACE"),
    "a wide space": ("\u3000{}", "IDEOGRAPHIC SPACE"),
    "a line separator": ("{}\u2028", "LINE SEPARATOR"),
    "a line break inside": ("{}\n{}", "a line break"),
    "a carriage return inside": ("{}\r{}", "a line break"),
    "an escape": ("\x1b{}", "U+001B"),
    "a form feed": ("{}\f", "U+000C"),
    "a replacement": ("{}\ufffd", "REPLACEMENT CHARACTER"),
}


def every_secret(environ: dict[str, str]) -> settings.Settings:
    return settings.load(SETTINGS, GOOD | OTHERS | environ)


def test_a_good_text_is_known_for_every_secret() -> None:
    found = every_secret({})
    names = {
        one.name for section in found.sections() for _, one in declared(type(section)) if one.secret
    }

    assert names - set(GOOD) <= {"UPSTREAM_PROXY"}


def in_files(folder: Path, contents: dict[str, bytes]) -> dict[str, str]:
    for name, content in contents.items():
        (folder / name).write_bytes(content)

    return OTHERS | {f"{name}_FILE": str(folder / name) for name in contents}


@pytest.mark.parametrize("how", SPOILT)
def test_what_no_secret_has_stops_the_start_with_each_variable_named(
    how: str, tmp_path: Path
) -> None:
    form, word = SPOILT[how]
    spoilt = {name: form.format(text, text) for name, text in GOOD.items()}
    files = in_files(tmp_path, {name: text.encode() for name, text in spoilt.items()})

    for environ, suffix in ((OTHERS | spoilt, ""), (files, "_FILE")):
        problems = problems_of(**environ)

        assert sorted(one.partition(":")[0] for one in problems) == sorted(
            name + suffix for name in GOOD
        )
        assert all(word in one for one in problems)
        assert not any(text in one for one in problems for text in GOOD.values() if text != "key")


@pytest.mark.parametrize(
    "form", ["\ufeff{}", "{}\n", "{}\r\n", " {} ", "\t{}\t", "\ufeff {}\r\n", "{}\n\n"]
)
def test_what_is_no_part_of_a_text_is_taken_off(form: str, tmp_path: Path) -> None:
    whole = every_secret({})
    stored = {name: form.format(text) for name, text in GOOD.items()}
    files = in_files(tmp_path, {name: text.encode() for name, text in stored.items()})

    assert every_secret(stored) == whole
    assert settings.load(SETTINGS, files) == whole


@pytest.mark.parametrize("form", ["'{}'", '"{}"', "{}\u200b", "{}\u00a0", "{}\ufeff"])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_one_text_of_a_list_is_held_to_the_same(form: str, place: int) -> None:
    lists = {}

    for name in LISTS:
        texts = [f"{number}{GOOD[name]}" for number in range(3)]
        texts[place] = form.format(texts[place])
        lists[name] = " , ".join(texts)

    problems = problems_of(**(GOOD | OTHERS | lists))
    assert sorted(one.partition(":")[0] for one in problems) == sorted(LISTS)
    assert not any(LONG in one for one in problems)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("CHATSDK_JWT_SECRET", 'it\'s a "quoted" passphrase, as long as one has to be'),
        ("CHATSDK_JWT_SECRET", "'tis a passphrase that begins with an apostrophe"),
        ("CHATSDK_JWT_SECRET", "grüße-äöü-пароль-密码-für-die-signatur-🔑"),
        ("CHATSDK_JWT_SECRET", "q1w2e3r4=t5z6u7i8=`~!@#$%^&*()_+{}|<>?/\\[]"),
        ("KEY_SIGNING_SECRET", "'half quoted and long enough to be a secret\""),
        ("IMBACHAT_API_PASSWORD", "pass wörd"),
        ("IMBACHAT_SECRET_KEY", "NAME=value, or whatever the form was given"),
        ("DATABASE_URL", "postgresql://u:%27quoted%27%E2%80%8B@db/chat"),
        ("REDIS_URL", "redis://:%22quoted%22@redis/0"),
        ("STREAM_API_SECRET", "x9+/=-_.~\"'"),
    ],
)
def test_what_a_secret_may_have_is_let_in(name: str, text: str) -> None:
    found = every_secret({name: text.replace("passphrase, as", "passphrase as")})

    assert any(text[:12] in secret for secret in found.secrets())


@pytest.mark.parametrize(
    "content",
    [
        codecs.BOM_UTF16_LE + LONG.encode("utf-16-le"),
        codecs.BOM_UTF16_BE + LONG.encode("utf-16-be"),
        LONG.encode("utf-16-le"),
        LONG.encode("utf-16-be"),
        codecs.BOM_UTF32_LE + LONG.encode("utf-32-le"),
        f"{LONG}é".encode("latin-1"),
        LONG.encode() + b"\0",
        b"\0" * 64,
    ],
)
def test_a_file_that_is_no_text_stops_the_start(content: bytes, tmp_path: Path) -> None:
    problems = problems_of(**in_files(tmp_path, dict.fromkeys(GOOD, content)))

    assert sorted(one.partition(":")[0] for one in problems) == sorted(
        f"{one}_FILE" for one in GOOD
    )
    assert not any(LONG in one for one in problems)


def test_bytes_that_are_no_text_stop_the_start() -> None:
    # As `os.environ` has them (PEP 383).
    texts = {name: f"{text}\udce9" for name, text in GOOD.items()}
    problems = problems_of(**(OTHERS | texts))

    assert len(problems) == len(GOOD)
    assert all(": it has a byte that is not UTF-8 in it" in one for one in problems)


def test_an_env_file_in_place_of_a_secret_is_told() -> None:
    texts = {name: f"{name}={text}" for name, text in GOOD.items()}
    problems = problems_of(**(OTHERS | texts))

    assert len(problems) == len(GOOD)
    assert all(
        any(one.endswith(f": it begins with `{name}=`. Write the value alone.") for one in problems)
        for name in GOOD
    )


@pytest.mark.parametrize(
    ("content", "word"),
    [("", "is empty"), ("\n", "is empty"), (f"'{LONG}'", "quotes"), (f"{LONG}\u200b", "ZERO")],
)
@pytest.mark.parametrize(
    ("provider", "name"),
    [
        ("chatsdk", "KEY_SIGNING_SECRET"),
        ("chatsdk", "CENTRIFUGO_TOKEN_SECRET"),
        ("imbachat", "IMBACHAT_API_PASSWORD"),
        ("imbachat", "IMBACHAT_SECRET_KEY"),
    ],
)
def test_a_kept_secret_is_held_to_the_same(
    provider: str, name: str, content: str, word: str, tmp_path: Path
) -> None:
    folder = tmp_path / "d.db.secrets"
    folder.mkdir(mode=0o700)
    (folder / name).write_text(content)
    (folder / name).chmod(0o600)
    ours: dict[str, Any] = {"PROVIDERS": provider, "DATABASE_URL": f"sqlite:///{tmp_path}/d.db"}
    (problem,) = problems_of(**ours)

    assert problem.startswith(name)
    assert word in problem


def test_a_byte_order_mark_is_taken_off_every_variable_and_the_client_configuration(
    tmp_path: Path,
) -> None:
    (tmp_path / "style.json").write_bytes(codecs.BOM_UTF8 + b'{"web": {}}')
    found = every_secret(
        {
            "HTTP_PORT": "\ufeff3007",
            "PROVIDERS": f"\ufeff{OTHERS['PROVIDERS']}",
            "STYLE_CONFIG": str(tmp_path / "style.json"),
        }
    )

    assert found.http_port == 3007
    assert list(found.provider_settings) == list(SETTINGS)
