"""Reactions to messages and the counters that follow from them."""

from collections import Counter

from .call import Call, chat, checked
from .errors import NOT_FOUND, StreamError
from .filters import page
from .rendering import split
from .state import Document, stamps
from .users import public

WRITABLE = {"type", "score"}
LATEST = 10


def _given(call: Call) -> tuple[Document, dict[tuple[str, str], Document]]:
    """Return the message, and its reactions by who gave them and their type."""
    message = call.state.message(call.params["id"])
    return message, call.state.reactions.setdefault(message["id"], {})


def _count(message: Document, reactions: list[Document]) -> None:
    counts = dict(Counter(reaction["type"] for reaction in reactions))
    message.update(latest_reactions=reactions[-LATEST:], reaction_counts=counts)
    message["reaction_scores"] = {
        kind: sum(one["score"] for one in reactions if one["type"] == kind) for kind in counts
    }


def _send(call: Call) -> Document:
    (message, reactions), given = _given(call), call.part("reaction")
    kind, user = checked(given.get("type"), str, "reaction.type"), call.acting_user(given, "body")
    reaction = {
        "score": 1,
        **split(given, WRITABLE, call.version),
        **{"message_id": message["id"], "user_id": user["id"], "user": public(user)},
        **stamps(),
    }
    reactions[user["id"], kind] = reaction
    _count(message, list(reactions.values()))
    return {"message": message, "reaction": reaction}


def _delete(call: Call) -> Document:
    message, reactions = _given(call)
    user = call.acting_user(call.query, "query")
    reaction = reactions.pop((user["id"], call.params["type"]), None)
    if reaction is None:
        raise StreamError(NOT_FOUND, f"{user['id']} has no reaction {call.params['type']!r}")

    _count(message, list(reactions.values()))
    return {"message": message, "reaction": reaction}


def _list(call: Call) -> Document:
    _, reactions = _given(call)
    return {"reactions": page(list(reactions.values())[::-1], call.query, 300)}


MESSAGE = "/messages/{id}"
ROUTES = (
    *chat("POST", f"{MESSAGE}/reaction", _send),
    *chat("DELETE", f"{MESSAGE}/reaction/{{type}}", _delete),
    *chat("GET", f"{MESSAGE}/reactions", _list),
)
