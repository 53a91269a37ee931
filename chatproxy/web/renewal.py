"""Taking over, before a request, what the first process has posted since the last one."""

import logging
from collections.abc import Callable, Sequence

from chatproxy import logs
from chatproxy.metrics.table import SETTINGS_UNUSABLE
from chatproxy.providers.base import Provider
from chatproxy.services import Services
from chatproxy.settings import Settings
from chatproxy.settings.watch import Watch

log = logging.getLogger(__name__)


class Renewal:
    """Keeps a worker's services in step with the settings in force, of which it has a number."""

    def __init__(
        self,
        watch: Watch,
        number: int,
        services: Services,
        make_providers: Callable[[Settings], Sequence[Provider]],
    ) -> None:
        self._watch = watch
        self._number = number
        self._services = services
        self._make_providers = make_providers

    def __call__(self) -> None:
        """Look whether anything has changed, and take it over."""
        # Asked for each request, and not now and then: a caller who has got a token from a worker
        # that knows a new secret may ask any other worker next.
        if self._watch.number != self._number:
            self._take_over()

    def _take_over(self) -> None:
        number, found = self._watch.posted()
        logs.hide(found.hidden)

        try:
            self._services.use(found.settings, self._make_providers(found.settings))
            problems = found.problems
        except Exception as error:  # noqa: BLE001 - the request goes on with what was good
            SETTINGS_UNUSABLE.add()
            problems = (f"This worker cannot use the settings ({type(error).__name__}).",)
            log.error(  # noqa: TRY400 - a traceback may show a secret
                "changed settings cannot be used, the last good ones stay in force",
                extra={"config": {"fault": list(problems)}},
            )

        self._services.config.problems = problems
        logs.hide(self._services.secrets())
        # Last, and also after a failure, which would be the same at the next request.
        self._number = number
