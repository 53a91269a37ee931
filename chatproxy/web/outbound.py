"""Calls that the sidecar makes for itself, to a server that it depends on."""

import requests

from chatproxy.errors import AnswerBroken, UpstreamError
from chatproxy.providers.base import OwnCall
from chatproxy.services import Peer

#: Bytes of an answer that are looked at.
ENOUGH = 64 * 1024


def answer_of(peer: Peer, call: OwnCall) -> tuple[int, bytes]:
    """Make the call; return the status and the beginning of the body. Raises `UpstreamError`."""
    query = "&".join(f"{name}={value}" for name, value in call.query)
    url = f"{peer.upstream.origin}{peer.upstream.base_path}{call.path}"

    try:
        with peer.session.request(
            call.method,
            f"{url}?{query}" if query else url,
            headers=dict(call.headers),
            data=call.body,
            allow_redirects=False,
            stream=True,
        ) as answer:
            return answer.status_code, _beginning(answer)
    except AnswerBroken as error:
        raise UpstreamError(error.message, detail=error.detail) from error
    except requests.RequestException as error:
        raise UpstreamError("the answer could not be read.") from error


def _beginning(answer: requests.Response) -> bytes:
    content = b""

    for piece in answer.iter_content(ENOUGH):
        content += piece

        if len(content) >= ENOUGH:
            break

    return content
