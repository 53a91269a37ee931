"""`chatproxy openapi`: the document that the sidecar serves at `/documentation/json`."""

import click

from chatproxy.cli.examples import examples
from chatproxy.providers import SETTINGS
from chatproxy.settings.documented import load_for_document


@click.command(
    "openapi",
    epilog=examples(
        "chatproxy openapi > openapi.json",
        "SERVICE_PREFIX=/chat chatproxy openapi",
        "chatproxy openapi --all-providers",
    ),
)
@click.option("--all-providers", is_flag=True, help="Whether they are on or not.")
def command(all_providers: bool) -> None:
    """Print the OpenAPI document.

    It is that of what these settings make reachable: which providers are on, SERVICE_PREFIX and the
    ports of the doors decide. Neither a server nor a database nor a secret is needed.
    """
    # Imported here: no other command needs Flask.
    from chatproxy.providers.registry import make_providers
    from chatproxy.routes import written_document
    from chatproxy.services import open_services

    found = load_for_document(SETTINGS, every=all_providers)
    services = open_services(found, make_providers(found))
    click.echo(written_document(services), nl=False)
