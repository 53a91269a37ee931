"""`chatproxy users …`: import the users of another system."""

import sys
from typing import Any, BinaryIO

import click

from chatproxy.cli.directory import open_directory
from chatproxy.cli.output import as_json, print_result
from chatproxy.errors import CallerError, DirectoryUnavailable, IdentityError, MalformedBody
from chatproxy.formats import strictjson
from chatproxy.identity.directory import Directory
from chatproxy.identity.records import DEFAULT_APP, Action
from chatproxy.web.user_schema import read_user


@click.group("users")
def group() -> None:
    """Keep the users of an app."""


@group.command("import")
@click.argument("file", type=click.File("rb"))
@click.option("--app", default=DEFAULT_APP, show_default=True, help="The app whose users they are.")
@as_json
def import_users(file: BinaryIO, app: str, as_json: bool) -> None:
    """Make or change the users in FILE, a JSON object on each line; `-` is stdin.

    An object has `userId`, and may have `name`, `image`, `email` and `custom`. Bad
    lines are listed and left out; where there is one, the exit code is 1.
    """
    counts = {"created": 0, "updated": 0, "existing": 0}
    bad: list[dict[str, Any]] = []

    with open_directory() as directory:
        if app not in {one.id for one in directory.apps.list()}:
            raise IdentityError(f"there is no app {app}")

        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue

            try:
                counts[_import_user(directory, app, line)] += 1
            except CallerError as error:
                bad.append({"line": number, "reason": error.message})
            except DirectoryUnavailable as error:
                detail = f"{error.detail}; what stands before line {number} is in"
                raise DirectoryUnavailable(error.message, detail=detail) from error

    _report(counts, bad, as_json=as_json)


def _import_user(directory: Directory, app: str, line: bytes) -> Action:
    try:
        document = strictjson.read(line)
    except ValueError as error:
        raise MalformedBody(f"no plain JSON ({error})") from error

    user_id, profile = read_user(document)
    # An import is no visit: when the user was last seen stays as it is.
    _, action = directory.users.upsert(app, user_id, profile, seen=False)
    return action


def _report(counts: dict[str, int], bad: list[dict[str, Any]], *, as_json: bool) -> None:
    print_result({**counts, "bad": bad if as_json else len(bad)}, as_json=as_json)

    if not as_json:
        for row in bad:
            click.echo(f"line {row['line']}: {row['reason']}", err=True)

    if bad:
        sys.exit(1)
