"""A request's way through the stand-in: is it clean, who calls, what is asked, do it."""

from __future__ import annotations

import base64
import itertools
import time
import uuid
from http import HTTPStatus
from urllib.parse import parse_qsl

from .. import probes
from ..answers import Answer, Request, bytes_answer, json_answer
from ..bodies import BodyTooLarge, limited
from ..credentials import is_same
from ..leaks import complaint

BODY_LIMIT = 1024 * 1024
SCRIPT = (b"content-type", b"application/javascript; charset=utf-8")
CHALLENGE = (b"www-authenticate", b'Basic realm="imbachat"')
# As little of the widget as a page needs: it keeps what it is told.
WIDGET = b"""\
window.ImbaChat = {load: function (options) {
  window.imbaChat = {options: options, openDialog: function (id) { this.opened = id; }};
}};
"""
MESSAGE = ("user_id", "room_id", "message")


class ImbaChatApplication:
    """One widget: its id and its secret key."""

    def __init__(self, dev_id: str, secret_key: str) -> None:
        pair = f"{dev_id}:{secret_key}".encode()
        self._authorization = f"Basic {base64.b64encode(pair).decode()}"
        self._script = f"/imbachat/v1/{dev_id}/widget"
        self._send = f"/imbachat/v2/{dev_id}/send_msg"
        self._numbers = itertools.count(1)

    def respond(self, request: Request) -> Answer:
        """Do what is asked."""
        try:
            return self._do(request)
        except BodyTooLarge:
            return self.failure("413").at_once()
        except probes.ProbeError as error:
            return _refusal(400, str(error))

    def failure(self, kind: str) -> Answer:
        """Return an error for a status."""
        status = int(kind.partition("-")[0])
        known = status in frozenset(HTTPStatus)
        return _refusal(status, HTTPStatus(status).phrase if known else "Request failed")

    def _do(self, request: Request) -> Answer:
        head = request.head
        wrong = complaint(head, "authorization")
        if wrong is not None:
            return _refusal(400, wrong)

        if head.path == self._script and head.method in ("GET", "HEAD"):
            return bytes_answer(200, WIDGET, (SCRIPT,))

        if not is_same("".join(head.values("authorization")), self._authorization):
            return _refusal(401, "Authenticate required!").with_headers(CHALLENGE)

        probed = probes.respond(request, head.path)
        if probed is not None:
            return probed

        if head.path == self._send and head.method == "POST":
            return self._send_message(request)

        return _refusal(404, "Not Found")

    def _send_message(self, request: Request) -> Answer:
        body = b"".join(limited(request, BODY_LIMIT)).decode("utf-8", "replace")
        form = dict(parse_qsl(body))
        missing = [name for name in MESSAGE if not form.get(name)]
        if missing:
            return _refusal(422, f"{missing[0]} is required")

        message = {
            "id": next(self._numbers),
            "uuid": str(uuid.uuid4()),
            "message": form["message"],
            "time": str(int(time.time())),
        }
        return json_answer(200, {"success": True, "message": message})


def _refusal(status: int, error: str) -> Answer:
    return json_answer(status, {"code": status, "success": False, "error": error})
