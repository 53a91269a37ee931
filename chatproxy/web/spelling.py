"""How routes are spelt for people: in the documents and in metrics."""

import re

PLACEHOLDER = re.compile(r"<(?:[^<>:]*:)?([^<>]*)>")


def template(rule: str) -> str:
    """Return a route's path as the documents spell it: `/token/<userId>`."""
    path = PLACEHOLDER.sub(lambda found: f"<{camel(found[1])}>", rule)
    return path.rstrip("/") or "/"


def camel(name: str) -> str:
    """Return a name with underscores in the form that JSON has here: `user_id` as `userId`."""
    first, *rest = re.split(r"[_.-]+", name)
    return first + "".join(one.capitalize() for one in rest)
