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


def _of(call: Call, message: Document) -> list[Document]:
    return call.state.reactions.setdefault(message["id"], [])


def _keep(call: Call, message: Document, reactions: list[Document]) -> None:
    call.state.reactions[message["id"]] = reactions
    counts = dict(Counter(reaction["type"] for reaction in reactions))
    message.update(latest_reactions=reactions[-LATEST:], reaction_counts=counts)
    message["reaction_scores"] = {
        kind: sum(one["score"] for one in reactions if one["type"] == kind) for kind in counts
    }


def _key(reaction: Document) -> tuple[str, str]:
    """Tell two reactions apart: a user has one of each type, and another replaces it."""
    return reaction["user_id"], reaction["type"]


def _send(call: Call) -> Document:
    message, given = call.state.message(call.params["id"]), call.part("reaction")
    checked(given.get("type"), str, "reaction.type")
    user = call.acting_user(given, "reaction")
    reaction = {
        "score": 1,
        **split(given, WRITABLE, call.version),
        "message_id": message["id"],
        "user_id": user["id"],
        "user": public(user),
        **stamps(),
    }
    others = [one for one in _of(call, message) if _key(one) != _key(reaction)]
    _keep(call, message, [*others, reaction])
    return {"message": message, "reaction": reaction}


def _delete(call: Call) -> Document:
    message = call.state.message(call.params["id"])
    key = (call.acting_user(call.query, "reaction")["id"], call.params["type"])
    gone = [one for one in _of(call, message) if _key(one) == key]
    if not gone:
        raise StreamError(NOT_FOUND, f"{key[0]} has no reaction {key[1]!r}")

    _keep(call, message, [one for one in _of(call, message) if one not in gone])
    return {"message": message, "reaction": gone[0]}


def _list(call: Call) -> Document:
    given = _of(call, call.state.message(call.params["id"]))
    return {"reactions": page(given[::-1], call.query, 300)}


MESSAGE = "/messages/{id}"
ROUTES = (
    *chat("POST", f"{MESSAGE}/reaction", _send),
    *chat("DELETE", f"{MESSAGE}/reaction/{{type}}", _delete),
    *chat("GET", f"{MESSAGE}/reactions", _list),
)
