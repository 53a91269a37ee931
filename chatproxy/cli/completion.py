"""`chatproxy completion`: the script by which a shell completes our commands."""

import click
from click.shell_completion import get_completion_class

from chatproxy.cli.examples import examples

EXAMPLES = examples(
    'eval "$(chatproxy completion bash)"  # in ~/.bashrc',
    'eval "$(chatproxy completion zsh)"  # in ~/.zshrc',
    "chatproxy completion fish > ~/.config/fish/completions/chatproxy.fish",
)


@click.command("completion", epilog=EXAMPLES)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the script that lets a shell complete. Commands, options and their values."""
    kind = get_completion_class(shell)
    assert kind is not None  # noqa: S101 - click has all three
    script = kind(ctx.find_root().command, {}, "chatproxy", "_CHATPROXY_COMPLETE")
    click.echo(script.source_template % script.source_vars())
