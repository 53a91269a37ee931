"""`POST /v1/tokens`, `DELETE /v1/users/<userId>/tokens`, `GET /v1/users/<userId>`."""

import logging
from typing import Any

from flask import Blueprint, Response

from chatproxy.errors import CallerError, NotFound, UpstreamError, WrongMethod
from chatproxy.formats.rates import Rate
from chatproxy.formats.timestamps import iso
from chatproxy.identity.records import DEFAULT_APP, User
from chatproxy.limiting.limiter import Count
from chatproxy.providers.base import Provider
from chatproxy.providers.people import Given, Person
from chatproxy.web import access
from chatproxy.web.current import context, limiter, services
from chatproxy.web.v1 import schemas
from chatproxy.web.v1.asking import Outcome, Outcomes, answer, of_each

log = logging.getLogger(__name__)

blueprint = Blueprint("v1", __name__)

TOO_MANY = "Too many token requests for this user. Try again later."
NOBODY = "Nobody has this id at any provider."
NO_SUCH_PATH = "Nothing is served at this path."


@blueprint.post("/tokens")
def give() -> Response:
    """Give one person a token of each provider."""
    person, names = schemas.requested_tokens()
    access.acts_for(person.user_id)
    # Counted before anybody is asked, so that a refused request changes nothing.
    count = _spend(person.user_id)
    outcomes = of_each(names, lambda provider: _given(provider, person))
    _give_back_if_in_vain(person.user_id, outcomes)
    made = answer(person.user_id, outcomes, {}, good="issued", nobody=NOBODY)
    made.headers.update({} if count is None else count.headers())
    return made


@blueprint.delete("/users/<anything:user_id>/tokens")
def end(user_id: str) -> Response:  # noqa: ARG001 - read from the raw path
    """End all tokens that one person has, at each provider."""
    named = _named("tokens")
    outcomes = of_each(services().backends, lambda provider: _ended(provider, named))
    ended = [name for name, one in outcomes.items() if one.status == "ended"]
    log.info("tokens ended", extra={"providers": ended})
    return answer(named, outcomes, {}, good="ended", nobody=NOBODY)


@blueprint.get("/users/<anything:user_id>")
def show(user_id: str) -> Response:  # noqa: ARG001 - read from the raw path
    """Answer who somebody is, in the directory and at each provider."""
    named = _named()
    outcomes = of_each(services().backends, lambda provider: _known(provider, named))
    further = {"directory": _in_directory(named, outcomes)}
    return answer(named, outcomes, further, good="known", nobody=NOBODY)


# By the router they would be 405 before a dot segment in the path is looked for.
@blueprint.route("/users/<anything:user_id>", methods=["POST", "PUT", "PATCH", "DELETE"])
def refuse(user_id: str) -> Response:
    """Refuse other methods."""
    allowed = "DELETE" if user_id.endswith("/tokens") else "GET"
    raise WrongMethod("This method is not served here.", allowed=[allowed])


def _named(behind: str = "") -> str:
    named = schemas.named_user(behind)

    if named is None:
        raise NotFound(NO_SUCH_PATH)

    access.acts_for(named)
    return named


def _given(provider: Provider, person: Person) -> Outcome:
    if fault := provider.id_fault(person.user_id):
        raise CallerError(fault)

    return Outcome("issued", _as_json(provider.give(person, services().reach())))


def _as_json(given: Given) -> dict[str, Any]:
    connect = dict(given.connect)
    prefix = services().settings.service_prefix

    for name in ("path", "socketPath"):
        if name in connect:
            connect[name] = prefix + connect[name]

    return {**given.texts, "expiresAt": iso(given.expires), "connect": connect}


def _ended(provider: Provider, user_id: str) -> Outcome:
    if fault := provider.id_fault(user_id):
        return Outcome("unknown", {"reason": fault})

    try:
        found = provider.end_user(user_id, provider.app, services().reach(), even_unused=True)
    except CallerError as error:
        # The caller has said nothing that could be wrong: the tokens may be good still.
        raise UpstreamError(error.message, detail=error.detail) from error

    reason = {"reason": found.reason} if found.reason else {}
    return Outcome(found.end, {**reason, **found.facts})


def _known(provider: Provider, user_id: str) -> Outcome:
    if fault := provider.id_fault(user_id):
        return Outcome("unknown", {"reason": fault})

    found = provider.who(user_id, services().reach())
    return Outcome("unknown") if found is None else Outcome("known", found)


def _in_directory(user_id: str, outcomes: Outcomes) -> dict[str, Any] | None:
    """Return what the directory has of somebody, as far as the caller may use who shares it."""
    sections = services().settings.provider_settings
    shared = any(sections[name].knows_users for name, one in outcomes.items() if one.error is None)
    known = services().directory

    if known is None or not shared:
        return None

    user = known.users.find(DEFAULT_APP, user_id)
    return None if user is None else _shown(user)


def _shown(user: User) -> dict[str, Any]:
    return {
        "app": user.app_id,
        "name": user.name,
        "image": user.image,
        "email": user.email,
        "custom": user.custom,
        "created": iso(user.created),
        "updated": iso(user.updated),
        "lastSeen": iso(user.last_seen),
    }


def _spend(user_id: str) -> Count | None:
    """Count the call for a user; raise `TooManyRequests`. Without a limiter nothing is counted."""
    if services().limiter is None:
        return None

    return limiter().spend(_subject(user_id), _rate(), TOO_MANY, limit="tokens")


def _give_back_if_in_vain(user_id: str, outcomes: Outcomes) -> None:
    """Take the count back where no token was made, through no fault of the caller."""
    in_vain = not any(one.status == "issued" for one in outcomes.values())

    if in_vain and any(one.failed for one in outcomes.values()) and services().limiter is not None:
        limiter().give_back(_subject(user_id), _rate())


def _subject(user_id: str) -> str:
    return f"tokens of all providers {context().called_by} {user_id}"


def _rate() -> Rate:
    settings = services().settings.limiter
    assert settings is not None  # noqa: S101 - it is there where the limiter is
    return settings.token_rate
