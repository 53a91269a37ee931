"""Users at Stream: looked up, made, changed, and their tokens ended.

Source: the vendor's REST documentation and its official SDKs. A call here raises what
`answering.read` does, and `UpstreamError` where Stream cannot be asked.
"""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from chatproxy.errors import CallerError, UpstreamError
from chatproxy.formats.objects import without_none
from chatproxy.identity.records import Profile
from chatproxy.metrics.table import TOKENS_REVOKED
from chatproxy.providers.base import BACK_DATED
from chatproxy.providers.people import Ended, Reach, moments
from chatproxy.providers.stream import answering
from chatproxy.providers.stream.credentials import ServerCredentials

#: The field with the time before which tokens are ended, of a user and of the application.
REVOCATION = "revoke_tokens_issued_before"

#: What else a user has at Stream. In version 1 of its interface these lie beside the company's own
#: fields, so what comes from outside must have none of them: `role` makes an administrator.
STREAMS_OWN = frozenset(
    {
        *("role", "roles", "teams", "teams_role", "invisible", "banned", "ban_expires", "online"),
        *("shadow_banned", "created_at", "updated_at", "deleted_at", "deactivated_at"),
        *("last_active", REVOCATION, "privacy_settings", "push_notifications", "devices", "mutes"),
        *("channel_mutes", "blocked_user_ids", "unread_count", "total_unread_count", "custom"),
        *("unread_channels", "unread_threads", "bypass_moderation", "language", "user", "user_id"),
    }
)

SHOWN = (
    *("id", "name", "image", "role", "teams", "banned", "online", "created_at", "updated_at"),
    *("last_active", "deactivated_at", REVOCATION),
)


class People:
    """The users of one application."""

    def __init__(self, name: str, credentials: ServerCredentials) -> None:
        self._name = name
        self._credentials = credentials

    def find(self, reach: Reach, user_id: str) -> Mapping[str, Any] | None:
        """Return a user, None where Stream has none with this id."""
        wanted = {"filter_conditions": {"id": {"$in": [user_id]}}, "limit": 1}
        query = [("payload", quote(json.dumps(wanted), safe=""))]
        found = self._ask(reach, "GET", "/users", query=query).get("users")

        if not isinstance(found, list):
            raise UpstreamError(answering.UNREADABLE, detail="stream: no list of users")

        users = (one for one in found if isinstance(one, dict))
        return next((one for one in users if one.get("id") == user_id), None)

    def ensure(self, reach: Reach, user_id: str, fields: Mapping[str, Any]) -> None:
        """Make a user, or change one in what is given and nothing else."""
        # `POST /users` alone would do both, but it replaces all that a user has.
        if self.find(reach, user_id) is None:
            self._post(reach, user_id, fields)
        elif fields:
            self._set(reach, user_id, fields)

    def end_tokens(self, reach: Reach, user_id: str, before: float | None) -> Ended:
        """End a user's tokens that were issued before a time, or take that back for None."""
        self._set(reach, user_id, moments(**{REVOCATION: before}))

        if before is not None:
            TOKENS_REVOKED.add(self._name)

        return Ended(facts=_facts(before))

    def end_all_tokens(self, reach: Reach, before: float | None) -> Ended:
        """End the tokens of all users that were issued before a time."""
        self._ask(reach, "PATCH", "/app", moments(**{REVOCATION: before}))
        return Ended(facts=_facts(before))

    def make_guest(self, reach: Reach, user: Mapping[str, Any]) -> tuple[Mapping[str, Any], str]:
        """Make a guest, to whom Stream gives an id; return the user and its token."""
        answer = self._ask(reach, "POST", "/guest", {"user": dict(user)})
        made, token = answer.get("user"), answer.get("access_token")

        if not isinstance(made, dict) or not isinstance(made.get("id"), str) or not made["id"]:
            raise UpstreamError(answering.UNREADABLE, detail="stream: a guest without an id")

        if not isinstance(token, str) or not token:
            raise UpstreamError(answering.UNREADABLE, detail="stream: a guest without a token")

        return made, token

    def _post(self, reach: Reach, user_id: str, fields: Mapping[str, Any]) -> None:
        users = {user_id: {"id": user_id, **fields}}
        _has(self._ask(reach, "POST", "/users", {"users": users}), user_id)

    def _set(self, reach: Reach, user_id: str, fields: Mapping[str, Any]) -> None:
        users = [{"id": user_id, "set": dict(fields)}]
        _has(self._ask(reach, "PATCH", "/users", {"users": users}), user_id)

    def _ask(
        self,
        reach: Reach,
        method: str,
        path: str,
        document: Mapping[str, Any] | None = None,
        query: Sequence[tuple[str, str]] = (),
    ) -> dict[str, Any]:
        body = None if document is None else json.dumps(document).encode()
        call = self._credentials.call(method, path, query=query, body=body)
        return answering.read(*reach.ask(self._name, call))


def moment_after(now: float) -> float:
    """Return the time before which tokens are ended that were made until now.

    It is the end of the second. A token made here says that it was issued some seconds earlier
    (`BACK_DATED`), but one that Stream made for a guest, or a machine whose clock is ahead, does
    not. So a new one is good only those seconds later, when `iat` has come as far.
    """
    return float(math.floor(now) + 1)


def fields_of(profile: Profile) -> dict[str, Any]:
    """Return what is said about a user as Stream has it; raise `CallerError`.

    An email is left out: other users would see it.
    """
    own = dict(profile.custom or {})
    check_fields(own)
    return {**own, **without_none({"name": profile.name, "image": profile.image})}


def shown(user: Mapping[str, Any]) -> dict[str, Any]:
    """Return of a user what says who it is; how busy it is, and its devices, are left out."""
    return {name: user[name] for name in SHOWN if name in user}


def check_fields(fields: Mapping[str, Any]) -> None:
    """Raise `CallerError` for a field that is Stream's own."""
    if own := STREAMS_OWN.intersection(fields):
        raise CallerError(f"{min(own)} is a field of Stream's own, which cannot be set here.")


def _has(answer: Mapping[str, Any], user_id: str) -> None:
    # What was done is in the answer. Without it nobody may be told that tokens were ended.
    users = answer.get("users")

    if not isinstance(users, dict) or user_id not in users:
        raise UpstreamError(answering.UNREADABLE, detail="stream: the user is not in its answer")


def _facts(before: float | None) -> dict[str, Any]:
    later = None if before is None else math.ceil(before) + BACK_DATED
    return moments(revokedBefore=before, newTokensFrom=later)
