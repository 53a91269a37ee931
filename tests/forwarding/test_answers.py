"""Simple answers are read by expressions, all others by h11; both have to find the same."""

import random
from itertools import islice

import pytest

from chatproxy.errors import UpstreamBroken
from chatproxy.forwarding.answers import AnswerReader
from tests.badinput.test_headers_out import BREAKS_OFF, BROKEN
from tests.forwarding.answer_fuzz import SWITCHED, Library, differences, found_by

EACH = 2500

FOLDED = b"HTTP/1.1 200 OK\r\nX-A: a\r\n b\r\nContent-Length: 2\r\n\r\nab"
SIZED = b"HTTP/1.1 200 OK\r\nX-A: a\r\nContent-Length: 2\r\n\r\nab"
CODED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
CHUNKED = CODED + b"2\r\nab\r\nA\r\n0123456789\r\n0\r\n\r\n"
EXTENDED = CHUNKED.replace(b"\r\nA\r\n", b"\r\nA;b=c\r\n")
TRAILED = CHUNKED.replace(b"\r\n0\r\n", b"\r\n0\r\nX-T: a\r\n")
UNSIZED = b"HTTP/1.1 200 OK\r\nX-A: a\r\n\r\nab"
EARLIER = b"HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n" + SIZED
WHOLE = {
    "sized": SIZED,
    "chunked": CHUNKED,
    "folded field": FOLDED,
    "extension": EXTENDED,
    "trailer": TRAILED,
    "HTTP/1.0": SIZED.replace(b"1.1", b"1.0"),
    "to the end": UNSIZED,
    "interim first": EARLIER,
    "surplus": SIZED + b"HTTP/1.1 200 Evil\r\nContent-Length: 0\r\n\r\n",
    "closing": SIZED.replace(b"X-A: a", b"Connection: close"),
    "both framings": CHUNKED.replace(b"OK\r\n", b"OK\r\nContent-Length: 5\r\n"),
    "same length twice": SIZED.replace(b"X-A: a", b"Content-Length: 2"),
    "204": SIZED.replace(b"200 OK", b"204 No Content"),
}


@pytest.mark.parametrize("seed", range(4))
def test_nothing_is_read_otherwise_than_by_the_library(seed: int) -> None:
    found = islice(differences(random.Random(seed)), EACH)

    assert next(filter(None, found), "") == ""


@pytest.mark.parametrize("made", [*WHOLE.values(), *BROKEN.values(), *BREAKS_OFF.values()])
@pytest.mark.parametrize("ended", [True, False], ids=["ended", "open"])
def test_it_is_read_alike_wherever_it_is_cut_in_two(made: bytes, *, ended: bool) -> None:
    end = [b""] if ended else []

    for at in range(min(len(made), 200)):
        fed = [piece for piece in (made[:at], made[at:]) if piece] + end
        ours = found_by(AnswerReader(), fed)
        assert ours == found_by(Library(to_head=False, switching=False), fed)


@pytest.mark.parametrize("made", [SIZED, CHUNKED], ids=["sized", "chunked"])
def test_a_simple_answer_does_not_need_the_library(
    made: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(AnswerReader, "_library")

    assert found_by(AnswerReader(), [made]).state == "whole"
    assert found_by(AnswerReader(), [made]).can_be_followed


def test_the_end_within_a_body_of_known_size_is_no_end() -> None:
    found = found_by(AnswerReader(), [SIZED[:-1], b""])

    assert found.state == "broken body"
    assert found.body == b"a"


def test_another_protocol_may_begin_only_where_it_was_asked_for() -> None:
    fed = [SWITCHED + b"frames"]
    reader = AnswerReader(switching=True)

    assert found_by(reader, fed).state == "switched"
    assert reader.surplus() == b"frames"
    assert found_by(AnswerReader(), fed).state == "broken head"


def test_all_chunks_that_have_come_are_one_piece() -> None:
    """Each piece is a write to the caller."""
    reader = AnswerReader()
    reader.feed(CHUNKED)
    reader.head()

    assert [reader.piece(), reader.piece()] == [b"ab0123456789", b""]


def test_no_piece_is_made_of_ever_so_many_chunks() -> None:
    """A worker's other requests have their turn between pieces."""
    reader = AnswerReader()
    reader.feed(CODED + b"1\r\nx\r\n" * 10_000 + b"0\r\n\r\n")
    reader.head()
    pieces = list(iter(reader.piece, b""))

    assert sum(len(piece or b"") for piece in pieces) == 10_000
    assert len(pieces) > 10_000 / 64


def test_what_came_before_a_bad_chunk_is_handed_on_first() -> None:
    reader = AnswerReader()
    reader.feed(CHUNKED.replace(b"\r\n0\r\n", b"\r\nno size\r\n"))
    reader.head()

    assert reader.piece() == b"ab0123456789"

    with pytest.raises(UpstreamBroken):
        reader.piece()
