"""Bodies of every size arrive as they were sent, and a large one leaves no trace in memory."""

from collections.abc import Callable, Iterable

import pytest

from tests.bulk.transfer import chunked, download, forget_peak, in_one_chunk, peak_memory, upload
from tests.sidecar import Sidecar
from tests.upstream import StreamUpstream, bytes_sha256
from tests.upstream.payload import blocks

pytestmark = pytest.mark.bulk

SIZES = {"0 B": 0, "1 B": 1, "64 KiB": 64 * 1024, "100 MB": 100_000_000}
LARGEST = 1_000_000_000
MOST_GROWTH = 20_000_000
SEED = 7
# No divisor of any size here, and above what the sidecar reads at once.
PIECE = 100_003

#: How a body is put on the wire, by the name of its framing.
FRAMED: dict[str, Callable[[Iterable[bytes], int], Iterable[bytes]]] = {
    "sized": lambda pieces, _: pieces,
    "chunked": lambda pieces, _: chunked(pieces),
    "one chunk": in_one_chunk,
}

sizes = pytest.mark.parametrize("size", SIZES.values(), ids=SIZES.keys())
framings = pytest.mark.parametrize("framing", ["sized", "chunked"])


@sizes
@framings
def test_an_upload_arrives_as_it_was_sent(
    sidecar: Sidecar, upstream: StreamUpstream, size: int, framing: str
) -> None:
    assert_upload_is_intact(sidecar, upstream, size, framing)


@sizes
@framings
def test_a_download_arrives_as_it_was_sent(sidecar: Sidecar, size: int, framing: str) -> None:
    assert_download_is_intact(sidecar, size, framing)


@framings
@pytest.mark.parametrize("way", ["up", "down"])
def test_a_gigabyte_passes_without_growth(
    sidecar_before: Callable[..., Sidecar], upstream: StreamUpstream, way: str, framing: str
) -> None:
    """In a sidecar of its own: memory left over from other tests would hide the growth."""
    with sidecar_before(upstream.url, MAX_BODY_BYTES=str(LARGEST)) as fresh:
        assert_upload_is_intact(fresh, upstream, PIECE, framing)
        assert_download_is_intact(fresh, PIECE, framing)
        [worker] = fresh.workers()
        before = forget_peak(worker)

        if way == "up":
            assert_upload_is_intact(fresh, upstream, LARGEST, framing)
        else:
            assert_download_is_intact(fresh, LARGEST, framing)

        growth = peak_memory(worker) - before

    print(f"{LARGEST} bytes {way}, {framing}: the worker grew by {growth} bytes at most")
    assert growth < MOST_GROWTH


def test_a_gigabyte_in_one_chunk_passes_without_growth(
    sidecar_before: Callable[..., Sidecar], upstream: StreamUpstream
) -> None:
    """A chunk's size is the caller's to choose, so it must not be what is held."""
    with sidecar_before(upstream.url, MAX_BODY_BYTES=str(LARGEST)) as fresh:
        assert_upload_is_intact(fresh, upstream, PIECE, "one chunk")
        [worker] = fresh.workers()
        before = forget_peak(worker)
        assert_upload_is_intact(fresh, upstream, LARGEST, "one chunk")
        growth = peak_memory(worker) - before

    print(f"{LARGEST} bytes up, one chunk: the worker grew by {growth} bytes at most")
    assert growth < MOST_GROWTH


def assert_upload_is_intact(
    sidecar: Sidecar, upstream: StreamUpstream, size: int, framing: str
) -> None:
    upstream.journal.clear()
    body = FRAMED[framing](blocks(size, SEED, PIECE), size)
    said = upload(sidecar.port, "/proxy/_sandbox/echo", body, size if framing == "sized" else None)
    wanted = (size, bytes_sha256(size, SEED), "sized" if framing == "sized" else "chunked")
    assert (said["size"], said["sha256"], said["framing"]) == wanted

    [arrived] = upstream.journal
    assert arrived.complete
    assert (arrived.body_size, arrived.body_sha256, arrived.framing) == wanted
    assert arrived.values("content-length") == ([str(size)] if framing == "sized" else [])


def assert_download_is_intact(sidecar: Sidecar, size: int, framing: str) -> None:
    target = f"/proxy/_sandbox/bytes?size={size}&seed={SEED}&piece={PIECE}"
    got = download(sidecar.port, target + ("&chunked=1" if framing == "chunked" else ""))
    assert (got.status, got.complete, got.end) == (200, True, "message")
    assert (got.size, got.sha256, got.framing) == (size, bytes_sha256(size, SEED), framing)
