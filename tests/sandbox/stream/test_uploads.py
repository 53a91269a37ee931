"""Uploads run through; too large ones are refused before they have come."""

import hashlib
import json
import time
from collections.abc import Iterator

import pytest

from sandbox.stream.files import UPLOAD_LIMIT
from tests.sandbox.client import CREDENTIALS, Client, Told, look, request_bytes, with_key
from tests.upstream import StreamUpstream, blocks

FORM = {**CREDENTIALS, "Content-Type": "multipart/form-data; boundary=bound"}
USER = b'--bound\r\nContent-Disposition: form-data; name="user"\r\n\r\n{"id":"ann"}\r\n'
FILE = b'--bound\r\nContent-Disposition: form-data; name="file"; filename="f.bin"\r\n\r\n'
END = b"\r\n--bound--\r\n"


def upload(client: Client, target: str, body: bytes | Iterator[bytes]) -> Told:
    return client.send("POST", with_key(target), body, FORM)


@pytest.mark.parametrize("prefix", ["", "/api/v2/chat"])
@pytest.mark.parametrize("kind", ["file", "image"])
def test_a_file_is_digested(client: Client, room: str, prefix: str, kind: str) -> None:
    content = b"".join(blocks(3_000_000, 5))
    told = upload(client, f"{prefix}{room}/{kind}", USER + FILE + content + END)

    assert told.status == 201
    assert told["file"].endswith("/f.bin")
    assert (told["size"], told["sha256"]) == (len(content), hashlib.sha256(content).hexdigest())


def test_a_file_may_come_in_chunks(client: Client, room: str, stand_in: StreamUpstream) -> None:
    told = upload(client, f"{room}/file", iter([USER, FILE, b"one", b"two", END]))

    assert told["sha256"] == hashlib.sha256(b"onetwo").hexdigest()
    assert stand_in.journal[-1].framing == "chunked"


def test_a_deleted_file_is_gone(client: Client, room: str) -> None:
    url = upload(client, "/uploads/file", USER + FILE + END)["file"]

    assert client.call("DELETE", f"/uploads/file?url={url}").status == 200
    assert client.call("DELETE", f"/uploads/file?url={url}").refusal == (404, 16)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"junk", id="no multipart"),
        pytest.param(USER + END, id="no file"),
        pytest.param(FILE + b"x" + END, id="no user"),
        pytest.param(USER + FILE + b"x", id="no end"),
    ],
)
def test_what_is_no_upload_is_code_4(client: Client, room: str, body: bytes) -> None:
    assert upload(client, f"{room}/file", body).refusal == (400, 4)


def test_a_declared_length_above_the_limit_is_refused_before_the_body(
    client: Client, room: str, stand_in: StreamUpstream
) -> None:
    """100 MB and one byte are announced, none of them is sent."""
    fields = {**FORM, "Content-Length": str(UPLOAD_LIMIT + 1)}
    started = time.monotonic()
    seen = client.see(request_bytes("POST", with_key(f"{room}/file"), fields), 5)

    assert seen.status == 413
    assert json.loads(seen.body)["code"] == 22
    assert b"connection: close" in seen.head
    assert (seen.ending, stand_in.journal[-1].body_size) == ("FIN", 0)
    assert time.monotonic() - started < 1


def test_a_chunked_upload_is_refused_when_it_passes_the_limit(client: Client, room: str) -> None:
    """The answer reaches a client that is still sending, because the stand-in lingers."""
    fields = {**FORM, "Transfer-Encoding": "chunked"}
    mebibyte = b"100000\r\n" + b"x" * (1 << 20) + b"\r\n"
    with client.connect() as sock:
        sock.sendall(request_bytes("POST", with_key(f"{room}/file"), fields))
        sock.sendall(b"%x\r\n%s\r\n" % (len(FILE), FILE))
        for _ in range(100):
            sock.sendall(mebibyte)

        seen = look(sock, 5)

    assert seen.status == 413
    assert seen.ending == "FIN"


def test_nothing_of_a_large_upload_is_held(client: Client, room: str) -> None:
    size = UPLOAD_LIMIT - 1_000
    fields = {**FORM, "Content-Length": str(len(USER + FILE + END) + size)}
    with client.connect() as sock:
        sock.sendall(request_bytes("POST", with_key(f"{room}/file"), fields) + USER + FILE)
        for piece in blocks(size, 1):
            sock.sendall(piece)

        sock.sendall(END)
        seen = look(sock, 1)

    assert seen.status == 201
    assert json.loads(seen.body)["size"] == size
