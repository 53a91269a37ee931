"""Whether a provider accepts our own credential. If not, no caller can do anything about it."""

import logging
from typing import Literal

#: What an answer says about our credential. Most say nothing.
Verdict = Literal["refused", "accepted", "unknown"]

log = logging.getLogger(__name__)


class CredentialWatch:
    """What the last answers that this worker saw say about our credential."""

    def __init__(self, provider: str) -> None:
        self._provider = provider
        self.refused = False

    def saw(self, status: int, verdict: Verdict) -> None:
        """Note an answer."""
        # Only changes are logged: with a bad key every call is refused, and would fill the log.
        if verdict == "refused" and not self.refused:
            self.refused = True
            log.critical(
                "the provider refuses our own credential: check its key and secret",
                extra={"provider": self._provider, "statusCode": status},
            )
        elif verdict == "accepted" and self.refused:
            self.refused = False
            log.warning(
                "the provider accepts our credential again", extra={"provider": self._provider}
            )
