"""What becomes of each name on the way to one upstream with one set of credentials."""

import functools
from collections.abc import Callable

from chatproxy.forwarding.credentials import is_reserved
from chatproxy.forwarding.headers import Fate, Withheld, fate_in_answer, fate_in_request
from chatproxy.names import remembered


class Plan:
    """Decisions about names, each made once as long as it is remembered."""

    def __init__(self, reserved: frozenset[str], withheld: Withheld) -> None:
        self.values = withheld.values
        self.in_request: Callable[[str], Fate] = remembered(
            functools.partial(fate_in_request, reserved=reserved, withheld=withheld.fields)
        )
        self.in_answer: Callable[[str], Fate] = remembered(fate_in_answer)
        self.drops_parameter: Callable[[str], bool] = remembered(
            functools.partial(is_reserved, reserved=reserved, withheld=withheld.parameters)
        )
