"""A stand-in for Stream's server, strict about what it is sent.

Facts from the vendor's public pages and from its official SDKs (stream-chat 4.33.0 and 9.53.0,
getstream 7.0.0, node-sdk 0.7.64). It answers what those SDKs are driven through in the tests, and
knows nothing else.
"""

from collections.abc import Sequence
from typing import Unpack

from ..server import Listening, Server
from .application import StreamApplication
from .authentication import Credentials

# Known to everybody who has the source; real ones never look like this. The sidecar knows this
# pair too, and refuses it in front of the real Stream.
API_KEY = "sandbox-key"
API_SECRET = "sandbox-secret-of-the-stand-in-not-for-production"  # noqa: S105


class StreamSandbox(Server):
    """The stand-in on a real socket; any of `api_secrets` may have signed a token."""

    def __init__(
        self,
        api_key: str = API_KEY,
        api_secrets: Sequence[str] = (API_SECRET,),
        **listening: Unpack[Listening],
    ) -> None:
        super().__init__(StreamApplication(Credentials(api_key, tuple(api_secrets))), **listening)
