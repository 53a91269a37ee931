"""What the user's terminal says of colours. Its variables are everybody's, and no settings of ours.

Sources: https://no-color.org, https://force-color.org, and terminfo's `dumb`, which obeys no codes.
"""

from collections.abc import Mapping

#: Values of `FORCE_COLOR` with which Node.js and its kin take it back.
NOT_FORCED = ("", "0", "false")


def wants_colours(environ: Mapping[str, str]) -> bool | None:
    """Say whether output is to be coloured; None if that depends on where it goes."""
    if environ.get("NO_COLOR"):
        return False

    if environ.get("FORCE_COLOR", "") not in NOT_FORCED:
        return True

    return False if environ.get("TERM") == "dumb" else None
