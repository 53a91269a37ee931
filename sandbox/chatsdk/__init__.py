"""A stand-in for ChatSDK's server, in the generation that its guide describes (January 2026).

Strict about what it is sent. Facts from the vendor's guide and public code of that time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..centrifugo import TOKEN_SECRET
from ..journal import CAPACITY
from ..standin import StandIn
from .application import ChatSDKApplication
from .authentication import Credentials
from .state import State

# Known to everybody who has the package; real ones never look like this.
API_KEY = "chatsdk_sandbox_key_of_the_stand_in"
JWT_SECRET = "sandbox-chatsdk-secret-of-the-stand-in-not-for-production"  # noqa: S105
CENTRIFUGO_SECRET = TOKEN_SECRET
APP_ID = "default"


class ChatSDKSandbox(StandIn):
    """One stand-in on a real socket; a context manager.

    Port 0 takes a free one. The first secret of a kind signs what the server itself gives out,
    all are accepted. `users` holds what was told of each user, by id.
    """

    def __init__(
        self,
        port: int = 0,
        api_key: str = API_KEY,
        jwt_secrets: Sequence[str] = (JWT_SECRET,),
        centrifugo_secrets: Sequence[str] = (CENTRIFUGO_SECRET,),
        app_id: str = APP_ID,
        *,
        host: str = "127.0.0.1",
        exposed: bool = False,
        journal_capacity: int = CAPACITY,
    ) -> None:
        state = State()
        self.users: dict[str, dict[str, Any]] = state.users
        credentials = Credentials(api_key, tuple(jwt_secrets), tuple(centrifugo_secrets), app_id)
        app = ChatSDKApplication(credentials, state)
        super().__init__(app, host, port, exposed=exposed, journal_capacity=journal_capacity)
