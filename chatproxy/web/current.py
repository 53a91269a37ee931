"""The request that is being served, and the worker that serves it."""

from typing import TYPE_CHECKING, TypeVar

from flask import current_app, request

from chatproxy.providers.base import Provider
from chatproxy.services import Services
from chatproxy.web.context import KEY, RequestContext

if TYPE_CHECKING:
    from chatproxy.identity.directory import Directory
    from chatproxy.limiting.limiter import Limiter

T = TypeVar("T")
ProviderT = TypeVar("ProviderT", bound=Provider)


def services() -> Services:
    """Return the worker's services."""
    found: Services = current_app.extensions["chatproxy"]
    return found


def context() -> RequestContext:
    """Return the context of the request."""
    found: RequestContext = request.environ[KEY]
    return found


def authenticated(kind: type[T]) -> T:
    """Return what the route's guard returned: the caller's key, user or token."""
    found = context().authenticated
    assert isinstance(found, kind)  # noqa: S101 - the table in `routes` names the guard
    return found


def provider(kind: type[ProviderT]) -> ProviderT:
    """Return the provider of a class. Its endpoints are registered only if it is on."""
    return services().provider(kind)


def directory() -> "Directory":
    """Return the directory, which exists if a provider that knows users is on."""
    found = services().directory
    assert found is not None  # noqa: S101 - see `Services`
    return found


def limiter() -> "Limiter":
    """Return the limiter, which exists if the directory does."""
    found = services().limiter
    assert found is not None  # noqa: S101 - see `Services`
    return found


def now() -> float:
    """Return the time of day in epoch seconds."""
    return services().clock.now()
