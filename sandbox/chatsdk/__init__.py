"""A stand-in for ChatSDK's server, of January 2026, which its guide describes, or of today (2.0).

It issues tokens and keeps users and channels, and is strict about credentials. Facts from the
vendor's guide and its public code of both times.
"""

from collections.abc import Sequence
from typing import Unpack

from ..centrifugo import TOKEN_SECRET
from ..server import Listening, Server
from .application import ChatSDKApplication
from .authentication import JANUARY, Credentials, Version

# Known to everybody who has the source; real ones never look like this.
API_KEY = "chatsdk_sandbox_key_of_the_stand_in"
APP_KEY = "chatsdk_sandbox_app_key_of_the_stand_in"
JWT_SECRET = "sandbox-chatsdk-secret-of-the-stand-in-not-for-production"  # noqa: S105
CENTRIFUGO_SECRET = TOKEN_SECRET
APP_ID = "default"


class ChatSDKSandbox(Server):
    """The stand-in on a real socket; the first secret of a kind signs, all are accepted.

    `users` are those that it knows: a server of 2.0 takes no token of anybody else.
    """

    def __init__(
        self,
        api_key: str = API_KEY,
        jwt_secrets: Sequence[str] = (JWT_SECRET,),
        centrifugo_secrets: Sequence[str] = (CENTRIFUGO_SECRET,),
        app_id: str = APP_ID,
        app_key: str = APP_KEY,
        version: Version = JANUARY,
        **listening: Unpack[Listening],
    ) -> None:
        credentials = Credentials(
            api_key, tuple(jwt_secrets), tuple(centrifugo_secrets), app_id, app_key, version
        )
        app = ChatSDKApplication(credentials)
        self.users = app.state.users
        super().__init__(app, **listening)
