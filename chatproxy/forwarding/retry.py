"""When a failed attempt may be repeated."""

from chatproxy.errors import UpstreamBroken

#: A proxy must repeat idempotent methods only (RFC 9110 section 9.2.2). PUT and DELETE are left
#: out: as that section says, the second answer might differ from the lost one.
REPEATABLE = frozenset({"GET", "HEAD"})


def may_repeat(error: UpstreamBroken, method: str, *, has_body: bool, reused: bool) -> bool:
    """Say whether a broken attempt may be made once more, on a fresh connection.

    A status is never a reason, only a connection that broke before its answer began.
    """
    # The provider may close a kept connection just when it is reused (RFC 9112 section 9.3.1).
    # A fresh one that breaks is a real fault. Part of the body may be gone by then, and once a
    # byte of the answer is there, the request has been acted upon.
    if not reused or has_body or error.answer_begun:
        return False

    # Not a byte was taken by our own kernel: then even a POST cannot be done twice.
    return error.nothing_sent or method in REPEATABLE
