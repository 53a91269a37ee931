"""IMKit's surface, below `/imkit`: what is reachable, and who may call it."""

from collections.abc import Sequence

from flask import Blueprint

from chatproxy.services import Services


def blueprints(_services: Services) -> Sequence[Blueprint]:
    """Return the surface."""
    return ()
