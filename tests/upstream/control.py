"""Control without credentials, for tests whose client runs in another process.

`POST faults` orders one, `GET journal` tells what arrived, `GET picture` is one to upload.
"""

import base64
import json
from typing import Any

from sandbox.answers import Answer, Refusal, Request, bytes_answer, json_answer
from sandbox.application import Application
from sandbox.routing import Route

from .faults import Faults
from .journal import Journal, Received

PREFIX = "/_sandbox/control/"
# One transparent dot, for SDKs that fetch a picture by its URL before they upload it.
PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNkYAAAAAYAAjCB0C8AAAAASUVORK5CYII="
)
SHOWN = ("method", "target", "framing", "status", "complete")


class Control(Application[Request]):
    """The application behind `PREFIX`."""

    def __init__(self, journal: Journal, faults: Faults) -> None:
        self._journal = journal
        self._faults = faults
        super().__init__(
            (
                Route("POST", f"{PREFIX}faults", self._order),
                Route("GET", f"{PREFIX}journal", self._read),
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

    def _order(self, request: Request) -> Answer:
        try:
            self._faults.next(**json.loads(b"".join(request.pieces())))
        except (ValueError, TypeError, AttributeError) as error:
            raise Refusal(400, {"error": str(error)}) from error

        return json_answer(201, {"pending": self._faults.pending()})

    def _read(self, request: Request) -> Answer:
        return json_answer(200, {"entries": [_shown(entry) for entry in self._journal]})

    def _picture(self, request: Request) -> Answer:
        return bytes_answer(200, PICTURE, ((b"content-type", b"image/png"),))


def _shown(entry: Received) -> dict[str, Any]:
    facts = {name: getattr(entry, name) for name in SHOWN}
    return {**facts, "body": base64.b64encode(entry.body).decode()}
