"""How a request says whether it has a body, and what of it can be sent again."""

import pytest

from chatproxy.errors import MalformedBody
from chatproxy.forwarding.body import CallerBody, Watched, framing
from chatproxy.forwarding.call import Call
from chatproxy.forwarding.target import Target


@pytest.mark.parametrize(
    ("length", "coding", "found"),
    [
        (None, None, (False, 0)),
        ("0", None, (True, 0)),
        ("17", None, (True, 17)),
        (None, "chunked", (True, None)),
        (None, " Chunked ", (True, None)),
    ],
)
def test_a_body_is_announced_by_one_of_two_fields(
    length: str | None, coding: str | None, found: tuple[bool, int | None]
) -> None:
    assert framing(length, coding) == found


@pytest.mark.parametrize("coding", ["gzip, chunked", "chunked, chunked", "identity", ""])
def test_a_coding_that_nobody_undoes_is_refused(coding: str) -> None:
    with pytest.raises(MalformedBody):
        framing(None, coding)


class OnTheWire:
    """A body that is still at the caller."""

    def has(self, _size: int) -> bool:
        return False

    def read1(self, most: int, _watched: Watched | None) -> bytes:
        return b"x" * most


class Overflowing(OnTheWire):
    """A source that gives more than it was asked for."""

    def read1(self, most: int, _watched: Watched | None) -> bytes:
        return b"x" * (most + 1)


def test_no_byte_goes_out_beyond_the_announced_length() -> None:
    """It would be taken for the next request."""
    with pytest.raises(MalformedBody, match="longer"):
        CallerBody(Overflowing(), 5).read()


@pytest.mark.parametrize(
    ("body", "consumes"),
    [
        (None, False),
        (CallerBody(OnTheWire(), 0), False),
        (CallerBody(OnTheWire(), 5), True),
        (CallerBody(OnTheWire(), None), True),
        (CallerBody.of_bytes(b"12345"), False),
    ],
    ids=["none", "empty", "sized", "chunked", "in memory"],
)
def test_only_a_body_that_can_be_read_once_is_consumed(
    body: CallerBody | None, consumes: bool
) -> None:
    """With any other one a call that met a dead connection is sent once more."""
    assert Call("POST", Target("/x", None), [], body).consumes_body is consumes
