"""Stream's own settings. Names are those of the reference service where it has one."""

import dataclasses
from collections.abc import Iterator
from urllib.parse import urlsplit

from marshmallow import fields, validate

from chatproxy.providers.base import ProviderSettings
from chatproxy.signing.compact import SHORTEST_SAFE_KEY, is_compact_jwt
from chatproxy.variables import Text, TextList, WholeNumber, is_base_url, variable

#: What the stand-in accepts. They are no secret: each names the stand-in.
STAND_IN_KEY = "sandbox-key"
STAND_IN_SECRET = "sandbox-secret-of-the-stand-in-not-for-production"  # noqa: S105

LOOPBACK_HOSTS = ("127.0.0.1", "::1", "localhost", "sandbox")


@dataclasses.dataclass(frozen=True)
class StreamSettings(ProviderSettings):
    """What the environment says of Stream."""

    api_key: str = variable(
        "STREAM_API_KEY",
        fields.String(validate=validate.Regexp(r"[A-Za-z0-9._~-]+\Z")),
        expects="the API key of your Stream application, from its dashboard",
        meaning="Stream application's key. Goes into every forwarded call and to clients.",
        secret=True,
    )
    api_secrets: tuple[str, ...] = variable(
        "STREAM_API_SECRET",
        TextList(),
        expects="the API secret of your Stream application, from its dashboard",
        meaning="Stream application's secret. A comma list while it is rotated: the first "
        "signs, all verify.",
        secret=True,
    )
    auth_token: str | None = variable(
        "STREAM_AUTH_TOKEN",
        Text(is_compact_jwt),
        default=None,
        expects="a server token: three base64url parts with dots between them",
        meaning="Server token. Optional: absent, it is made from the secret.",
        secret=True,
    )
    base_url: str = variable(
        "STREAM_BASE_URL",
        Text(is_base_url),
        default="https://chat.stream-io-api.com",
        expects="an http or https URL without query, such as https://chat.stream-io-api.com",
        meaning="Stream's REST API.",
    )
    token_duration: int | None = variable(
        "EXPIRATION_TOKEN_DURATION",
        WholeNumber(1, 10 * 366 * 86400),
        default=None,
        expects="a whole number of seconds from 1 to 316224000",
        meaning="Life of a user token, in seconds from its issue. Absent: it never expires.",
    )
    root_port: int | None = variable(
        "STREAM_ROOT_PORT",
        WholeNumber(1, 65535),
        default=None,
        expects="a port number from 1 to 65535",
        meaning="Second port, at whose root `/proxy` is served: for the asyncio Python SDK, "
        "which drops the path of its base URL.",
    )

    def problems(self) -> Iterator[str]:
        """Refuse a mix of the stand-in's credentials and real ones."""
        stand_in_key = self.api_key == STAND_IN_KEY
        stand_in_secret = STAND_IN_SECRET in self.api_secrets
        host = urlsplit(self.base_url).hostname

        if stand_in_key != stand_in_secret:
            yield (
                "STREAM_API_KEY: one of key and secret is the stand-in's, the other is not. "
                "Set both to those of one application."
            )
        elif stand_in_key and host not in LOOPBACK_HOSTS:
            yield (
                "STREAM_BASE_URL: the credentials are the stand-in's, the address is not. "
                "Set STREAM_API_KEY and STREAM_API_SECRET to those of your application."
            )

    def warnings(self) -> Iterator[str]:
        """Warn of the stand-in and of secrets that are easy to guess."""
        if self.api_key == STAND_IN_KEY:
            yield "the credentials are the stand-in's: nothing reaches Stream"

        if any(len(secret.encode()) < SHORTEST_SAFE_KEY for secret in self.api_secrets):
            yield f"STREAM_API_SECRET is shorter than {SHORTEST_SAFE_KEY} bytes: easy to guess"
