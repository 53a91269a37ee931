"""One ImbaChat widget and imbachat.com."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from chatproxy.errors import NotServed
from chatproxy.forwarding.call import Call
from chatproxy.forwarding.credentials import Credentials
from chatproxy.providers.base import Dialect, Provider, Verdict
from chatproxy.providers.imbachat import basic, jwt_token, userids
from chatproxy.providers.imbachat.errors import envelope
from chatproxy.providers.imbachat.settings import NO_DEV_ID, ImbaChatSettings
from chatproxy.providers.imbachat.tokens import UserTokens
from chatproxy.providers.issuing import Inspection, Minted, Wanted
from chatproxy.providers.people import Ended, Given, Person, Reach, moments

NO_WEBSOCKET = "WebSockets are not proxied. The widget opens its own, at imbachat.com."


class ImbaChat(Provider):
    """The settings of one ImbaChat widget, and the calls to imbachat.com."""

    name = "imbachat"
    needed = "IMBACHAT_DEV_ID"  # the URL itself has a default

    def __init__(self, settings: ImbaChatSettings) -> None:
        self.app = settings.app
        self.base_url = None if settings.dev_id == NO_DEV_ID else settings.base_url
        self.dialect = Dialect(envelope, partial(NotServed, NO_WEBSOCKET))
        self.dialects = {"/imbachat": self.dialect}
        self._script_path = f"/imbachat/v1/{settings.dev_id}/widget"
        self.script_url = settings.base_url.rstrip("/") + self._script_path
        self.has_friends = settings.friends == "true"
        self._dev_id = settings.dev_id
        self._api_login = settings.api_login
        self._api_passwords = settings.api_passwords
        self.tokens = UserTokens(settings)
        authorization = basic.write(settings.dev_id, settings.secret_key)
        self._credentials = Credentials(
            [],
            [("Authorization", authorization)],
            frozenset({"authorization"}),
            made_from=[settings.secret_key],
        )

    def authorise(self) -> Credentials:
        """Return the widget's id and secret key, in Basic as `send_msg` needs them."""
        return self._credentials

    def verdict(self, status: int, content: bytes | None) -> Verdict:
        """Return what an answer says about our key."""
        # The script that `check` asks for needs no key, so only forwarded calls tell.
        return super().verdict(status, content) if content is None else "unknown"

    def check(self) -> Call:
        """Ask for the widget's script: no harmless call that needs the key is documented."""
        return Call.own("GET", self._script_path)

    def mint(self, wanted: Wanted, directory: object, now: float) -> Minted:  # noqa: ARG002
        """Make a user token; the user need not exist."""
        return self.tokens.mint(wanted, now)

    def inspect(self, token: str, directory: object, now: float) -> Inspection | None:  # noqa: ARG002
        """Return what a token says. Whether it is accepted only imbachat.com knows."""
        return self.tokens.inspect(token, now)

    def id_fault(self, user_id: str) -> str:
        """Return why ImbaChat can have nobody with this id."""
        return "" if userids.is_user_id(user_id) else userids.INVALID

    def give(self, person: Person, reach: Reach) -> Given:
        """Make a user token, and the user of whom imbachat.com will ask."""
        person.known_in(reach.directory, self.app)
        texts = {"token": self.tokens.make(person.user_id, reach.now)}
        connect = {"userId": int(person.user_id), "scriptUrl": self.script_url}
        return Given(texts, int(reach.now) + self.tokens.ttl, connect)

    def end_user(
        self,
        user_id: str,
        app: str,  # noqa: ARG002
        reach: Reach,
        *,
        even_unused: bool = False,  # noqa: ARG002
    ) -> Ended:
        """Say that they stay, and until when at most."""
        if user_id and (fault := self.id_fault(user_id)):
            return Ended("unknown", fault)

        until = moments(validUntil=int(reach.now) + self.tokens.ttl)
        return Ended("notEnded", ImbaChatSettings.tokens_stay, until)

    def end_everybody(self, app: str, reach: Reach) -> Ended:
        """Say that they stay."""
        return self.end_user("", app, reach)

    def is_imbachat(self, given: tuple[str, str]) -> bool:
        """Return whether login and password are those that imbachat.com sends."""
        return basic.is_pair(given, self._api_login, self._api_passwords)

    def claims_of(self, token: str) -> Mapping[str, Any] | None:
        """Return what a token of imbachat.com says; None where imbachat.com did not sign it."""
        return jwt_token.claims_of(token, self._api_login, self._api_passwords)

    def is_in_force(self, claims: Mapping[str, Any], now: float) -> bool:
        """Return whether a token of imbachat.com is for this widget and this time."""
        return jwt_token.is_in_force(claims, self._dev_id, now)
