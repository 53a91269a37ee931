"""What is found out about names once. The same few come with every call, and callers choose them.

`functools.lru_cache` bounds how many are remembered, but not their length: a field's name may have
8 KB, and a few hundred of them took 30 MB.
"""

from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")

#: Names that are remembered by one function, and their characters: longer ones nobody needs.
MOST = 512
LONGEST = 64


class _Known(dict[str, T], Generic[T]):
    def __init__(self, find: Callable[[str], T]) -> None:
        super().__init__()
        self._find = find

    def __missing__(self, name: str) -> T:
        found = self._find(name)

        if len(name) <= LONGEST:
            # All at once: which ones are in use is not noted, and they are back with the next call.
            if len(self) >= MOST:
                self.clear()

            self[name] = found

        return found


def remembered(find: Callable[[str], T]) -> Callable[[str], T]:
    """Return a function of a name that finds the same, once as long as it is remembered."""
    # A look-up in a dictionary, without a call of Python's.
    return _Known(find).__getitem__
