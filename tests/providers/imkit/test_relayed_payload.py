"""The packets in the body of a polling request, in both revisions."""

import time

import pytest

from chatproxy.providers.imkit.relaying.payload import BadPayload, Payload, goodbye

TEXT, BINARY = "text/plain;charset=UTF-8", "application/octet-stream"

BODIES = [
    ("4", TEXT, "2", ["2"]),
    ("4", TEXT, "40\x1e42[1]\x1ebAAE=", ["40", "42[1]", "bAAE="]),
    ("4", TEXT, '42["é🙂"]', ['42["é🙂"]']),
    ("3", TEXT, "2:40", ["40"]),
    ("3", TEXT, '2:404:42[]9:42["é🙂"]', ["40", "42[]", '42["é🙂"]']),
    ("3", TEXT, "", []),
    ("2", TEXT, "2:40", ["40"]),
    ("4", TEXT, '40{"token":"a"}', ['40{"token":"a"}']),
    ("4", TEXT, "2\x1e41/a:b,", ["2", "41/a:b,"]),
    ("3", TEXT, "6:b4AAE=1:1", ["b4AAE=", "1"]),
]


@pytest.mark.parametrize(("revision", "content_type", "content", "packets"), BODIES)
def test_a_body_is_read_and_written_again(
    revision: str, content_type: str, content: str, packets: list[str]
) -> None:
    made = Payload(content.encode(), revision, content_type)

    assert made.packets == packets
    assert made.written(packets) == content.encode()


def test_the_third_revision_has_binary_bodies() -> None:
    text = '42["é🙂"]'.encode()
    content = b"\0\x01" + bytes([len(text) - 10]) + b"\xff" + text + b"\1\x03\xff\x04\x00\xff"
    made = Payload(content, "3", BINARY)

    assert len(text) == 12
    assert made.packets == [text.decode(), b"\x04\x00\xff"]
    assert made.written(made.packets) == content


@pytest.mark.parametrize(
    ("revision", "content_type", "content"),
    [
        ("3", TEXT, b"40"),
        ("3", TEXT, b"3:40"),
        ("3", TEXT, b"-1:40"),
        ("3", TEXT, b"2:40x"),
        ("3", TEXT, b"9999999999:40"),
        ("3", TEXT, "٢:40".encode()),
        ("3", TEXT, "1:🙂".encode()),
        ("3", TEXT, b"2:\xff\xff"),
        ("4", TEXT, b"\xff"),
        ("4", BINARY, b"40"),
        ("3", BINARY, b"2:40"),
        ("3", BINARY, b"\0\x02\xff4"),
        ("3", BINARY, b"\2\x01\xff4"),
        ("3", BINARY, b"\0\x02\xff\xff\xff"),
        ("4", TEXT, b'16:42["auth","bad"]'),
        ("4", TEXT, b'4:42[]16:42["auth","bad"]'),
        ("4", TEXT, b'0x10:42["auth","bad"]'),
        ("4", TEXT, b'160e-1:42["auth","bad"]'),
        ("4", TEXT, b'\xef\xbb\xbf 16:42["auth","bad"]'),
        ("", TEXT, b'42["auth","bad"]'),
        ("3", TEXT, b'30:42["a","\x1e42["auth","bad","xxxx"]'),
        ("", TEXT, b'30:42["a","\x1e42["auth","bad","xxxx"]'),
        ("4", TEXT, b"2\x1e" * 10_001),
        ("3", TEXT, b"1:2" * 10_001),
    ],
)
def test_a_body_that_no_client_sends(revision: str, content_type: str, content: bytes) -> None:
    with pytest.raises(BadPayload):
        Payload(content, revision, content_type)


@pytest.mark.parametrize(
    ("revision", "packet"), [("3", b"1000:" + b"x" * 1000), ("4", b"x" * 1000 + b"\x1e")]
)
def test_a_large_body_takes_no_longer_than_its_length(revision: str, packet: bytes) -> None:
    started = time.process_time()
    Payload(packet * 8000, revision, TEXT)

    assert time.process_time() - started < 2


@pytest.mark.parametrize(("revision", "content"), [("3", b"2:411:1"), ("4", b"41\x1e1")])
def test_the_end_of_a_session(revision: str, content: bytes) -> None:
    assert goodbye(revision) == content
