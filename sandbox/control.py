"""Control without credentials, for tests whose client runs in another process.

`GET faults` lists them, `POST faults` orders one, `DELETE faults` takes orders back;
`GET journal?since=N` reads what arrived, `DELETE journal` forgets it; `GET picture` is a picture to
upload.
Who reaches the stand-in may do this, which is why it listens on loopback only.
"""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import parse_qs

from .answers import Answer, Request, bytes_answer, json_answer
from .faults import FORMS, FaultError, Faults
from .journal import Journal, Received

# One transparent dot, for SDKs that fetch a picture by its URL before they upload it.
PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNkYAAAAAYAAjCB0C8AAAAASUVORK5CYII="
)
ORDER_FIELDS = {"fault", "path", "method", "count"}


class Control:
    """The application behind `/_sandbox/control/`."""

    def __init__(self, journal: Journal, faults: Faults) -> None:
        self._journal = journal
        self._faults = faults

    def respond(self, request: Request) -> Answer:
        """Do what is asked."""
        body = b"".join(request.pieces())
        action = f"{request.head.method} {request.head.path.rpartition('/')[2]}"
        if action == "POST faults":
            return self._order(body)

        if action == "GET faults":
            return json_answer(200, {name: form.meaning for name, form in FORMS.items()})

        if action == "DELETE faults":
            self._faults.clear()
            return json_answer(200, {})

        if action == "GET journal":
            return self._read(request.head.target)

        if action == "GET picture":
            return bytes_answer(200, PICTURE, ((b"content-type", b"image/png"),))

        if action == "DELETE journal":
            self._journal.clear()
            return json_answer(200, {})

        return self.failure("404")

    def failure(self, kind: str) -> Answer:
        """Return an error of this interface, which is no provider's."""
        return json_answer(int(kind), {"error": kind})

    def _order(self, body: bytes) -> Answer:
        try:
            order = json.loads(body)
            extra = {key: order[key] for key in order if key != "fault"}
            if not order.keys() <= ORDER_FIELDS:
                raise FaultError(f"only these fields: {sorted(ORDER_FIELDS)}")

            self._faults.next(order["fault"], **extra)
        except (ValueError, TypeError, AttributeError, KeyError, RecursionError) as error:
            return json_answer(400, {"error": str(error)})

        return json_answer(201, {"pending": self._faults.pending()})

    def _read(self, target: str) -> Answer:
        since = parse_qs(target.partition("?")[2]).get("since", ["0"])[0]
        if not since.isdigit():
            return self.failure("400")

        entries = self._journal.snapshot(int(since))
        last = entries[-1].number if entries else int(since)
        return json_answer(200, {"next": last, "entries": [_shown(entry) for entry in entries]})


def _shown(entry: Received) -> dict[str, Any]:
    return {
        "number": entry.number,
        "connection": entry.connection,
        "method": entry.method,
        "target": entry.target,
        "headers": [[n.decode("latin-1"), v.decode("latin-1")] for n, v in entry.headers],
        "framing": entry.framing,
        "fault": entry.fault,
        "status": entry.status,
        "malformed": entry.malformed,
        "complete": entry.complete,
        "ended": entry.ended.is_set(),
        "peer_left": entry.peer_left_at is not None,
        "closed": entry.closed_at is not None,
        "body_size": entry.body_size,
        "body_sha256": entry.body_sha256,
        "body": base64.b64encode(entry.body).decode(),
    }
