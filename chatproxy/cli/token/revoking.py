"""`chatproxy token revoke`."""

import click

from chatproxy.cli.directory import open_directory
from chatproxy.cli.examples import examples
from chatproxy.cli.exits import Failure
from chatproxy.cli.output import as_json, print_result
from chatproxy.cli.providers import open_all, open_reach
from chatproxy.cli.token.inspecting import NOBODY
from chatproxy.cli.token.reading import text_of
from chatproxy.clock import Clock
from chatproxy.identity.records import DEFAULT_APP
from chatproxy.providers import SETTINGS

#: Seconds for which a revoked id is kept. Tokens made here expire long before. The lifetime of
#: one made elsewhere with the same secret is not known.
REMEMBERED = 10 * 365 * 24 * 3600

#: Its tokens are ended by a call to it.
CHECKS_ALONE = next(name for name, one in SETTINGS.items() if one.tokens_stay)

EXAMPLES = examples(
    "chatproxy token revoke < token.txt",
    "chatproxy token revoke --user alice --json",
    "chatproxy token revoke --all --app shop",
    f"chatproxy token revoke --provider {CHECKS_ALONE} --user alice",
)


@click.command("revoke", epilog=EXAMPLES)
@click.argument("token", default="")
@click.option("--app", help=f"Whose tokens. Absent: of {DEFAULT_APP}, or of the provider's app.")
@click.option("--provider", type=click.Choice(list(SETTINGS)), help="Those of one provider only.")
@click.option("--user", help="All tokens of one user.")
@click.option("--id", "token_id", help="The tokens of one id (`jti`).")
@click.option("--all", "everything", is_flag=True, help="All tokens of the app.")
@as_json
def revoke(
    token: str,
    app: str | None,
    provider: str | None,
    user: str | None,
    token_id: str | None,
    everything: bool,
    as_json: bool,
) -> None:
    """End tokens. One that is read from stdin (`-`), or those of a user, an id or an app.

    Every sidecar with this directory refuses them from then on. The answer names the providers
    whose tokens that ends, and those whose tokens stay good. With --provider they are ended as
    that provider has it, by a call to its server where it checks them itself.
    """
    given = (bool(token), user is not None, token_id is not None, everything)

    if sum(given) != 1:
        raise click.UsageError("give one of -, --user, --id, --all")

    if provider is not None and (token or token_id is not None):
        raise click.UsageError("--provider goes with --user or --all")

    if token:
        end_token(text_of(token), as_json=as_json)
        return

    if provider is not None:
        end_at(provider, app, user, as_json=as_json)
        return

    app = app or DEFAULT_APP

    with open_directory() as directory:
        if user is not None:
            found = directory.tokens.revoke_user(app, user)
        elif token_id is not None:
            directory.tokens.revoke_token(app, token_id, Clock().now() + REMEMBERED)
            found = True
        else:
            found = directory.tokens.revoke_app(app)

    if not found:
        reason = "there is no such user" if user is not None else f"there is no app {app}"
        raise Failure(reason)

    _tell(token_id, as_json=as_json)


def end_at(name: str, app: str | None, user: str | None, *, as_json: bool) -> None:
    """End the tokens of one user, or of all, at one provider; raise `Failure` where they stay."""
    with open_reach(name) as (provider, reach):
        if user is None:
            ended = provider.end_everybody(app or provider.app, reach)
        else:
            ended = provider.end_user(user, app or provider.app, reach)

    if ended.end != "ended":
        raise Failure(f"{name}: {ended.reason}")

    whose = {"all": True} if user is None else {"userId": user}
    print_result({"revoked": True, "provider": name, **whose, **ended.facts}, as_json=as_json)


def end_token(text: str, *, as_json: bool) -> None:
    """End one token; raise `Failure` where it is not ours, or cannot be ended here."""
    now = Clock().now()

    with open_all() as (providers, directory):
        for name, provider in providers.items():
            said = provider.inspect(text, directory, now)

            if said is not None and directory is not None:
                provider.end_token(text, said, directory)
                break
            if said is not None:
                raise Failure(f"{name}: {said.note}")
        else:
            raise Failure(NOBODY)

    print_result({"revoked": True, "provider": name, "userId": said.user}, as_json=as_json)


def _tell(token_id: str | None, *, as_json: bool) -> None:
    """Say which providers' tokens are ended, and which are not. An id has one token only."""
    stay = {name: one.tokens_stay for name, one in SETTINGS.items() if one.tokens_stay}
    ended = [name for name in SETTINGS if name not in stay]

    if as_json:
        whose = {} if token_id else {"ended": ended}
        print_result({"revoked": True, **whose, "notEnded": stay}, as_json=True)
        return

    whose_is = f"of the id {token_id}" if token_id else f"of {', '.join(ended)}"
    click.echo(f"ended: tokens {whose_is}, at every sidecar with this directory")

    for name, reason in stay.items():
        click.echo(f"not ended: tokens of {name}. {reason}")
