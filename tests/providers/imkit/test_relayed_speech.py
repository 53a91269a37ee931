"""What a client says on a relayed socket: what goes on, what is rewritten, what is refused."""

import dataclasses
import json
from typing import Any

import pytest

from chatproxy.errors import TokenUnknown
from chatproxy.identity.records import User
from chatproxy.identity.token_records import Binding
from chatproxy.providers.imkit.errors import InvalidClientKey
from chatproxy.providers.imkit.relaying.speech import NO_TOKEN, NoSuchPacket, Speech

GOOD, THEIRS = "token-of-alice", "theirs"


def sign_in(token: str, _device_id: str) -> Binding:
    if token.removeprefix("Bearer ") != GOOD:
        raise TokenUnknown("The token is not known.")

    values: dict[str, Any] = dict.fromkeys(field.name for field in dataclasses.fields(User))
    known = {"external_id": "alice", "app_id": "app", "custom": {}, "created": 0.0, "updated": 0.0}
    return Binding(User(**values | known), "digest", 0)


def check_key(key: str) -> None:
    if key != "ours":
        raise InvalidClientKey("Invalid client key")


@pytest.fixture
def speech() -> Speech:
    return Speech(sign_in, check_key, THEIRS)


def refusal_in(packet: str | None) -> tuple[str, int]:
    """What stands before a refusal's list, and its code."""
    assert packet is not None
    front, _, content = packet.partition("[")
    (answer,) = json.loads(f"[{content}")
    return front, answer["RC"]


@pytest.mark.parametrize(
    "text",
    [
        "2",
        "3",
        "2probe",
        "5",
        "1",
        "40",
        "40/chat",
        "40/chat,",
        '40{"token":null}',
        '40{"a":"\\ud800","b":"é"}',
        "41",
        '42["chat message",{"auth":"x"}]',
        '42/chat,7["typing","r"]',
        '451-["file",{"_placeholder":true,"num":0}]',
        '437[{"RC":0}]',
        '42["auth3","x"]',
        '42["AUTH","x"]',
        '42["conf",{"encoding":"whatever"}]',
        "b4AAEC",
        "",
    ],
)
def test_all_else_goes_on_as_it_came(speech: Speech, text: str) -> None:
    assert speech.hear(text).onward == text
    assert speech.hear(text).back is None
    assert speech.bound is None


@pytest.mark.parametrize(
    ("said", "onward"),
    [
        (f'42["auth","{GOOD}"]', f'42["auth","{GOOD}"]'),
        (f'421["auth2","{GOOD}"]', f'421["auth2","{GOOD}"]'),
        (f'42/chat,13["auth","Bearer {GOOD}"]', f'42/chat,13["auth","{GOOD}"]'),
        (f'42 ["auth" , "{GOOD}"]', f'42["auth","{GOOD}"]'),
        (f'42["\\u0061uth2","{GOOD}"]', f'42["auth2","{GOOD}"]'),
        (f'42["auth","{GOOD}",null,"é"]', f'42["auth","{GOOD}",null,"é"]'),
        (f'42["auth","{GOOD}","\\uDFFF"]', f'42["auth","{GOOD}","\\udfff"]'),
        (
            f'42["auth2","{GOOD}",{{"CLIENT_KEY":"ours","Authorization":"{GOOD}","a":1}}]',
            f'42["auth2","{GOOD}",{{"CLIENT_KEY":"{THEIRS}","Authorization":"{GOOD}","a":1}}]',
        ),
        (
            f'42["auth2","{GOOD}",{{"IM-Client-Key":"ours","im-authorization":"another"}}]',
            f'42["auth2","{GOOD}",{{"IM-Client-Key":"{THEIRS}","im-authorization":"{GOOD}"}}]',
        ),
        (
            f'42["auth2","{GOOD}",{{"API_KEY":"k","IM-CLIENT-ID":"mallory"}}]',
            f'42["auth2","{GOOD}",{{"IM-CLIENT-ID":"alice"}}]',
        ),
        (f'451-["auth","{GOOD}",{{"n":1}}]', f'451-["auth","{GOOD}",{{"n":1}}]'),
        (f'40{{"token":"{GOOD}"}}', f'40{{"token":"{GOOD}"}}'),
        (
            f'40/chat,{{"token":"Bearer {GOOD}","clientKey":"ours","x":[]}}',
            f'40/chat,{{"token":"{GOOD}","clientKey":"{THEIRS}","x":[]}}',
        ),
        (f"40/chat?token={GOOD},", f"40/chat?token={GOOD},"),
    ],
)
def test_a_sign_in_goes_on_with_what_the_server_knows(
    speech: Speech, said: str, onward: str
) -> None:
    heard = speech.hear(said)

    assert (heard.onward, heard.back) == (onward, None)
    assert speech.bound is not None
    assert speech.bound.user.external_id == "alice"


@pytest.mark.parametrize(
    ("said", "front", "code"),
    [
        ('427["auth","bad"]', "437", 401),
        ('42/chat,7["auth2","bad"]', "43/chat,7", 401),
        ('427[ "\\u0061\\u0075th","bad"]', "437", 401),
        ('427\n["auth","bad"]', "437", 401),
        ('427["auth"]', "437", 400),
        ('427["auth",5]', "437", 400),
        ('427["auth",{"token":"x"}]', "437", 400),
        (f'427["auth2","{GOOD}",{{"CLIENT_KEY":"other"}}]', "437", 403),
        (f'427["auth2","{GOOD}",{{"im_client_key":"other"}}]', "437", 403),
        (f'427["auth2","{GOOD}",{{"deviceId":5}}]', "437", 400),
    ],
)
def test_a_sign_in_that_is_not_good_is_answered_here(
    speech: Speech, said: str, front: str, code: int
) -> None:
    heard = speech.hear(said)

    assert heard.onward is None
    assert refusal_in(heard.back) == (front, code)
    assert speech.bound is None


def test_nobody_waits_for_an_answer_without_an_id(speech: Speech) -> None:
    heard = speech.hear('42["auth","bad"]')

    assert (heard.onward, heard.back) == (None, None)


def test_a_refusal_has_the_form_that_the_client_asked_for(speech: Speech) -> None:
    speech.hear('421["conf",{"encoding":"base64"}]')
    back = speech.hear('422["auth","bad"]').back

    assert back is not None
    assert back.startswith('432["eyJSQyI6IDQwMSw')


def test_what_belongs_to_a_refused_sign_in_does_not_go_on_either(speech: Speech) -> None:
    heard = speech.hear('452-7["auth",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]')

    assert (heard.onward, heard.swallowed) == (None, 2)
    assert refusal_in(heard.back) == ("437", 400)


def test_who_is_refused_stays_who_it_was(speech: Speech) -> None:
    speech.hear(f'42["auth","{GOOD}"]')
    before = speech.bound

    assert speech.hear('421["auth","bad"]').onward is None
    assert speech.bound is before


@pytest.mark.parametrize(
    ("said", "front"),
    [
        ('40{"token":"bad"}', "44{"),
        ('40/chat,{"token":"bad"}', "44/chat,{"),
        ('40{"token":["bad"]}', "44{"),
        ('40{"token":5}', "44{"),
        ('40/chat,{"clientKey":"other"}', "44/chat,{"),
        ("40/chat?token=bad", "44/chat,{"),
        ("40/chat?a=1&%74oken=bad,", "44/chat,{"),
        ("40/chat?client_key=ours", "44/chat,{"),
    ],
)
def test_a_namespace_is_not_entered_with_bad_credentials(
    speech: Speech, said: str, front: str
) -> None:
    heard = speech.hear(said)

    assert heard.onward is None
    assert str(heard.back).startswith(front)


@pytest.mark.parametrize(
    "text",
    [
        "4",
        "4x",
        "47[]",
        "42",
        '42"auth"',
        '42{"a":1}',
        "42[]",
        "42[5]",
        '42["auth',
        '42["auth"',
        '42["auth"] x',
        '42["auth","x"]["chat message"]',
        '421 2["auth","x"]',
        '4212345678901234567["auth","x"]',
        '42["au\\xth","x"]',
        "42[" + "[" * 100,
        '42["auth",NaN]',
        '40"token"',
        "40[]",
        '40{"token":"a","token":"b"}',
    ],
)
def test_what_no_client_sends_ends_the_socket(speech: Speech, text: str) -> None:
    """What we cannot read the server might read as a sign-in."""
    with pytest.raises(NoSuchPacket):
        speech.hear(text)


@pytest.mark.parametrize(
    ("start", "may_be"),
    [
        ('42["chat message","', True),
        ('451-["file","', True),
        ("b4", True),
        ('43["', True),
        ('42["auth","', False),
        ('42["\\u0061uth2","', False),
        ('40{"', False),
        ("4x", False),
    ],
)
def test_a_long_message_is_judged_by_its_start(start: str, may_be: bool) -> None:  # noqa: FBT001
    assert Speech.may_be_long(start + "x" * 70_000) is may_be


def test_a_long_message_whose_name_is_not_in_its_start_ends_the_socket() -> None:
    with pytest.raises(NoSuchPacket):
        Speech.may_be_long("42[" + " " * 70_000)


def test_a_client_is_sent_away_from_every_namespace_that_it_is_in(speech: Speech) -> None:
    for text in ("40", "40/a,", "40/b", "41/a,"):
        speech.hear(text)

    assert speech.goodbyes() == ["41", "41/b,"]


def test_nobody_fills_memory_with_namespaces(speech: Speech) -> None:
    for number in range(1000):
        speech.hear(f"40/{number},")

    assert len(speech.goodbyes()) <= 16


@pytest.mark.parametrize(
    ("said", "onward"),
    [
        ('427["auth","bad"]', '427["auth","NOBODYS"]'),
        ('42/chat,["auth2","bad",{"CLIENT_KEY":"ours"}]', '42/chat,["auth2","NOBODYS"]'),
        (f'42["auth2","{GOOD}",{{"CLIENT_KEY":"bad"}}]', '42["auth2","NOBODYS"]'),
        ('451-7["auth",{"_placeholder":true,"num":0}]', '427["auth","NOBODYS"]'),
        ('40{"token":"bad"}', '40{"token":"NOBODYS"}'),
        ("40/chat?token=bad", '40/chat,{"token":"NOBODYS"}'),
    ],
)
def test_where_nothing_can_be_answered_the_server_refuses(said: str, onward: str) -> None:
    speech = Speech(sign_in, check_key, THEIRS, answers=False)
    heard = speech.hear(said)

    assert (heard.onward, heard.back) == (onward.replace("NOBODYS", NO_TOKEN), None)
    assert speech.bound is None
