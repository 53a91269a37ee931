"""Telling the IMKit server about a change of a client or a token, if there is a server."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from chatproxy.errors import Conflict, UpstreamError
from chatproxy.forwarding.call import Call
from chatproxy.identity.records import Profile
from chatproxy.identity.token_records import OpaqueToken
from chatproxy.providers.imkit.shapes import client_body, token_of
from chatproxy.providers.people import Reach

CLIENTS = "/admin/clients"
BOUND_ELSEWHERE = "Token is bound to another client"


class Server:
    """The IMKit server, by its name among those that can be reached."""

    def __init__(self, name: str, api_key: str, reach: Reach) -> None:
        self._name = name
        self._api_key = api_key
        self._reach = reach

    @property
    def is_configured(self) -> bool:
        """Whether there is a server."""
        return self._name in self._reach.servers

    def put_client(
        self, client_id: str, profile: Profile, token: OpaqueToken | None = None
    ) -> None:
        """Create or update a client there, perhaps with a token.

        Raises `Conflict`, `UpstreamError`.
        """
        bound = {} if token is None else token_of(token)
        self._send("POST", CLIENTS, client_body(client_id, profile) | bound)

    def put_clients(self, profiles: Mapping[str, Profile]) -> None:
        """Create or update many clients there; raise `UpstreamError`."""
        bodies = [client_body(*one) for one in profiles.items()]
        self._send("POST", f"{CLIENTS}/list", {"data": bodies})

    def end_tokens(self, client_id: str, token: str | None) -> bool:
        """End one token of a client there, or all; return whether the server knew it.

        Raises `UpstreamError`.
        """
        path = f"{CLIENTS}/{quote(client_id, safe='')}/token"
        named = {} if token is None else {"token": token}
        return self._send("DELETE", path, named, may_be_missing=True)

    def _send(
        self, method: str, path: str, document: Mapping[str, Any], *, may_be_missing: bool = False
    ) -> bool:
        """Send a change; return whether the server has what it is about.

        Raises `Conflict` if the server knows the token as another client's, else `UpstreamError`.
        """
        if not self.is_configured:
            return False

        headers = [("IM-API-KEY", self._api_key), ("Content-Type", "application/json")]
        body = json.dumps(document).encode()

        try:
            status, content = self._reach.ask(
                self._name, Call.own(method, path, headers=headers, body=body)
            )
        except UpstreamError as error:
            raise UpstreamError(
                "The IMKit server could not be told of the change. Nothing was changed.",
                detail=f"imkit: {error.detail or error.message}",
            ) from error

        if status == 404 and may_be_missing:
            return False

        if status == 409:
            raise Conflict(BOUND_ELSEWHERE)

        if not 200 <= status < 300 or not _is_success(content):
            raise UpstreamError(
                "The IMKit server refused the change. Nothing was changed.",
                detail=f"imkit: answered {status}",
            )

        return True


def _is_success(content: bytes) -> bool:
    # The vendor's own clients look at `RC` and ignore an answer without it.
    try:
        return bool(json.loads(content)["RC"] == 0)
    except (ValueError, KeyError, TypeError, RecursionError):
        return False
