"""Variables that nobody reads, because of a slip in the name."""

from collections.abc import Iterable, Iterator, Mapping


def slips(environ: Mapping[str, str], known: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield (name, meant) for each variable that is one slip away from a known name.

    A slip is one letter too many, too few or another one, two letters exchanged, or another
    spelling of letters and underscores: `stream-base-url`.
    """
    names = frozenset(known)

    for name, text in environ.items():
        if name in names or not text.strip():
            continue

        spelt = name.upper().replace("-", "_").replace(".", "_")
        meant = spelt if spelt in names else next((n for n in names if is_slip(spelt, n)), None)

        if meant is not None:
            yield name, meant


def is_slip(text: str, meant: str) -> bool:
    """Say whether a text is at most one slip away from another."""
    while text and meant and text[0] == meant[0]:
        text, meant = text[1:], meant[1:]

    while text and meant and text[-1] == meant[-1]:
        text, meant = text[:-1], meant[:-1]

    exchanged = len(text) == 2 and text == meant[::-1]
    return exchanged or max(len(text), len(meant)) <= 1
