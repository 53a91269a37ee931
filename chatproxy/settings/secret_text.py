"""Secrets as editors, shells and env files leave them: what is taken off, and what is refused."""

import unicodedata
from collections.abc import Iterable, Iterator

#: Written first by some editors (RFC 3629 section 6); it belongs to the file, not to its text.
BOM = "\ufeff"

BLANK = " \t\r\n"

#: Docker's `--env-file`, and Kubernetes' YAML within YAML, leave quotes where they are.
QUOTES = ("''", '""', "``", "‘’", "“”", "„“", "«»")

#: Control and format characters, half surrogate pairs, and every space but the plain one. Unicode
#: files these under letters, marks and symbols; nothing of them is seen either. The last one stands
#: for a character that could not be decoded.
UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp", "Zs"})
ALSO_UNSEEN = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\ufffd")


def stripped(text: str) -> str:
    """Return a variable's text without a byte order mark, and without the blanks around it."""
    # No other spaces: one that cannot be told from a blank is refused in a secret, not hidden.
    return text.removeprefix(BOM).strip(BLANK)


def faults(name: str, secrets: Iterable[str]) -> Iterator[str]:
    """Yield what no secret has, for the variable of this name; never the text itself."""
    for secret in secrets:
        if secret.startswith(f"{name}="):
            yield f"begins with `{name}=`. Write the value alone"
        elif len(secret) > 1 and secret[0] + secret[-1] in QUOTES:
            yield "is in quotes, which would be a part of it. Take them away"
        elif unseen := next((one for one in secret if _is_unseen(one)), None):
            yield f"has {_named(unseen)} in it. Write it anew, as plain text in UTF-8"


def _is_unseen(character: str) -> bool:
    if character in ALSO_UNSEEN:
        return True

    return character != " " and unicodedata.category(character) in UNSEEN


def _named(character: str) -> str:
    if character in "\r\n":
        return "a line break"

    if unicodedata.category(character) == "Cs":
        return "a byte that is not UTF-8"

    return f"an invisible character ({unicodedata.name(character, f'U+{ord(character):04X}')})"
