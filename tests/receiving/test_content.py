"""An event's bytes are made piece by piece, anew for each attempt."""

import gzip
import random
from functools import partial

import pytest

from chatproxy.providers.events import Content
from chatproxy.providers.stream.webhooks.gzipped import inflated, pieces

EVENT = random.Random(1).randbytes(50_000) + bytes(500_000)


@pytest.mark.parametrize(
    "content",
    [
        Content(partial(pieces, EVENT)),
        Content(partial(inflated, gzip.compress(EVENT))),
        Content(partial(inflated, gzip.compress(b"") + gzip.compress(EVENT) + bytes(9))),
    ],
    ids=["plain", "packed", "packed in members"],
)
def test_it_is_the_same_at_each_attempt(content: Content) -> None:
    body = content.upload()
    assert (body.length, body.is_replayable) == (len(EVENT), True)

    for _ in range(2):
        body.rewind()
        first = body.read()
        body.rewind()
        found = b""

        while piece := body.read():
            assert len(piece) <= 64 * 1024
            found += piece

        assert found == EVENT
        assert found.startswith(first)

    assert Content(partial(pieces, EVENT)).digest == content.digest
