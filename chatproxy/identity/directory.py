"""The directory: every question about apps, keys, users and tokens has its home here."""

from collections.abc import Callable, Sequence

from chatproxy.identity.agents import Agents
from chatproxy.identity.apps import Apps
from chatproxy.identity.badges import Badges, ClientCounts
from chatproxy.identity.bulk_users import BulkUsers
from chatproxy.identity.database import Database
from chatproxy.identity.devices import Devices
from chatproxy.identity.key_format import KeyFormat
from chatproxy.identity.keys import Keys
from chatproxy.identity.opaque_token_format import OpaqueTokenFormat
from chatproxy.identity.opaque_tokens import OpaqueTokens
from chatproxy.identity.revocation import Revocation
from chatproxy.identity.signed_in_sessions import SignedInSessions
from chatproxy.identity.user_search import UserSearch
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
        # `now` can be set back, and is for what is stored; `monotonic` measures spans.
        self.database = Database(url, monotonic)
        self.apps = Apps(self.database, now)
        self._key_format = KeyFormat(signing_secrets)
        self._token_format = OpaqueTokenFormat(signing_secrets)
        self.keys = Keys(self.database, self._key_format, now, monotonic)
        self.users = Users(self.database, now)
        self.bulk_users = BulkUsers(self.database, self.users, now)
        self.user_search = UserSearch(self.database)
        self.agents = Agents(self.database, now)
        self.tokens = Revocation(self.database, now)
        self.opaque_tokens = OpaqueTokens(self.database, self._token_format, self.users, now)
        self.sessions = SignedInSessions(self.database, now)
        self.devices = Devices(self.database, now, monotonic)
        self._badge_clients = ClientCounts(self.database, monotonic)

    def sign_with(self, signing_secrets: Sequence[str]) -> None:
        """Sign keys and tokens with the first of these secrets from now on; all of them verify."""
        self._key_format.sign_with(signing_secrets)
        self._token_format.sign_with(signing_secrets)

    def badges(self, always: Sequence[str]) -> Badges:
        """Return the badges of clients that each have these sources from the start.

        Which sources those are is the provider's business, so each call says it.
        """
        return Badges(self.database, self._badge_clients, always)

    def close(self) -> None:
        """Write when keys were last used, and close all connections."""
        self.keys.flush_uses()  # where it fails, only a time of use is lost
        self.database.close()
