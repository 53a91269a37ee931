"""What becomes of each name on the way to one upstream with one set of credentials."""

import functools
from collections.abc import Callable

from chatproxy.forwarding.credentials import is_reserved
from chatproxy.forwarding.headers import Fate, Withheld, fate_in_answer, fate_in_request

#: Names of a kind that are remembered. The same few come with every call, and callers choose them.
MOST_NAMES = 512


class Plan:
    """Decisions about names, each made once as long as it is remembered."""

    def __init__(self, reserved: frozenset[str], withheld: Withheld) -> None:
        remember = functools.lru_cache(MOST_NAMES)
        self.values = withheld.values
        self.in_request: Callable[[str], Fate] = remember(
            functools.partial(fate_in_request, reserved=reserved, withheld=withheld.fields)
        )
        self.in_answer: Callable[[str], Fate] = remember(fate_in_answer)
        self.drops_parameter: Callable[[str], bool] = remember(
            functools.partial(is_reserved, reserved=reserved, withheld=withheld.parameters)
        )
