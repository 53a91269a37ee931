"""Users: those that there are, and making one with the app's key."""

from urllib.parse import parse_qsl

from ..answers import Answer, json_answer
from ..bodies import Field
from ..routing import Route
from .authentication import JANUARY
from .call import Call
from .errors import Thrown, of_body

USER = (
    Field("userId", str, required=True),
    *(Field(name, str) for name in ("name", "image", "email")),
    Field("custom", dict),
)


def _list(call: Call) -> Answer:
    """Answer with the users; today to a user only."""
    if call.credentials.version != JANUARY and call.caller.user_id is None:
        raise Thrown(401, "User authentication required. Include Authorization.")

    query = dict(parse_qsl(call.request.head.target.partition("?")[2]))
    with call.state.lock:
        found = sorted(call.state.users)[: int(query.get("limit", "50"))]

    return json_answer(200, {"users": [{"id": one, "name": None, "image": None} for one in found]})


def _ensure(call: Call) -> Answer:
    """Make a user where there is none, for a server only. January's server has no such route."""
    if call.credentials.version == JANUARY:
        raise Thrown(404, "Not Found")

    if call.caller.user_id is not None:
        raise Thrown(401, "App authentication required. Include X-API-Key header.")

    given = call.document(USER)
    if not given["userId"]:
        raise of_body("userId")

    with call.state.lock:
        is_new = given["userId"] not in call.state.users
        call.state.users.add(given["userId"])

    made = {"action": "created" if is_new else "existing", "created": is_new, "updated": False}
    return json_answer(201 if is_new else 200, {**made, "user": {"id": given["userId"]}})


ROUTES = (Route("GET", "/api/users", _list), Route("POST", "/api/users/ensure", _ensure))
