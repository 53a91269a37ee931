"""User tokens as the commands make them and look into them, whichever provider's they are."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from chatproxy.errors import CallerError, TokenRejected, TokenRevoked
from chatproxy.formats import durations
from chatproxy.signing import tokens

#: Nobody asks for a shorter life: another machine's clock may be that far off.
SHORTEST = 1


@dataclasses.dataclass(frozen=True)
class Wanted:
    """A token that is asked for; what is None is as the provider has it by default.

    `ttl` is in seconds. `claims` are further ones, where a provider has them.
    """

    user_id: str
    ttl: int | None = None
    app: str | None = None
    agent: str | None = None
    claims: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    def only(self, *names: str) -> None:
        """Raise `CallerError` for what the provider's tokens do not have."""
        given = {"app": self.app, "agent": self.agent, "claims": self.claims or None}

        for name, value in given.items():
            if value is not None and name not in names:
                option = "claim" if name == "claims" else name
                raise CallerError(f"The provider's tokens have no --{option}.")

    def seconds(self, default: int | None, most: int) -> int | None:
        """Return its life; raise `CallerError` where that is more than there may be."""
        if self.ttl is not None and not SHORTEST <= self.ttl <= most:
            raise CallerError(f"A token lives at most {durations.written(most)} here.")

        return default if self.ttl is None else self.ttl


@dataclasses.dataclass(frozen=True)
class Minted:
    """What was made: `texts` by name, the first one first, and when all of them end."""

    texts: Mapping[str, str] = dataclasses.field(repr=False)
    expires: float | None


@dataclasses.dataclass(frozen=True)
class Kind:
    """A kind of signed token: its name, the variable with its secrets, and these."""

    name: str
    variable: str
    secrets: Sequence[str] = dataclasses.field(repr=False)


@dataclasses.dataclass(frozen=True)
class Signed:
    """A token that one of our secrets has signed. Nothing else of it is checked."""

    kind: Kind
    number: int
    claims: Mapping[str, Any]


@dataclasses.dataclass(frozen=True)
class Inspection:
    """What is known of a token.

    `fault` says why it is not valid, and is empty where it is. `revoked` is None where only the
    provider knows; `note` says so. `token_id` is the id by which it can be ended.
    """

    kind: str
    signed_by: str = ""
    user: str | None = None
    app: str | None = None
    issued: float | None = None
    expires: float | None = None
    token_id: str | None = None
    claims: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    fault: str = ""
    revoked: bool | None = None
    note: str = ""


def signed(token: str, kinds: Sequence[Kind]) -> Signed | None:
    """Return which of our secrets has signed a token, None where none has."""
    for kind in kinds:
        for number, secret in enumerate(kind.secrets, start=1):
            if (claims := tokens.signed_claims(token, secret)) is not None:
                return Signed(kind, number, claims)

    return None


def inspection_of(found: Signed, check: Callable[[], object] | None = None) -> Inspection:
    """Return what a signed token says, with the verdict of `check`, which raises `TokenRejected`.

    Without `check`, or where it does not get that far, whether it was revoked is not known.
    """
    claims = found.claims
    count = len(found.kind.secrets)
    which = f" ({found.number} of {count})" if count > 1 else ""
    plain = Inspection(
        kind=found.kind.name,
        signed_by=found.kind.variable + which,
        issued=_time(claims.get("iat")),
        expires=_time(claims.get("exp")),
        token_id=claims["jti"] if isinstance(claims.get("jti"), str) else None,
        claims=claims,
    )

    if check is None:
        return plain

    try:
        check()
    except TokenRevoked as error:
        return dataclasses.replace(plain, fault=error.message, revoked=True)
    except TokenRejected as error:
        detail = f" ({error.detail})" if error.detail else ""
        return dataclasses.replace(plain, fault=f"{error.message}{detail}")

    return dataclasses.replace(plain, revoked=False)


def _time(value: Any) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)

    try:
        return float(value) if is_number else None
    except OverflowError:  # JSON has integers of any length
        return None
