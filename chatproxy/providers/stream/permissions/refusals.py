"""What Stream's answers say to a call about permissions."""

from chatproxy.errors import UpstreamError
from chatproxy.providers.permissions import Ask, Refused, Reply, Request, Unanswered

#: Characters of Stream's own words that are kept.
LONGEST_MESSAGE = 300


def reply_to(ask: Ask, request: Request) -> Reply:
    """Make a call; raise `Refused` or `Unanswered` where it was not done."""
    found = ask(request)

    if 200 <= found.status < 300:
        return found

    raise _error(request, found)


def _error(request: Request, found: Reply) -> UpstreamError:
    status = found.status
    told = found.document or {}
    code = told.get("code")
    with_code = f"{status} (code {code})" if type(code) is int else str(status)
    # What is made is not in the path, and one of many may be refused.
    named = (request.body or {}).get("name")
    what = request.path if named is None else f"{request.path} for {named}"
    message = f"Stream answered {request.method} {what} with {with_code}."

    if status == 429:
        return Unanswered(message, kind="limited", wait=found.wait)

    if status == 401:
        return Unanswered(f"{message} It refuses our credential.", kind="refused")

    # 408: it took too long there. 3xx: no redirect is followed.
    if status >= 500 or status == 408 or status < 400:
        return Unanswered(message, kind="unreachable", wait=found.wait)

    # Its text may quote what was sent, and no credential: that is in no body.
    detail = told.get("message")
    return Refused(message, detail=detail[:LONGEST_MESSAGE] if isinstance(detail, str) else "")
