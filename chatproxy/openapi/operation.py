"""How an operation is declared: what a view takes and answers, beyond what its route says.

Path, methods, door, and who may call come from the table of routes, statuses and bodies of failures
from the errors. A schema is a marshmallow class, or a JSON Schema where that says more.
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from marshmallow import Schema

from chatproxy.errors import ChatproxyError

JSON = "application/json"
TEXT: Mapping[str, Any] = {"type": "string"}

#: A marshmallow class, or a JSON Schema.
Shape = type[Schema] | Mapping[str, Any]

#: Which schemes open an operation: any one of these mappings is enough, an empty one is nothing.
Security = Sequence[Mapping[str, Sequence[str]]]

ErrorBody = Callable[[ChatproxyError, float], dict[str, Any]]


@dataclasses.dataclass(frozen=True)
class Parameter:
    """A segment of the path, a field of the query or a header."""

    description: str
    example: Any = None
    schema: Mapping[str, Any] = dataclasses.field(default_factory=lambda: TEXT)
    required: bool = False


@dataclasses.dataclass(frozen=True)
class Answer:
    """An answer that is no failure; `headers` names those that come with it, with their meaning."""

    description: str
    schema: Shape | None = None
    example: Any = None
    media: str = JSON
    headers: Mapping[str, str] = dataclasses.field(default_factory=dict)
    also: Mapping[str, Any] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Operation:
    """What a view takes and answers.

    `path` has a parameter for each segment in braces. `query` is a schema whose fields are the
    query's, with examples in `asked`. `example` is one of `body`. `errors` are the failures beyond
    those that occur everywhere. A `forwarded` call is answered by the provider, with any status.
    """

    summary: str
    answers: Mapping[int, Answer]
    description: str = ""
    path: Mapping[str, Parameter] = dataclasses.field(default_factory=dict)
    query: type[Schema] | None = None
    asked: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    headers: Mapping[str, Parameter] = dataclasses.field(default_factory=dict)
    body: Shape | None = None
    example: Any = None
    body_is_required: bool = True
    errors: Sequence[type[ChatproxyError]] = ()
    security: Security = ()
    forwarded: bool = False


@dataclasses.dataclass(frozen=True)
class ErrorShape:
    """The body of the failures of these classes and those below them."""

    errors: tuple[type[ChatproxyError], ...]
    schema: type[Schema]


@dataclasses.dataclass(frozen=True)
class Surface:
    """The operations of one part, by endpoint: the blueprint's name, a dot, the view's.

    `shapes` lists for each function that makes the body of a failure what comes out of it; the
    first that fits a failure counts.
    """

    name: str
    description: str
    operations: Mapping[str, Operation]
    shapes: Mapping[ErrorBody, Sequence[ErrorShape]] = dataclasses.field(default_factory=dict)
    security: Mapping[str, Mapping[str, Any]] = dataclasses.field(default_factory=dict)


#: Of which HTTP method an operation is.
Method = Literal["get", "post", "put", "patch", "delete", "options"]
