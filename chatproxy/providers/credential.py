"""Whether a provider accepts our own credential: the one fault no caller can mend."""

import logging
from typing import Literal

#: What an answer says of our credential; most say nothing of it.
Verdict = Literal["refused", "accepted", "unknown"]

log = logging.getLogger(__name__)


class CredentialWatch:
    """What the provider's last answers said of our credential, as seen by this worker."""

    def __init__(self, provider: str) -> None:
        self._provider = provider
        self.refused = False

    def saw(self, status: int, verdict: Verdict) -> None:
        """Take note of an answer. Log the change, not each refusal."""
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
