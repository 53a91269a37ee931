"""`chatproxy token inspect`."""

import dataclasses
import sys
from typing import Any

import click

from chatproxy.cli.examples import examples
from chatproxy.cli.exits import NO
from chatproxy.cli.output import as_json, print_result, shown
from chatproxy.cli.providers import open_all
from chatproxy.cli.token.reading import text_of, token_argument
from chatproxy.clock import Clock
from chatproxy.formats.timestamps import iso
from chatproxy.providers.issuing import Inspection
from chatproxy.signing.tokens import unverified

NOBODY = "none of the providers that are on has made it: no secret here signed it"

EXAMPLES = examples(
    "chatproxy token inspect < token.txt",
    'echo "$TOKEN" | chatproxy token inspect - --json',
)


@click.command("inspect", epilog=EXAMPLES)
@token_argument
@as_json
def inspect(token: str, as_json: bool) -> None:
    """Show what is known of a token. It is read from stdin, so that no list of processes has it.

    It says which provider and which secret's variable signed it, whether it is valid and if not
    why, when it ends, and whether it was revoked, as far as that is known here. The exit code is 1
    where it is not valid. Neither the token nor a secret is printed.
    """
    text, now = text_of(token), Clock().now()

    with open_all() as (providers, directory):
        found = (
            (name, said)
            for name, one in providers.items()
            if (said := one.inspect(text, directory, now)) is not None
        )
        name, said = next(found, ("", _of_nobody(text)))

    document = _document(name, said, now)

    if as_json:
        print_result(document, as_json=True)
    else:
        for field, value in document.items():
            if value not in (None, "", {}):
                click.echo(f"{field}: {shown(value)}")

    if said.fault:
        sys.exit(NO)


def _of_nobody(text: str) -> Inspection:
    claims = unverified(text)

    if claims is None:
        return Inspection("unknown", fault=NOBODY)

    return Inspection("foreign token", claims=claims, fault=f"{NOBODY}. What it says is unchecked")


def _document(name: str, said: Inspection, now: float) -> dict[str, Any]:
    fields = dataclasses.asdict(said)
    left = None if said.expires is None else round(said.expires - now)
    return {
        "valid": not said.fault,
        "reason": said.fault or None,
        "provider": name or None,
        "kind": said.kind,
        "signedBy": said.signed_by or None,
        "userId": said.user,
        "app": said.app,
        "tokenId": said.token_id,
        "issued": iso(said.issued),
        "expires": iso(said.expires),
        "expiresIn": left,
        "revoked": said.revoked,
        "note": said.note or None,
        "claims": fields["claims"],
    }
