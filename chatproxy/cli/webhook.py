"""`chatproxy webhook …`: events of the providers whose servers sign them."""

import sys
from typing import BinaryIO

import click

from chatproxy.cli.examples import examples
from chatproxy.cli.exits import AWAY, NO, Failure
from chatproxy.cli.output import as_json, print_result
from chatproxy.cli.providers import DEFAULT, open_provider
from chatproxy.providers import SETTINGS
from chatproxy.providers.base import SignsEvents

#: Bytes of the longest event that is read.
LARGEST = 64 * 1024 * 1024

provider_option = click.option(
    "--provider",
    type=click.Choice(list(SETTINGS)),
    default=DEFAULT,
    show_default=True,
    help="Whose event it is.",
)
body_argument = click.argument("file", type=click.File("rb"), default="-")


@click.group("webhook")
def group() -> None:
    """Sign and check webhooks."""


@group.command(
    "sign",
    epilog=examples(
        "chatproxy webhook sign event.json",
        "chatproxy webhook sign event.json | curl -H @- --data-binary @event.json $URL",
        "chatproxy webhook sign --json < event.json",
    ),
)
@body_argument
@provider_option
@as_json
def sign(file: BinaryIO, provider: str, as_json: bool) -> None:
    """Print the headers with which the provider sends the event in FILE. `-` is stdin."""
    body = _body(file)

    with open_provider(provider) as (known, _):
        headers = _signing(provider, known).sign_event(body)

    if as_json:
        print_result({"provider": provider, "headers": dict(headers)}, as_json=True)
        return

    for name, value in headers.items():
        click.echo(f"{name}: {value}")


@group.command(
    "verify",
    epilog=examples(
        "chatproxy webhook verify event.json --signature 5d41…",
        "chatproxy webhook verify --signature 5d41… --json < event.json",
    ),
)
@body_argument
@click.option("--signature", required=True, help="What the signature's header holds.")
@provider_option
@as_json
def verify(file: BinaryIO, signature: str, provider: str, as_json: bool) -> None:
    """Say whether the signature is right for the event in FILE, and if not why. `-` is stdin.

    The exit code is 1 where it is not.
    """
    body = _body(file)

    with open_provider(provider) as (known, _):
        fault = _signing(provider, known).event_fault(body, signature)

    if as_json:
        print_result({"isValid": not fault, "reason": fault or None}, as_json=True)
    else:
        click.echo(f"not valid: {fault}" if fault else "valid")

    if fault:
        sys.exit(NO)


def _body(file: BinaryIO) -> bytes:
    try:
        body = file.read(LARGEST + 1)
    except OSError as error:
        raise Failure(f"{file.name} cannot be read ({error.strerror})", AWAY) from error

    if len(body) > LARGEST:
        raise Failure(f"{file.name} is larger than {LARGEST} bytes: that is no event")

    return body


def _signing(name: str, provider: object) -> SignsEvents:
    if not isinstance(provider, SignsEvents):
        raise Failure(f"{name} sends no webhooks that are signed")

    return provider
