"""A stand-in for ChatSDK's server, in the generation that its guide describes (January 2026).

It issues tokens and keeps channels, and is strict about credentials. Facts from the vendor's guide
and public code of that time.
"""

from collections.abc import Sequence
from typing import Unpack

from ..centrifugo import TOKEN_SECRET
from ..server import Listening, Server
from .application import ChatSDKApplication
from .authentication import Credentials

# Known to everybody who has the source; real ones never look like this.
API_KEY = "chatsdk_sandbox_key_of_the_stand_in"
JWT_SECRET = "sandbox-chatsdk-secret-of-the-stand-in-not-for-production"  # noqa: S105
CENTRIFUGO_SECRET = TOKEN_SECRET
APP_ID = "default"


class ChatSDKSandbox(Server):
    """The stand-in on a real socket; the first secret of a kind signs, all are accepted."""

    def __init__(
        self,
        api_key: str = API_KEY,
        jwt_secrets: Sequence[str] = (JWT_SECRET,),
        centrifugo_secrets: Sequence[str] = (CENTRIFUGO_SECRET,),
        app_id: str = APP_ID,
        **listening: Unpack[Listening],
    ) -> None:
        credentials = Credentials(api_key, tuple(jwt_secrets), tuple(centrifugo_secrets), app_id)
        super().__init__(ChatSDKApplication(credentials), **listening)
