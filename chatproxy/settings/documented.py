"""The settings on which the OpenAPI document depends. No secret is among them.

The document can so be printed where nothing else is set: in a build, or on a developer's machine.
"""

import os
from collections.abc import Mapping

from chatproxy.settings import Providers, Settings, load
from chatproxy.settings.directory import KeySettings
from chatproxy.settings.variables import Section, declared, is_given

#: What decides which paths there are, and where.
SHAPING = ("PROVIDERS", "SERVICE_PREFIX", "CLIENT_PORT", "STATUS_PORT", "ACCESS_CONFIG", "CONSOLE")

#: A server that nobody calls. With a real one the keys of the sample access document are refused.
NOWHERE = "http://127.0.0.1"

#: Bytes of a value that is made up.
ENOUGH = 64


def load_for_document(
    providers: Providers, environ: Mapping[str, str] | None = None, *, every: bool = False
) -> Settings:
    """Read the settings that shape the document, and make up all that is required beside them.

    With `every` all providers are on, and the page that is off by default. Raises `SettingsError`.
    """
    environ = os.environ if environ is None else environ
    on = [
        name
        for name, section in providers.items()
        if section.on_by_default or any(is_given(environ, one.name) for _, one in declared(section))
    ]
    at_root = [
        one.name
        for section in providers.values()
        for attribute, one in declared(section)
        if attribute == "at_client_root"
    ]
    shaping = {name: environ[name] for name in (*SHAPING, *at_root) if name in environ}
    named = ",".join(providers if every else on)

    if every:
        shaping["CONSOLE"] = "true"

    if every or not is_given(environ, "PROVIDERS"):
        shaping["PROVIDERS"] = named

    # Different ones: no secret may serve two purposes.
    sections: tuple[type[Section], ...] = (KeySettings, *providers.values())
    required = [
        one.name for section in sections for _, one in declared(section) if one.required or one.kept
    ]
    made_up = {name: f"{place:0>{ENOUGH}}" for place, name in enumerate(required, 1)}
    made_up |= {
        one.name: NOWHERE
        for section in providers.values()
        for _, one in declared(section)
        if one.is_server and one.default is not None
    }
    return load(providers, made_up | shaping)
