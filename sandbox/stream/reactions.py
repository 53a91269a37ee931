"""Reactions to messages and the counters that follow from them."""

from __future__ import annotations

from collections import Counter

from .call import Call, endpoint, page
from .errors import INPUT, NOT_FOUND, StreamError
from .rendering import split
from .state import Document, now
from .users import public

WRITABLE = {"type", "score"}
OURS = {"user", "user_id", "message_id", "created_at", "updated_at"}
LATEST = 10


def _of(call: Call, message: Document) -> list[Document]:
    return call.state.reactions.setdefault(message["id"], [])


def _count(call: Call, message: Document) -> None:
    given = _of(call, message)
    message["latest_reactions"] = given[-LATEST:]
    message["reaction_counts"] = dict(Counter(r["type"] for r in given))
    scores: Counter[str] = Counter()
    for reaction in given:
        scores[reaction["type"]] += reaction["score"]

    message["reaction_scores"] = dict(scores)


def _send(call: Call) -> Document:
    message, given = call.state.message(call.params["id"]), call.part("reaction")
    if not isinstance(given.get("type"), str) or not given["type"]:
        raise StreamError(INPUT, "reaction.type is a required field", {"type": "required"})

    user, moment = call.acting_user(given, "reaction"), now()
    reaction = {
        "score": 1,
        **split(given, WRITABLE, OURS, call.version),
        "message_id": message["id"],
        "user_id": user["id"],
        "user": public(user),
        "created_at": moment,
        "updated_at": moment,
    }
    kept = [r for r in _of(call, message) if _key(r) != _key(reaction)]
    call.state.reactions[message["id"]] = [*kept, reaction]
    _count(call, message)
    return {"message": message, "reaction": reaction}


def _key(reaction: Document) -> tuple[str, str]:
    """A user reacts once with each type; again replaces the first."""
    return reaction["user_id"], reaction["type"]


def _delete(call: Call) -> Document:
    message = call.state.message(call.params["id"])
    user = call.acting_user(call.query, "reaction")
    for reaction in _of(call, message):
        if _key(reaction) == (user["id"], call.params["type"]):
            call.state.reactions[message["id"]].remove(reaction)
            _count(call, message)
            return {"message": message, "reaction": reaction}

    raise StreamError(NOT_FOUND, f"{user['id']} has no reaction {call.params['type']!r}")


def _list(call: Call) -> Document:
    limit, offset = page(call.query, 10, 300)
    given = list(reversed(_of(call, call.state.message(call.params["id"]))))
    return {"reactions": given[offset : offset + limit]}


ROUTES = (
    *endpoint("SendReaction", "POST", "/messages/{id}/reaction", _send),
    *endpoint("DeleteReaction", "DELETE", "/messages/{id}/reaction/{type}", _delete),
    *endpoint("GetReactions", "GET", "/messages/{id}/reactions", _list),
)
