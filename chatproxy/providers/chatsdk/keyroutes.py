"""Routes of a ChatSDK server that only a service may call, with the API key.

Calls to `/api/*` go out with the real API key, so a client must not reach these routes with
its own token: it would act as an administrator. Decision 0012 tells why this is a list.
"""

import re
from collections.abc import Sequence

from chatproxy.forwarding.credentials import without
from chatproxy.providers.paths import END, readings

#: Method and path below /api, from the server routes in the vendor's public code. What lies below
#: one of them counts as well, but for the last two. An id may be several segments to some servers.
KEY_ROUTES: Sequence[tuple[str, re.Pattern[str]]] = [
    (method, re.compile(rf"/*api/+{path}"))
    for method, path in (
        ("*", rf"auth{END}/+connect(?:-dev)?{END}"),
        ("*", rf"server{END}"),
        ("*", rf"admin{END}"),
        ("*", rf"users{END}/+(?:(?:bulk-)?ensure|bulk-delete|sync){END}"),
        ("*", rf"users{END}/(?:.*/)?revoke-tokens{END}"),
        # A user's export of its own, `me/export`, is a client's.
        ("*", rf"users{END}/(?!/*me/+export/*$).*/export{END}"),
        ("*", rf"channels{END}/+[^/]+/+ensure{END}"),
        ("PUT", rf"users{END}/*+[^/]*+/*+$"),
        ("DELETE", rf"users{END}/*+[^/]*+/*+$"),
    )
]

#: Fields of a query by which some servers let a request change its own method. The headers for it
#: are never forwarded (`forwarding.headers`).
METHOD_FIELDS = frozenset(
    {"_method", "x_http_method_override", "x_http_method", "x_method_override"}
)
#: Bodies in which such a field may stand.
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


def needs_api_key(method: str, path: str, query: str | None, content_type: str) -> bool:
    """Return whether any server could read the call as one of these routes; raise `BadTarget`."""
    query = query or ""
    is_form = content_type.strip().lower().startswith(FORMS)
    any_method = is_form or without(query, METHOD_FIELDS) != query
    routes = [route for wanted, route in KEY_ROUTES if any_method or wanted in ("*", method)]
    return any(route.match(reading) for reading in readings(path) for route in routes)
