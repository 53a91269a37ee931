"""ChatSDK's tokens as the commands make them and look into them."""

import dataclasses
from typing import TYPE_CHECKING

from chatproxy.errors import TokenRevoked
from chatproxy.identity.records import DEFAULT_APP, Profile
from chatproxy.providers.chatsdk.claims import Holder
from chatproxy.providers.chatsdk.kinds import TokenKind
from chatproxy.providers.chatsdk.tokens import TokenPairs
from chatproxy.providers.issuing import Inspection, Minted, Wanted, inspection_of, signed
from chatproxy.settings.fields import DAY

if TYPE_CHECKING:
    from chatproxy.identity.directory import Directory

#: Seconds that a token may live, as the setting of its life has it.
LONGEST = 30 * DAY


def mint(pairs: TokenPairs, wanted: Wanted, directory: "Directory", now: float) -> Minted:
    """Make both tokens, and the user where there is none; raise `CallerError`."""
    wanted.only("app")
    app, ttl = wanted.app or DEFAULT_APP, wanted.seconds(None, LONGEST)
    user, _ = directory.users.upsert(app, wanted.user_id, Profile(), seen=False)
    made = pairs.make(Holder(app, wanted.user_id, user.version), now, ttl)
    texts = {name: made[name] for name in ("token", "wsToken")}
    return Minted(texts, int(now) + made["expiresIn"])


def inspect(pairs: TokenPairs, token: str, directory: "Directory", now: float) -> Inspection | None:
    """Return what is known of a token; None where no secret of ours signed it."""
    kinds = pairs.kinds()
    found = signed(token, [kind for kind, _ in kinds])

    if found is None:
        return None

    reader = next(reader for kind, reader in kinds if kind == found.kind)
    said = inspection_of(found, lambda: _check(reader, token, directory, now))
    user, app = found.claims.get("user_id", found.claims.get("sub")), found.claims.get("app_id")
    return dataclasses.replace(
        said,
        user=user if isinstance(user, str) else None,
        app=app if isinstance(app, str) else None,
    )


def _check(reader: TokenKind, token: str, directory: "Directory", now: float) -> None:
    try:
        directory.tokens.check(reader.read(token, now))
    except TokenRevoked as error:
        raise TokenRevoked(reader.message_for(error)) from error
