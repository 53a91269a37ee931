"""An application of the tests' own at the stand-in, and what there is in it."""

import copy
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.canaries import API_KEY, API_SECRET
from tests.commands import answer
from tests.upstream import StreamUpstream

TIMES = ("created_at", "updated_at")
READS = ("/roles", "/permissions", "/app", "/channeltypes")


class ApplicationUpstream(StreamUpstream):
    """One application. The stand-in that most tests share is not changed."""

    def there(self) -> Any:
        """All that a document could change, and all that it must not, without times."""
        with self.app.state.lock:
            return copy.deepcopy(
                {
                    "roles": sorted(self.app.state.roles),
                    "app": self.app.state.app,
                    "types": {
                        name: {key: value for key, value in one.items() if key not in TIMES}
                        for name, one in self.app.state.channel_types.items()
                    },
                }
            )

    def calls(self) -> list[tuple[str, str]]:
        return [(one.method, one.target.partition("?")[0]) for one in self.journal]

    def writes(self) -> list[tuple[str, str]]:
        return [call for call in self.calls() if call[0] != "GET"]


@contextmanager
def application() -> Iterator[ApplicationUpstream]:
    with ApplicationUpstream(api_key=API_KEY, api_secrets=[API_SECRET]) as running:
        yield running


def account(stream: StreamUpstream) -> dict[str, str]:
    """The settings that a command needs."""
    return {
        "STREAM_API_KEY": API_KEY,
        "STREAM_API_SECRET": API_SECRET,
        "STREAM_BASE_URL": stream.url,
    }


def applied(path: str) -> Any:
    """What there is in a new application once a document is in force."""
    with application() as stream:
        answer(account(stream), "permissions", "apply", "--file", path)
        return stream.there()


def written(path: Path, content: Any) -> str:
    """Write a document, in one step; return its path."""
    made = path.with_name(f"{path.name}.new")
    made.write_text(json.dumps(content))
    made.rename(path)
    return str(path)
