"""What all stand-ins share: a routing table, and one place where refusals become answers."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Generic, TypeVar

from .answers import Answer, Refusal, Request
from .bodies import BodyTooLarge
from .routing import Route, Routes

C = TypeVar("C")


class Application(ABC, Generic[C]):
    """A provider's server: turns requests into answers, raises nothing."""

    def __init__(self, routes: Iterable[Route[C]]) -> None:
        self.routes = Routes(routes)

    def respond(self, request: Request) -> Answer:
        """Do what is asked."""
        try:
            return self.reply(request)
        except Refusal as refusal:
            return refusal.answer()
        except BodyTooLarge:
            # While the upload still comes in: nobody could wait for the end of one without limit.
            return self.error(413).at_once()

    @abstractmethod
    def reply(self, request: Request) -> Answer:
        """Find out who calls and run the route's handler. Raises Refusal and BodyTooLarge."""

    @abstractmethod
    def error(self, status: int) -> Answer:
        """Return a bare status in the provider's own error shape."""

    def failure(self, status: int) -> Answer:
        """Return the answer to a request that never came as far as `respond`."""
        return self.error(status)
