"""Providers as commands use them: made from the environment, without a server around them."""

import contextlib
import dataclasses
import logging
from collections.abc import Iterator, Mapping

import click

from chatproxy import settings
from chatproxy.cli.directory import directory_of, make_fit, tell_of_kept
from chatproxy.errors import SettingsError
from chatproxy.identity.directory import Directory
from chatproxy.providers import SETTINGS
from chatproxy.providers.base import Provider
from chatproxy.providers.people import Reach
from chatproxy.providers.registry import REGISTRY
from chatproxy.services import open_services
from chatproxy.settings.variables import is_sound

DEFAULT = next(name for name, one in SETTINGS.items() if one.on_by_default)


@contextlib.contextmanager
def open_provider(name: str) -> Iterator[tuple[Provider, Directory | None]]:
    """Give a provider, and the directory where it knows users; raise `SettingsError`."""
    section = SETTINGS[name]
    found = settings.load_for_commands(providers={name: section})
    tell_of_kept(found)
    provider = REGISTRY[name]().provider(found.provider_settings[name])

    with _directory(found) as directory:
        yield provider, directory


@contextlib.contextmanager
def open_all() -> Iterator[tuple[Mapping[str, Provider], Directory | None]]:
    """Give every provider that is on, but those whose settings cannot be used: they are told."""
    found, problems = settings.look(SETTINGS)
    sections = {name: one for name, one in found.provider_settings.items() if is_sound(one)}

    for name in found.provider_settings.keys() - sections.keys():
        click.echo(f"not looked at: {name}. Its settings cannot be used", err=True)

    if not sections:
        raise SettingsError(problems)

    # Of what is kept beside the database, each that is not there yet was made up just now.
    usable = found.directory is None or (
        is_sound(found.directory) and found.keys is not None and is_sound(found.keys)
    )

    if not usable:
        raise SettingsError(problems)

    with _directory(found) as directory:
        yield {name: REGISTRY[name]().provider(one) for name, one in sections.items()}, directory


@contextlib.contextmanager
def open_reach(name: str) -> Iterator[tuple[Provider, Reach]]:
    """Give a provider, and the way to its servers and to the directory; raise `SettingsError`."""
    section = SETTINGS[name]
    found = settings.load_for_commands(providers={name: section})
    tell_of_kept(found)
    provider = REGISTRY[name]().provider(found.provider_settings[name])
    # What a server's log says of a call is said by the command.
    logging.getLogger("chatproxy").addHandler(logging.NullHandler())
    # The directory is opened as every command does it, and nothing is counted.
    services = open_services(dataclasses.replace(found, directory=None), [provider])

    try:
        with _directory(found) as directory:
            yield provider, dataclasses.replace(services.reach(), directory=directory)
    finally:
        services.close()


@contextlib.contextmanager
def _directory(found: settings.Settings) -> Iterator[Directory | None]:
    if found.directory is None:
        yield None
        return

    with directory_of(found) as directory:
        make_fit(directory.database)
        yield directory
