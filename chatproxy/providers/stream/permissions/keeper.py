"""The permissions of one application, and the document that they follow."""

import hashlib

from chatproxy.providers.permissions import Ask, Plan, Write
from chatproxy.providers.stream.permissions import document
from chatproxy.providers.stream.permissions.plan import plan
from chatproxy.providers.stream.permissions.refusals import reply_to
from chatproxy.providers.stream.permissions.today import look


class StreamPermissions:
    """A document, and how it comes to be in force.

    `creates_types`: whether the second system makes types of channels that are missing.
    """

    def __init__(self, content: bytes, *, creates_types: bool) -> None:
        self.document = document.parse(content)
        self._creates_types = creates_types
        self.digest = hashlib.sha256(b"%d" % creates_types + content).hexdigest()

    def plan(self, ask: Ask) -> Plan:
        """Read what there is, and compare. Raises `UpstreamError`."""
        version = self.document.version
        today = look(ask, version)
        found = plan(self.document, today, creates_types=self._creates_types)

        if version is None or today.version in (version, ""):
            return found

        # What is written is kept, and comes into force with the switch.
        return found._replace(
            faults=(
                *found.faults,
                f"The application goes by version {today.version} of Stream's permissions, and "
                f"the document is of version {version}: switch it at Stream, or write the "
                "document anew.",
            )
        )

    def write(self, ask: Ask, write: Write) -> None:
        """Write. Raises `UpstreamError`."""
        reply_to(ask, write.request)
