"""A package that is not what it should be is found out. `make dist` looks at the real one."""

from email.message import Message

import pytest

from chatproxy import __version__
from release.contents import WHEEL_INFO, differences, metadata_problems

SOURCES = {"chatproxy/__init__.py": b"", "chatproxy/py.typed": b""}
FILES = SOURCES | dict.fromkeys(WHEEL_INFO, b"")


@pytest.fixture
def metadata() -> Message:
    message = Message()
    message["Name"] = "chatproxy"
    message["Version"] = __version__
    message["License-Expression"] = "MIT"
    message["License-File"] = "LICENSE"
    message["Requires-Python"] = ">=3.11"
    message["Description-Content-Type"] = "text/markdown"

    for extra in ("postgresql", "redis", "socketio"):
        message["Provides-Extra"] = extra

    message.set_payload("# chatproxy\n")
    return message


def test_the_packages_own_files_are_all_that_is_wanted() -> None:
    assert list(differences("it", FILES, SOURCES, WHEEL_INFO)) == []


@pytest.mark.parametrize("name", ["tests/test_a.py", "sandbox/__init__.py", "chatproxy/local.db"])
def test_a_file_too_many_is_found(name: str) -> None:
    found = list(differences("it", FILES | {name: b""}, SOURCES, WHEEL_INFO))

    assert found == [f"it has {name}, which is none of the package's files"]


@pytest.mark.parametrize("name", ["chatproxy/py.typed", min(WHEEL_INFO)])
def test_a_file_too_few_is_found(name: str) -> None:
    files = {other: content for other, content in FILES.items() if other != name}

    assert list(differences("it", files, SOURCES, WHEEL_INFO)) == [f"it lacks {name}"]


def test_another_content_is_found() -> None:
    changed = FILES | {"chatproxy/py.typed": b"x"}

    assert list(differences("it", changed, SOURCES, WHEEL_INFO)) == [
        "it has another chatproxy/py.typed than the checkout"
    ]


def test_metadata_are_as_they_should_be(metadata: Message) -> None:
    assert list(metadata_problems(metadata)) == []


@pytest.mark.parametrize("name", ["License-Expression", "License-File", "Version", "Name"])
def test_metadata_that_lack_something_are_found(metadata: Message, name: str) -> None:
    del metadata[name]

    assert [one.startswith(f"metadata: {name} is None") for one in metadata_problems(metadata)] == [
        True
    ]


def test_a_readme_that_cannot_be_rendered_is_found(metadata: Message) -> None:
    metadata.set_payload("")

    assert list(metadata_problems(metadata)) == ["metadata: the README cannot be rendered"]
