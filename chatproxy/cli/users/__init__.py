"""`chatproxy users …`: the users of an app.

| file | what |
|---|---|
| `records` | what an import reads: records of a file, each with its line |
| `csv_records`, `json_lines` | the two formats, read and written |
| `importing`, `writing` | `import`: the command, and how rows get into the directory |
| `exporting` | `export` |
| `single` | `show` and `delete` |
"""

import click

from chatproxy.cli.lazy import LazyGroup, Place

COMMANDS = {
    "delete": Place("users.single:delete", "Forget a user, and end all its tokens."),
    "export": Place("users.exporting:export_users", "Write the users of an app as a file."),
    "import": Place("users.importing:import_users", "Make or change the users in a file."),
    "show": Place("users.single:show", "Show what is known of a user."),
}


@click.group("users", cls=LazyGroup, places=COMMANDS)
def group() -> None:
    """Keep the users of an app."""
