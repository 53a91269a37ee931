"""The directory: every question about apps, keys, users and tokens has its home here."""

import contextlib
from collections.abc import Callable, Sequence

from chatproxy.errors import DirectoryUnavailable
from chatproxy.identity.agents import Agents
from chatproxy.identity.apps import Apps
from chatproxy.identity.badges import Badges
from chatproxy.identity.boundtexts import BoundTextSigner
from chatproxy.identity.boundtokens import BoundTokens
from chatproxy.identity.devices import Devices
from chatproxy.identity.engine import Database
from chatproxy.identity.finding import UserFinder
from chatproxy.identity.keys import Keys
from chatproxy.identity.keytexts import KeySigner
from chatproxy.identity.revocation import Revocation
from chatproxy.identity.users import Users


class Directory:
    """Who is who, in one database. Nothing is opened before the first question."""

    def __init__(
        self,
        url: str,
        signing_secrets: Sequence[str],
        *,
        now: Callable[[], float],
        monotonic: Callable[[], float],
    ) -> None:
        self.database = Database(url, monotonic)
        self.apps = Apps(self.database, now)
        self.keys = Keys(self.database, KeySigner(signing_secrets), now, monotonic)
        self.users = Users(self.database, now)
        self.finder = UserFinder(self.database)
        self.agents = Agents(self.database, now)
        self.tokens = Revocation(self.database, now)
        self.bound = BoundTokens(self.database, self.users, now)
        self.bound_texts = BoundTextSigner(signing_secrets)
        self.devices = Devices(self.database, now, monotonic)
        self.badges = Badges(self.database)

    def close(self) -> None:
        """Write when keys were last used, and close all connections."""
        with contextlib.suppress(DirectoryUnavailable):  # what is lost is a time of use
            self.keys.flush_uses()

        self.database.close()
