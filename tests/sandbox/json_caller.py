"""What the callers of the stand-ins that take JSON have in common."""

import json
from dataclasses import dataclass
from typing import Any, ClassVar

from sandbox.server import Server
from tests.wire import RawAnswer, ask, get, post


@dataclass
class JsonCaller:
    """Sends a document as JSON, bytes as they are, and no credentials of its own accord."""

    content_type: ClassVar[str] = "Content-Type: application/json"

    stand_in: Server

    def see(self, method: str, target: str, document: Any = None, *lines: str) -> RawAnswer:
        if document is None:
            return ask(self.stand_in.port, get(target, *lines, method=method))

        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        return ask(self.stand_in.port, post(target, body, self.content_type, *lines, method=method))
