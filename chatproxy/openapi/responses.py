"""The answers to failures: by status, in the error shape of a surface."""

import inspect
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from chatproxy.errors import (
    ChatproxyError,
    DirectoryUnavailable,
    InvalidBody,
    Issue,
    TooManyRequests,
    UpstreamBroken,
    WrongMethod,
)
from chatproxy.openapi.operation import JSON, ErrorBody, ErrorShape, Shape

#: Seconds that the example of a request took.
EXAMPLE_SECONDS = 0.00068

#: What the server refuses by itself, in the sidecar's own shape at any path (`server.refusal`).
BY_SERVER: Mapping[int, str] = {
    400: "The request line or a header is malformed",
    414: "The request line is longer than 8,190 bytes",
    417: "`Expect` asks for something else than `100-continue`",
    431: "The headers are more than 100, or longer than 64 KiB together",
    501: "`Transfer-Encoding` names a coding that is not known here",
}

#: On every answer.
REQUEST_ID = "X-Request-Id"
REQUEST_ID_HEADER: Mapping[str, Any] = {
    "description": "The caller's own, or one made here. The log has it in each line.",
    "required": True,
    "schema": {"type": "string"},
}

HEADERS: Mapping[str, str] = {
    "Retry-After": "Seconds after which it is worth another try.",
    "Allow": "The methods that are served at this path.",
    "WWW-Authenticate": "How to show a credential.",
    "Sec-WebSocket-Version": "The version that is spoken here.",
    "X-RateLimit-Limit": "Calls in the window.",
    "X-RateLimit-Remaining": "Calls that are left in the window.",
    "X-RateLimit-Reset": "When the window ends, in epoch seconds.",
}

#: What some errors are made with, beside their message.
FURTHER: Mapping[type[ChatproxyError], Mapping[str, Any]] = {
    TooManyRequests: {"retry_after": 30, "headers": {}},
    WrongMethod: {"allowed": ("GET", "POST")},
    DirectoryUnavailable: {"detail": ""},
    UpstreamBroken: {"answer_begun": False},
}

Described = Callable[[Shape], dict[str, Any]]


def failure(
    status: int,
    errors: Iterable[type[ChatproxyError]],
    body: ErrorBody,
    shapes: Sequence[ErrorShape],
    described: Described,
    *,
    forwarded: bool,
    by_server: Shape,
) -> dict[str, Any]:
    """Describe the answer with a status; `errors` are the failures that have it.

    `by_server` is the shape of what the server refuses by itself.
    """
    kinds = sorted(set(errors), key=lambda one: one.__name__)
    schemas = [_shape_of(one, shapes) for one in kinds]
    examples = {one.__name__: {"value": body(sample(one), EXAMPLE_SECONDS)} for one in kinds}
    sentences = [_sentence(one) for one in kinds]

    if status in BY_SERVER:
        schemas.append(by_server)
        sentences.append(f"{BY_SERVER[status]}: from the server itself, as `errorMsg`.")

    content: dict[str, Any] = {
        "schema": _any_of([described(one) for one in dict.fromkeys(schemas)])
    }
    content |= {"examples": examples} if examples else {}
    media: dict[str, Any] = {JSON: content}

    if forwarded:
        sentences.append("Or what the provider answers.")
        media = {JSON: content | {"schema": {}}, "*/*": {}}

    found = {"description": " ".join(sentences), "content": media}
    return found | _headers(kinds, forwarded=forwarded or status in BY_SERVER)


def statuses(errors: Iterable[type[ChatproxyError]]) -> dict[int, list[type[ChatproxyError]]]:
    """Return the errors by their status."""
    found: dict[int, list[type[ChatproxyError]]] = {}

    for one in errors:
        found.setdefault(one.status, []).append(one)

    return found


def sample(kind: type[ChatproxyError]) -> ChatproxyError:
    """Make an error of a class, as an example."""
    message = _sentence(kind).rstrip(".")

    if issubclass(kind, InvalidBody):
        return kind([Issue(("userId",), "Required", "required")])

    further = next((given for one, given in FURTHER.items() if issubclass(kind, one)), {})
    # Some have one message of their own.
    takes_none = len(inspect.signature(kind.__init__).parameters) == 1
    return kind(*(() if takes_none else (message,)), **further)


def headers(names: Mapping[str, str], *, required: bool) -> dict[str, Any]:
    """Describe headers by their meaning, beside the one that all answers have."""
    told = {
        name: {"description": meaning, "required": required, "schema": {"type": "string"}}
        for name, meaning in sorted(names.items())
    }
    return told | {REQUEST_ID: {"$ref": f"#/components/headers/{REQUEST_ID}"}}


def _headers(kinds: Sequence[type[ChatproxyError]], *, forwarded: bool) -> dict[str, Any]:
    each = [set(sample(one).headers) for one in kinds]
    always = set.intersection(*each) if each and not forwarded else set()
    found = headers({name: HEADERS[name] for name in set().union(*each)}, required=False)

    for name in always:
        found[name]["required"] = True

    return {"headers": found}


def _shape_of(kind: type[ChatproxyError], shapes: Sequence[ErrorShape]) -> Shape:
    return next(one.schema for one in shapes if issubclass(kind, one.errors))


def _any_of(schemas: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return schemas[0] if len(schemas) == 1 else {"anyOf": list(schemas)}


def _sentence(kind: type[ChatproxyError]) -> str:
    if kind is ChatproxyError:
        return "A fault of the sidecar's own."

    first = (inspect.getdoc(kind) or HTTPStatus(kind.status).phrase).partition("\n\n")[0]
    sentence = re.sub(r"\s+", " ", first)
    return re.sub(r"(?:;|, and| \().*", ".", sentence) if len(sentence) > 90 else sentence
