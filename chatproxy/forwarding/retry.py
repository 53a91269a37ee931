"""Which failed attempt may be repeated."""

from chatproxy.errors import UpstreamBroken

REPEATABLE = frozenset({"GET", "HEAD"})


def may_repeat(error: UpstreamBroken, method: str, *, has_body: bool, reused: bool) -> bool:
    """Say whether a broken attempt may be made again on a fresh connection.

    Only a kept connection is a reason: the provider may have closed it while it
    was idle. Then a request of which nothing was sent may always go again, unless
    part of the caller's body is already used up; another one only where doing it
    twice is the same as once and not a byte of an answer has come. A status is
    never a reason.
    """
    if not reused or has_body or error.answer_begun:
        return False

    return error.nothing_sent or method in REPEATABLE
