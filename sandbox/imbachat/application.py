"""A request's way through the stand-in: who calls, what is asked, do it, answer."""

import base64
import itertools
import time
import uuid
from urllib.parse import parse_qsl

from ..answers import Answer, Refusal, Request, bytes_answer, json_answer, phrase
from ..application import Application
from ..bodies import small
from ..credentials import is_same
from ..routing import Route

SCRIPT = (b"content-type", b"application/javascript; charset=utf-8")
CHALLENGE = (b"www-authenticate", b'Basic realm="imbachat"')
# As little of the widget as a page needs: it keeps what it is told.
WIDGET = b"""\
window.ImbaChat = {load: function (options) {
  window.imbaChat = {options: options, openDialog: function (id) { this.opened = id; }};
}};
"""
MESSAGE = ("user_id", "room_id", "message")


class ImbaChatApplication(Application[Request]):
    """One widget: its id and its secret key."""

    def __init__(self, dev_id: str, secret_key: str) -> None:
        pair = f"{dev_id}:{secret_key}".encode()
        self._authorization = f"Basic {base64.b64encode(pair).decode()}"
        self._numbers = itertools.count(1)
        super().__init__(
            (
                Route("GET", f"/imbachat/v1/{dev_id}/widget", _widget, is_open=True),
                Route("POST", f"/imbachat/v2/{dev_id}/send_msg", self._send_message),
            )
        )

    def reply(self, request: Request) -> Answer:
        """Check the credentials of all but the script, which a page loads."""
        found = self.routes.find(request.head.method, request.head.path)
        given = "".join(request.head.values("authorization"))
        if not (found and found.route.is_open) and not is_same(given, self._authorization):
            return self.error(401)

        if found is None:
            raise _refusal(404, "Not Found")

        return found.route.handler(request)

    def error(self, status: int) -> Answer:
        """Return an error for a bare status."""
        if status == 401:
            return _refusal(401, "Authenticate required!").answer().with_headers(CHALLENGE)

        return _refusal(status, phrase(status, "Request failed")).answer()

    def _send_message(self, request: Request) -> Answer:
        body = small(request).decode("utf-8", "replace")
        form = dict(parse_qsl(body))
        missing = [name for name in MESSAGE if not form.get(name)]
        if missing:
            raise _refusal(422, f"{missing[0]} is required")

        message = {
            "id": next(self._numbers),
            "uuid": str(uuid.uuid4()),
            "message": form["message"],
            "time": str(int(time.time())),
        }
        return json_answer(200, {"success": True, "message": message})


def _widget(request: Request) -> Answer:
    return bytes_answer(200, WIDGET, (SCRIPT,))


def _refusal(status: int, error: str) -> Refusal:
    return Refusal(status, {"code": status, "success": False, "error": error})
