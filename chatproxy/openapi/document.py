"""The document, put together from the routes that are in force."""

import importlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from apispec import APISpec

from chatproxy import __version__
from chatproxy.errors import ChatproxyError, CrossSite, Misdirected
from chatproxy.openapi import responses
from chatproxy.openapi.failures import ACCESS, BODY, EVERYWHERE, FORWARDING, Errors
from chatproxy.openapi.operation import ErrorBody, Operation, Surface
from chatproxy.openapi.rendering import rendered
from chatproxy.openapi.schemas import Plugin, described, name_of
from chatproxy.services import Backend, Services
from chatproxy.turns import Turns
from chatproxy.web import operations as own
from chatproxy.web.dialects import Dialects
from chatproxy.web.error_handlers import own_error_body
from chatproxy.web.route import Route, any_page, nobody_asks
from chatproxy.web.served import Served, served
from chatproxy.web.spelling import camel

TITLE = "chatproxy"
VERSION = "3.1.0"
ABOUT = """\
A sidecar between a company's services and its chat provider: it forwards REST calls with the \
credentials put in, mints, checks and revokes user tokens, and verifies webhooks.

Which providers are on decides what is listed here. `x-doors` names the ports at which an \
operation is served: `service` for the company's own services, `client` for whoever brings a \
credential of their own, `status` for probes. Every GET is also answered to HEAD, but for calls \
that are forwarded. A method that a path does not have is 405 with `Allow`, a path that is not \
listed is 404, both in the error shape of their surface."""

#: Operations that are described before other requests get their turn.
AT_ONCE = 4

#: The error shapes of one surface, and whether a provider answers there too.
Voice = tuple[ErrorBody, bool]


def document(
    services: Services, routes: Iterable[Route], mounts: Mapping[str, Backend]
) -> dict[str, Any]:
    """Return the document of these routes. `mounts` are the paths below which calls go on."""
    return _Builder(services, mounts).built(
        list(served(routes, services.settings.listeners())),
    )


def written(found: Mapping[str, Any]) -> str:
    """Return a document as it is served and printed."""
    return json.dumps(found, indent=2, ensure_ascii=False) + "\n"


class _Builder:
    def __init__(self, services: Services, mounts: Mapping[str, Backend]) -> None:
        self._mounts = mounts
        self._asks_for_keys = services.access is not None
        self._dialects = Dialects(services, mounts)
        # In the order of the registry, whatever that of PROVIDERS is.
        self._surfaces = [own.SURFACE, *map(_surface_of, services.backends)]
        self._of_mount = {
            mount: self._surfaces[1 + list(services.backends).index(one.provider.name)]
            for mount, one in mounts.items()
        }
        self._plugin = Plugin(schema_name_resolver=name_of)
        self._spec = APISpec(
            TITLE,
            __version__,
            VERSION,
            plugins=[self._plugin],
            info={"description": ABOUT, "license": {"name": "MIT", "identifier": "MIT"}},
            servers=[{"url": "/"}],
        )

    def built(self, table: Sequence[Served]) -> dict[str, Any]:
        """Describe every operation, then the failures that they have in common."""
        found = [(one, *self._operation_of(one)) for one in table]
        voices: dict[Voice, set[type[ChatproxyError]]] = defaultdict(set)
        ids = _ids(table)

        for one, _, operation in found:
            voices[self._voice(one, operation)].update(self._errors(one, operation))

        turns = Turns(AT_ONCE)

        for one, surface, operation in found:
            turns.count()
            described_here = self._described(one, surface, operation, ids[one])
            self._spec.path(path=one.path, operations={one.method: described_here})

        for voice, errors in voices.items():
            turns.count(AT_ONCE)
            self._add_failures(voice, errors)

        self._spec.components.header(responses.REQUEST_ID, dict(responses.REQUEST_ID_HEADER))

        for surface in self._surfaces:
            self._spec.tag({"name": surface.name, "description": surface.description})

            for name, scheme in surface.security.items():
                if surface is own.SURFACE and not self._asks_for_keys:
                    continue

                self._spec.components.security_scheme(name, dict(scheme))

        return _in_order(self._spec.to_dict())

    def _operation_of(self, one: Served) -> tuple[Surface, Operation]:
        for mount, surface in self._of_mount.items():
            if one.route.path == mount:
                return surface, own.forwarded(self._mounts[mount].provider)

        for surface in self._surfaces:
            if one.endpoint in surface.operations:
                return surface, surface.operations[one.endpoint]

        raise LookupError(f"{one.endpoint} is declared in no table of operations")

    def _described(
        self, one: Served, surface: Surface, operation: Operation, name: str
    ) -> dict[str, Any]:
        failures = {
            str(status): {"$ref": f"#/components/responses/{self._name(one, operation, status)}"}
            for status in self._statuses(one, operation)
        }
        return {
            "operationId": name,
            "tags": [surface.name],
            "x-doors": list(one.doors),
            **rendered(operation, one.path, self._described_shape, failures),
            "security": self._security(one, operation),
        }

    def _security(self, one: Served, operation: Operation) -> list[dict[str, Any]]:
        # A caller's key comes beside what the surface itself asks for.
        keys: list[dict[str, Any]] = [{}]

        if self._needs_key(one):
            keys = [{own.KEY: []}] if operation.security else [{own.KEY: []}, {own.BEARER: []}]
            keys += [{}] if one.route.door == "client" else []

        found = [{**one_way, **key} for one_way in operation.security or ({},) for key in keys]
        return [one_way for one_way in found if one_way]

    def _described_shape(self, shape: Any) -> dict[str, Any]:
        return described(self._plugin, shape)

    def _voice(self, one: Served, operation: Operation) -> Voice:
        dialect = self._dialects.of(one.registered)
        return (own_error_body if dialect is None else dialect.error_body), operation.forwarded

    def _errors(self, one: Served, operation: Operation) -> Errors:
        found: Errors = (*EVERYWHERE, *operation.errors)
        found += (*BODY,) if operation.body is not None else ()
        found += FORWARDING if operation.forwarded else ()
        found += () if one.route.any_host else (Misdirected,)
        found += ACCESS if self._needs_key(one) else ()
        found += () if one.route.pages is any_page else (CrossSite,)
        dialect = self._dialects.of(one.registered)

        if dialect is not None and dialect.no_websocket is not None:
            found += (type(dialect.no_websocket()),)

        return found

    def _needs_key(self, one: Served) -> bool:
        # Where services and clients share a route, the calls of services do.
        route = one.route

        if route.for_services is not None:
            return self._asks_for_keys and route.for_services is not nobody_asks

        is_apart = route.door == "client" or (route.door == "status" and "status" in one.doors)
        return self._asks_for_keys and not is_apart

    def _statuses(self, one: Served, operation: Operation) -> Iterator[int]:
        errors = self._errors(one, operation)
        told = {error.status for error in errors} | responses.BY_SERVER.keys()
        yield from sorted(told - operation.answers.keys())

    def _name(self, one: Served, operation: Operation, status: int) -> str:
        return _component(self._voice(one, operation), self._surfaces, status)

    def _add_failures(self, voice: Voice, errors: set[type[ChatproxyError]]) -> None:
        body, forwarded = voice
        shapes = _shapes_of(body, self._surfaces)
        found = dict.fromkeys(responses.BY_SERVER, ()) | responses.statuses(errors)

        for status, kinds in found.items():
            answer = responses.failure(
                status,
                kinds,
                body,
                shapes,
                self._described_shape,
                forwarded=forwarded,
                by_server=own.Error,
            )
            self._spec.components.response(_component(voice, self._surfaces, status), answer)


def _surface_of(provider: str) -> Surface:
    # Not in the registry: what is imported there is loaded at the start.
    found: Surface = importlib.import_module(
        f"chatproxy.providers.{provider}.endpoints.operations"
    ).SURFACE
    return found


def _shapes_of(body: ErrorBody, surfaces: Sequence[Surface]) -> Any:
    return next(one.shapes[body] for one in surfaces if body in one.shapes)


def _component(voice: Voice, surfaces: Sequence[Surface], status: int) -> str:
    # Named after the shape that is left when no other fits.
    body, forwarded = voice
    name = name_of(_shapes_of(body, surfaces)[-1].schema)
    return f"{name}.{'forwarded.' if forwarded else ''}{status}"


def _ids(table: Sequence[Served]) -> dict[Served, str]:
    methods = defaultdict(set)
    seen: Counter[str] = Counter()
    found = {}

    for one in table:
        methods[one.endpoint].add(one.method)

    for one in table:
        blueprint, _, view = one.endpoint.partition(".")
        first, last = camel(blueprint), camel(view)
        name = (
            first if first.lower().endswith(last.lower()) else first + last[:1].upper() + last[1:]
        )
        name += one.method.capitalize() if len(methods[one.endpoint]) > 1 else ""
        seen[name] += 1
        found[one] = name if seen[name] == 1 else f"{name}{seen[name]}"

    return found


def _in_order(found: Mapping[str, Any]) -> dict[str, Any]:
    components = {
        kind: {name: inner[name] for name in sorted(inner)}
        for kind, inner in sorted(found["components"].items())
        if inner
    }
    first = ("openapi", "info", "servers", "tags", "paths")
    return {name: found[name] for name in first} | {"components": components}
