"""Whether a provider accepts our own credential: the one fault no caller can mend."""

import logging

log = logging.getLogger(__name__)


class CredentialWatch:
    """What the provider's last answers said of our credential, as seen by this worker."""

    def __init__(self, provider: str) -> None:
        self._provider = provider
        self.refused = False

    def saw(self, status: int, *, refused: bool) -> None:
        """Take note of an answer. Log the change, not each refusal."""
        if refused and not self.refused:
            self.refused = True
            log.critical(
                "the provider refuses our own credential: check its key and secret",
                extra={"provider": self._provider, "statusCode": status},
            )
        elif self.refused and 200 <= status < 300:
            self.refused = False
            log.warning(
                "the provider accepts our credential again", extra={"provider": self._provider}
            )
