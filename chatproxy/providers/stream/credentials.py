"""The key and the server token with which Stream is called."""

from collections.abc import Sequence

from chatproxy.forwarding.call import Call
from chatproxy.forwarding.credentials import Credentials

#: Names of headers and query fields in which Stream could find a credential of the caller.
RESERVED = frozenset({"api_key", "api_secret", "authorization", "stream_auth_type"})


class ServerCredentials:
    """Key and server token of one application; Stream takes the token without `Bearer`."""

    def __init__(self, api_key: str, server_token: str, secrets: Sequence[str]) -> None:
        self.put_in = Credentials(
            query=[("api_key", api_key)],
            headers=[("Authorization", server_token), ("stream-auth-type", "jwt")],
            reserved=RESERVED,
            made_from=secrets,
        )

    def call(
        self,
        method: str,
        path: str,
        *,
        query: Sequence[tuple[str, str]] = (),
        body: bytes | None = None,
    ) -> Call:
        """Return a call of our own with them; `query` is encoded, `body` is JSON."""
        kind = [] if body is None else [("Content-Type", "application/json")]
        ours = self.put_in
        return Call.own(
            method, path, query=[*ours.query, *query], headers=[*ours.headers, *kind], body=body
        )
