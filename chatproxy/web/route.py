"""A line of the table of routes."""

import dataclasses
from collections.abc import Callable
from typing import Any

from flask import Blueprint

from chatproxy.settings.listeners import Door, Listener

#: Called before a view. Returns what it knows of the caller, for `current.authenticated`, or raises
#: the error with which the caller is refused.
Guard = Callable[[], Any]


def anybody() -> None:
    """Let everybody call who can reach the port."""


def nobody_asks() -> bool:
    """Ask for no key, whatever the access document says."""
    return False


def no_pages() -> bool:
    """Refuse web pages of other sites."""
    return False


def any_page() -> bool:
    """Let web pages of other sites call: the blueprint itself says which may do what."""
    return True


@dataclasses.dataclass(frozen=True)
class Route:
    """One line of the table: a path, the blueprint below it, who may call, and by which door.

    A surface that both services and clients call has a line for each door. `pages` says whether the
    request may come from a web page of another site. With `any_host` it is served whatever its
    `Host` is. `provider` is whose it is, empty for none, and with `forwards` what is below the path
    is forwarded there. `for_services` says whether the access document is asked about the current
    request; absent, the door does.
    """

    path: str
    blueprint: Blueprint
    guard: Guard
    door: Door
    pages: Callable[[], bool] = no_pages
    any_host: bool = False
    provider: str = ""
    forwards: bool = False
    for_services: Callable[[], bool] | None = None

    def needs_key(self, listener: Listener) -> bool:
        """Say whether the access document is asked about the current request, from a listener."""
        if self.for_services is not None:
            return self.for_services()

        # What clients call brings a credential of its own, also where they share the port. At a
        # door of its own the state of the sidecar is for whoever monitors it.
        return self.door == "service" or (self.door == "status" and listener.door != "status")
