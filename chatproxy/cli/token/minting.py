"""`chatproxy token mint`."""

import json
from collections.abc import Sequence
from typing import Any

import click

from chatproxy.cli.durations import DurationType
from chatproxy.cli.examples import examples
from chatproxy.cli.output import as_json, print_result
from chatproxy.cli.providers import DEFAULT, open_provider
from chatproxy.clock import Clock
from chatproxy.formats.timestamps import iso
from chatproxy.providers import SETTINGS
from chatproxy.providers.issuing import Wanted
from chatproxy.web.user_schema import read_user

KEEPS_USERS = next(name for name, one in SETTINGS.items() if one.knows_users)

EXAMPLES = examples(
    "chatproxy token mint alice",
    f"chatproxy token mint alice --provider {KEEPS_USERS} --app shop --expires-in 15m --json",
    "chatproxy token mint alice --claim 'channel_cids=[\"messaging:general\"]'",
)


@click.command("mint", epilog=EXAMPLES)
@click.argument("user_id", metavar="USER")
@click.option(
    "--provider",
    type=click.Choice(list(SETTINGS)),
    default=DEFAULT,
    show_default=True,
    help="Whose token it is.",
)
@click.option("--expires-in", type=DurationType(1), help="Its life, such as 15m. Absent: as set.")
@click.option("--app", help="The user's app, where the provider's tokens have one.")
@click.option("--agent", metavar="ID", help="The agent, where the provider's tokens have one.")
@click.option("--claim", "claims", multiple=True, help="A further claim: NAME=JSON, or a text.")
@as_json
def mint(
    user_id: str,
    provider: str,
    expires_in: float | None,
    app: str | None,
    agent: str | None,
    claims: Sequence[str],
    as_json: bool,
) -> None:
    """Make a user token. It is printed alone, or by name where the provider has several.

    It is made as the sidecar makes it, with the secret of this environment, and no limit is
    counted. Where the provider's tokens need a user in the directory, one is made.
    """
    ttl = None if expires_in is None else int(expires_in)
    wanted = Wanted(user_id, ttl, app, agent, dict(map(_claim, claims)))
    now = Clock().now()
    read_user({"userId": user_id})  # as the endpoints do; raises for what is no id

    with open_provider(provider) as (known, directory):
        made = known.mint(wanted, directory, now)

    if not as_json:
        texts = [*made.texts.items()]
        click.echo(texts[0][1] if len(texts) == 1 else "\n".join(f"{a}: {b}" for a, b in texts))
        return

    end = {"expires": iso(made.expires)} if made.expires is not None else {"expires": None}
    life = None if made.expires is None else int(made.expires) - int(now)
    names = {"provider": provider, "userId": user_id}
    print_result(names | dict(made.texts) | end | {"expiresIn": life}, as_json=True)


def _claim(text: str) -> tuple[str, Any]:
    name, mark, value = text.partition("=")

    if not name or not mark:
        raise click.BadParameter("a claim is NAME=JSON", param_hint="--claim")

    try:
        return name, json.loads(value)
    except (ValueError, RecursionError):
        return name, value
