"""Which requests are kept as faults for `/-/console`, and what of them."""

from collections.abc import Callable

from chatproxy.errors import Side
from chatproxy.logs import access
from chatproxy.metrics.lately import Fault
from chatproxy.metrics.requests import NONE
from chatproxy.metrics.series import store
from chatproxy.web.current import RequestContext

#: What a fault is called where no error of ours is known: the provider answered so.
ANSWERED = "Answer"


def remember(context: RequestContext, now: float) -> None:
    """Keep a request if it ended badly and not by the caller's fault; `now` is in epoch seconds."""
    side = _side(context)

    if side is None or context.path.startswith(access.STATUS_PREFIX):
        return

    # Not the path, which holds users' ids, nor the detail, which is for the log alone.
    error = context.notes.get("error", {})
    fault = Fault(
        at=now,
        side=side,
        provider=context.provider or NONE,
        route=context.route or NONE,
        status=context.status,
        kind=error.get("type", ANSWERED),
        message=error.get("message", f"The provider answered {context.status}."),
        request_id=context.id,
    )
    store().segment.lately.remember(fault)


def keeper(now: Callable[[], float]) -> Callable[[RequestContext], None]:
    """Make what keeps the faults of a worker, whose clock this is."""
    return lambda context: remember(context, now())


def _side(context: RequestContext) -> Side | None:
    if context.broken_by is not None:
        return None if context.broken_by == "caller" else context.broken_by

    return "upstream" if context.status >= 500 else None
