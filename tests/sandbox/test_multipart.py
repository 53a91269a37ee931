"""Multipart read as a stream, whatever the pieces."""

import hashlib

import pytest

from sandbox.multipart import MultipartError, boundary_of, read_parts

BODY = (
    b"preamble\r\n--b\r\n"
    b'Content-Disposition: form-data; name="user"\r\n\r\n{"id":"ann"}\r\n--b\r\n'
    b'content-disposition: form-data; name="file"; filename="\xc3\xa4 b.bin"\r\n'
    b"Content-Type: image/png\r\n\r\n\r\n--b not yet\r\n--\r\n\r\n--b\r\n"
    b'Content-Disposition: form-data; name="empty"; filename="e"\r\n\r\n\r\n--b--\r\nepilogue'
)
FILE = b"\r\n--b not yet\r\n--\r\n"
# The file above would end at its first "\r\n--b", so give the boundary a longer name.
BODY = BODY.replace(b"--b\r\n", b"--bound\r\n").replace(b"--b--", b"--bound--")


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 10_000])
def test_parts_do_not_depend_on_the_pieces(size: int) -> None:
    pieces = (BODY[at : at + size] for at in range(0, len(BODY), size))
    user, file, empty = read_parts(pieces, b"bound")

    assert (user.name, user.filename, user.value) == ("user", None, b'{"id":"ann"}')
    assert (file.name, file.filename, file.content_type) == ("file", "ä b.bin", "image/png")
    assert (file.size, file.digest.hexdigest()) == (len(FILE), hashlib.sha256(FILE).hexdigest())
    assert file.value == b""
    assert (empty.name, empty.size) == ("empty", 0)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no boundary at all",
        b"--bound",
        BODY[:-20],
        BODY.replace(b"--bound--", b"--bound!!"),
        b"--bound\r\nContent-Disposition: form-data\r\n\r\n\r\n--bound--",
        b"--bound\r\n" + b"x" * 100_000,
        b'--bound\r\nContent-Disposition: form-data; name="a"\r\n\r\n'
        + b"x" * 100_000
        + b"\r\n--bound--",
    ],
)
def test_what_is_no_multipart_is_refused(body: bytes) -> None:
    with pytest.raises(MultipartError):
        read_parts([body], b"bound")


@pytest.mark.parametrize(
    ("content_type", "boundary"),
    [
        ("multipart/form-data; boundary=abc", b"abc"),
        ('Multipart/Form-Data; charset=x; Boundary="a b"', b"a b"),
    ],
)
def test_the_boundary_is_found(content_type: str, boundary: bytes) -> None:
    assert boundary_of(content_type) == boundary


@pytest.mark.parametrize("content_type", ["", "application/json", "multipart/form-data"])
def test_no_boundary_is_refused(content_type: str) -> None:
    with pytest.raises(MultipartError):
        boundary_of(content_type)
