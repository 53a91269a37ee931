"""`chatproxy …` and `python -m chatproxy …`: a probe and a start load no other command."""

import os
import sys


def main() -> None:
    """Run one command."""
    if sys.argv[1:2] == ["health"]:
        from chatproxy import health

        # Help and wrong options are for a person, and told by the commands.
        if (asked := health.read(sys.argv[2:])) is not None:
            sys.exit(health.run(*asked, os.environ))

    if sys.argv[1:] == ["serve"]:
        from chatproxy.server.start import become_server

        become_server()

    from chatproxy.cli import main as commands

    commands()


if __name__ == "__main__":
    main()
