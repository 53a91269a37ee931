"""Control without credentials, for tests whose client runs in another process.

`GET faults` lists them, `POST faults` orders one, `DELETE faults` takes orders back;
`GET journal?since=N` reads what arrived, `DELETE journal` forgets it; `GET picture` is a picture to
upload.
"""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import parse_qs

from sandbox.answers import Answer, Refusal, Request, bytes_answer, json_answer
from sandbox.application import Application
from sandbox.routing import Route

from .faults import FORMS, FaultError, Faults
from .journal import Journal, Received

PREFIX = "/_sandbox/control/"
# One transparent dot, for SDKs that fetch a picture by its URL before they upload it.
PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNkYAAAAAYAAjCB0C8AAAAASUVORK5CYII="
)
ORDER_FIELDS = {"fault", "path", "method", "count"}


class Control(Application[Request]):
    """The application behind `PREFIX`."""

    def __init__(self, journal: Journal, faults: Faults) -> None:
        self._journal = journal
        self._faults = faults
        super().__init__(
            (
                Route("GET", f"{PREFIX}faults", self._list),
                Route("POST", f"{PREFIX}faults", self._order),
                Route("DELETE", f"{PREFIX}faults", self._take_back),
                Route("GET", f"{PREFIX}journal", self._read),
                Route("DELETE", f"{PREFIX}journal", self._forget),
                Route("GET", f"{PREFIX}picture", self._picture),
            )
        )

    def reply(self, request: Request) -> Answer:
        found = self.routes.find(request.head.method, request.head.path)
        if found is None:
            raise Refusal(404, {"error": "no such control"})

        return found.route.handler(request)

    def error(self, status: int) -> Answer:
        return json_answer(status, {"error": status})

    def _list(self, request: Request) -> Answer:
        return json_answer(200, {name: form.meaning for name, form in FORMS.items()})

    def _order(self, request: Request) -> Answer:
        try:
            order = json.loads(b"".join(request.pieces()))
            extra = {key: order[key] for key in order if key != "fault"}
            if not order.keys() <= ORDER_FIELDS:
                raise FaultError(f"only these fields: {sorted(ORDER_FIELDS)}")

            self._faults.next(order["fault"], **extra)
        except (ValueError, TypeError, AttributeError, KeyError, RecursionError) as error:
            raise Refusal(400, {"error": str(error)}) from error

        return json_answer(201, {"pending": self._faults.pending()})

    def _take_back(self, request: Request) -> Answer:
        self._faults.clear()
        return json_answer(200, {})

    def _read(self, request: Request) -> Answer:
        since = parse_qs(request.head.target.partition("?")[2]).get("since", ["0"])[0]
        if not since.isdigit():
            raise Refusal(400, {"error": "since must be a number"})

        entries = self._journal.snapshot(int(since))
        last = entries[-1].number if entries else int(since)
        return json_answer(200, {"next": last, "entries": [_shown(entry) for entry in entries]})

    def _forget(self, request: Request) -> Answer:
        self._journal.clear()
        return json_answer(200, {})

    def _picture(self, request: Request) -> Answer:
        return bytes_answer(200, PICTURE, ((b"content-type", b"image/png"),))


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
