"""A sidecar with every provider on, all of them before one server that records what arrives."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from werkzeug.routing import Rule

from chatproxy import settings
from chatproxy.app import create_app
from chatproxy.providers import SETTINGS
from tests import canaries
from tests.badinput.canned import CannedUpstream
from tests.databases import new_directory
from tests.sidecar import Sidecar

PERFORMCHAT_ID = "pk_theirs-0123456789abcdef"
PERFORMCHAT_SECRET = "sk_theirs-0123456789abcdef"  # noqa: S105
OFTEN = "100000 per minute"


@contextmanager
def recorder() -> Iterator[CannedUpstream]:
    """A server that answers `{}` to whatever it is asked."""
    with CannedUpstream() as upstream:
        upstream.says("HTTP/1.1 200 OK", "Content-Length: 2", "Connection: close", body=b"{}")
        yield upstream


def environ_before(url: str) -> dict[str, str]:
    """The settings of every provider, each with that server."""
    return {
        "PROVIDERS": ",".join(SETTINGS),
        "KEY_SIGNING_SECRET": canaries.KEY_SIGNING_SECRET,
        "CONSOLE": "true",
        "AUTH_FAILURE_LIMIT": OFTEN,
        "TOKEN_RATE_LIMIT": OFTEN,
        "STREAM_API_KEY": canaries.API_KEY,
        "STREAM_API_SECRET": canaries.API_SECRET,
        "CHATSDK_JWT_SECRET": canaries.JWT_SECRET,
        "CENTRIFUGO_TOKEN_SECRET": canaries.CENTRIFUGO_SECRET,
        "CHATSDK_API_KEY": canaries.CHATSDK_KEY,
        "PERFORMCHAT_JWT_SECRET": "performchat-secret-of-32-bytes-or-more",
        "PERFORMCHAT_KEY_ID": PERFORMCHAT_ID,
        "PERFORMCHAT_KEY_SECRET": PERFORMCHAT_SECRET,
        "IMKIT_API_KEY": canaries.IMKIT_KEY,
        "IMKIT_CLIENT_KEY": canaries.IMKIT_CLIENT_KEY,
        "IMBACHAT_API_LOGIN": "login",
        "IMBACHAT_API_PASSWORD": "password-of-imbachat-com",
        "IMBACHAT_SECRET_KEY": "imbachat-secret-key-of-32-bytes-or-more",
        "IMBACHAT_DEV_ID": "7",
        **{f"{name.upper()}_BASE_URL": url for name in SETTINGS},
    }


@contextmanager
def everything(url: str, output: Path, folder: Path, **changes: str) -> Iterator[Sidecar]:
    """Run the sidecar, with a directory of its own."""
    with new_directory("sqlite", folder) as directory:
        environ = environ_before(url) | {"DATABASE_URL": directory} | changes

        with Sidecar(output, environ) as running:
            yield running


def rules_of(environ: Mapping[str, str]) -> list[Rule]:
    """Every rule of the application that these settings make."""
    return list(create_app(settings.load(SETTINGS, environ)).url_map.iter_rules())
