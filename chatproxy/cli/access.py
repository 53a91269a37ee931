"""`chatproxy access …`: keys for the callers of the access document, and what its rules say."""

import sys

import click

from chatproxy.access import keys, schema
from chatproxy.access.rules import METHODS
from chatproxy.cli.examples import examples
from chatproxy.cli.exits import NO
from chatproxy.cli.output import as_json, print_result, shown


@click.group("access")
def group() -> None:
    """Keep the document that says who may call. ACCESS_CONFIG names it."""


def _name(ctx: click.Context, param: click.Parameter, value: str) -> str:
    if not schema.NAME.fullmatch(value):
        raise click.BadParameter(f"must be {schema.NAMED}", ctx, param)

    return value


@group.command("key", epilog=examples("chatproxy access key billing"))
@click.argument("name", callback=_name)
@as_json
def make_key(name: str, as_json: bool) -> None:
    """Make a key for a caller, and the lines to paste. The key is shown once, and kept nowhere."""
    key = keys.new_key()
    digest = keys.written(keys.digest_of(key))

    if as_json:
        print_result({"caller": name, "key": key, "digest": digest}, as_json=True)
        return

    click.echo(
        f"The key of {name}, which it sends in {keys.HEADER} or as Bearer:\n\n"
        f"  {key}\n\n"
        "In the access document:\n\n"
        f"callers:\n  {name}:\n    keys:\n      - {digest}"
    )


@group.command(
    "explain",
    epilog=examples(
        "chatproxy access explain billing GET /token/alice",
        "chatproxy access explain billing POST /proxy/channels/messaging/room --file access.yaml",
    ),
)
@click.argument("caller")
@click.argument("method", type=click.Choice(METHODS))
@click.argument("path")
@click.option("--file", "file", type=click.Path(), help="The document, in place of ACCESS_CONFIG.")
@click.option("--user", help="The user that the call is about, where the path does not name it.")
@as_json
def explain_call(
    caller: str, method: str, path: str, file: str | None, user: str | None, as_json: bool
) -> None:
    """Say whether CALLER may make a call at the service's port, and which rule decides.

    PATH is as the caller sends it, such as /proxy/users. The exit code is 0 for yes, 1 for no.
    """
    # Only here: a key is made without loading all of the server.
    from chatproxy.app import create_app
    from chatproxy.providers import SETTINGS
    from chatproxy.settings.placeholders import load_with_access
    from chatproxy.web.explain import explain

    settings = load_with_access(SETTINGS, file)
    assert settings.access is not None  # noqa: S101 - it is refused without
    found = settings.access.callers.get(caller)

    if found is None:
        names = ", ".join(settings.access.callers)
        raise click.BadParameter(f"is not in the document, which has {names}", param_hint="CALLER")

    decision = explain(create_app(settings), found, method, path, user)

    if as_json:
        call = {"caller": caller, "method": method, "path": path}
        rule = {"allowed": decision.allowed, "rule": decision.rule or None}
        print_result(call | rule | {"reason": decision.reason}, as_json=True)
    else:
        click.echo(f"{'allowed' if decision.allowed else 'refused'}: {shown(decision.reason)}")

    if not decision.allowed:
        sys.exit(NO)
