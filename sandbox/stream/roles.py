"""Roles: those that every app has, and its own."""

from .call import Call, common
from .errors import INPUT, StreamError
from .grants import BUILT_IN_ROLES
from .state import Document, stamps

LONGEST = 64
# The scope of a role that belongs to no type of channels.
SCOPE = ".app"


def built_in() -> dict[str, Document]:
    """Return the roles that every app has."""
    return {name: _made(name, custom=False) for name in BUILT_IN_ROLES}


def _made(name: str, *, custom: bool) -> Document:
    return {"name": name, "custom": custom, "scopes": [SCOPE], **stamps()}


def _list(call: Call) -> Document:
    return {"roles": list(call.state.roles.values())}


def _create(call: Call) -> Document:
    name = call.part("name", str)
    if not 0 < len(name) <= LONGEST:
        raise StreamError(
            INPUT, f"name must be a maximum of {LONGEST} characters in length", "name"
        )

    if name in call.state.roles:
        raise StreamError(INPUT, f"role {name!r} already exists", "name")

    call.state.roles[name] = _made(name, custom=True)
    return {"role": call.state.roles[name]}


ROUTES = (
    *common("GET", "/roles", _list, server_only=True),
    *common("POST", "/roles", _create, server_only=True),
)
