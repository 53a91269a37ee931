"""Reactions to messages and the counters that follow from them."""

from __future__ import annotations

from collections import Counter

from .call import Call, Route, page
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
    only = call.body.get("enforce_unique", False)
    kept = [r for r in _of(call, message) if not _replaced(r, reaction, only)]
    call.state.reactions[message["id"]] = [*kept, reaction]
    _count(call, message)
    return {"message": message, "reaction": reaction}


def _replaced(old: Document, new: Document, only: bool) -> bool:
    return old["user_id"] == new["user_id"] and (only or old["type"] == new["type"])


def _delete(call: Call) -> Document:
    message = call.state.message(call.params["id"])
    user = call.acting_user(call.query, "reaction")
    for reaction in _of(call, message):
        if (reaction["user_id"], reaction["type"]) == (user["id"], call.params["type"]):
            call.state.reactions[message["id"]].remove(reaction)
            _count(call, message)
            return {"message": message, "reaction": reaction}

    raise StreamError(NOT_FOUND, f"{user['id']} has no reaction {call.params['type']!r}")


def _list(call: Call) -> Document:
    limit, offset = page({**call.query, **call.body}, 10, 300)
    given = list(reversed(_of(call, call.state.message(call.params["id"]))))
    return {"reactions": given[offset : offset + limit]}


ROUTES = (
    Route("SendReaction", "POST", "/messages/{id}/reaction", _send),
    Route("DeleteReaction", "DELETE", "/messages/{id}/reaction/{type}", _delete),
    Route("GetReactions", "GET", "/messages/{id}/reactions", _list),
    Route("QueryReactions", "POST", "/messages/{id}/reactions", _list),
)
