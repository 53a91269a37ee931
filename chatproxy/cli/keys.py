"""`chatproxy keys …`: the API keys of services and clients."""

import datetime
import sys
from collections.abc import Callable
from typing import Any

import click

from chatproxy.cli.directory import open_directory
from chatproxy.cli.durations import DurationType
from chatproxy.cli.examples import examples
from chatproxy.cli.output import as_json, print_result
from chatproxy.clock import Clock
from chatproxy.identity.keys import OVERLAP
from chatproxy.identity.records import DEFAULT_APP, Key, Kind

KINDS = click.Choice(["platform", "client"])


def key_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of a new key to a command."""
    for option in (
        click.option(
            "--expires", type=DurationType(1), help="Its life, such as 90d. Absent: none."
        ),
        click.option("--kind", type=KINDS, default="platform", show_default=True),
        click.option(
            "--app", default=DEFAULT_APP, show_default=True, help="The app that it names."
        ),
    ):
        command = option(command)

    return command


@click.group("keys")
def group() -> None:
    """Keep the API keys. A key's text is shown once, when it is made."""


@group.command(
    "create",
    epilog=examples(
        "chatproxy keys create backend",
        "chatproxy keys create page --kind client --app shop --expires 90d --json",
    ),
)
@click.argument("name")
@key_options
@as_json
def create(name: str, app: str, kind: Kind, expires: float | None, as_json: bool) -> None:
    """Make a key."""
    with open_directory() as directory:
        new_key = directory.keys.create(name, app, kind, _expiry(expires))

    print_result(new_key.parts(), as_json=as_json)


@group.command("import", epilog=examples("chatproxy keys import backend < key.txt"))
@click.argument("name")
@key_options
@as_json
def import_key(name: str, app: str, kind: Kind, expires: float | None, as_json: bool) -> None:
    """Take over a key that was made elsewhere; its text is read from stdin."""
    # Not an argument: those are in the list of processes and in the history of the shell.
    text = sys.stdin.readline().strip()

    with open_directory() as directory:
        key = directory.keys.import_text(text, name, app, kind, _expiry(expires))

    print_result({"keyId": key.id}, as_json=as_json)


@group.command(
    "list", epilog=examples("chatproxy keys list", "chatproxy keys list --app shop --json")
)
@click.option("--app", help="Only those of one app.")
@as_json
def show(app: str | None, as_json: bool) -> None:
    """List the keys, oldest first, ended ones included."""
    now = Clock().now()

    with open_directory() as directory:
        rows = [_row(key, now) for key in directory.keys.list(app)]

    print_result(rows, as_json=as_json)


@group.command("rotate", epilog=examples("chatproxy keys rotate pk_… --overlap 24h"))
@click.argument("key_id", metavar="KEYID")
@click.option(
    "--overlap",
    type=DurationType(0),
    default=f"{OVERLAP // 3600}h",
    show_default=True,
    help="How long the old key stays good beside the new one.",
)
@as_json
def rotate(key_id: str, overlap: float, as_json: bool) -> None:
    """Make a successor of a key."""
    with open_directory() as directory:
        new_key = directory.keys.rotate(key_id, overlap)

    print_result(new_key.parts(), as_json=as_json)


@group.command("revoke", epilog=examples("chatproxy keys revoke pk_…"))
@click.argument("key_id", metavar="KEYID")
@as_json
def revoke(key_id: str, as_json: bool) -> None:
    """End a key at once."""
    with open_directory() as directory:
        key = directory.keys.revoke(key_id)

    print_result({"keyId": key.id, "revoked": True}, as_json=as_json)


def _expiry(life: float | None) -> float | None:
    return None if life is None else Clock().now() + life


def _row(key: Key, now: float) -> dict[str, Any]:
    return {
        "keyId": key.id,
        "app": key.app_id,
        "name": key.name,
        "kind": key.kind,
        "state": _state(key, now),
        "created": _iso(key.created),
        "expires": _iso(key.expires),
        "lastUsed": _iso(key.last_used),
    }


def _state(key: Key, now: float) -> str:
    if key.is_good(now):
        return "good"

    return "expired" if key.revoked is None else "revoked"


def _iso(seconds: float | None) -> str | None:
    if seconds is None:
        return None

    moment = datetime.datetime.fromtimestamp(seconds, datetime.UTC)
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")
