"""The same fixtures as for the stand-ins: an upstream of its own for each test."""

from tests.sandbox.chatsdk.conftest import *  # noqa: F403 - the names are for pytest
from tests.sandbox.conftest import *  # noqa: F403
from tests.sandbox.imkit.conftest import *  # noqa: F403
