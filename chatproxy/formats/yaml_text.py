"""YAML, and JSON with it, in which every value is text as it is written.

YAML 1.1 takes `no` for false, `2024-01-01` for a date and `0123` for 83. Nothing of that is done
here: what a document means does not depend on how its words happen to look.
"""

import codecs
import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

#: Bytes of a document.
LARGEST = 1024 * 1024

#: Levels of nesting, and values. What an alias stands for counts as often as it is named, so that
#: a few lines of aliases cannot become a billion values.
DEEPEST = 16
MOST_VALUES = 50_000

#: What an unquoted value is no text by (YAML 1.1, type `null`).
NULLS = frozenset({"", "~", "null", "Null", "NULL"})

#: Tags that change nothing. Any other one would make something else of a value.
PLAIN_TAGS = frozenset(
    {None, "!", *(f"tag:yaml.org,2002:{kind}" for kind in ("map", "seq", "str"))}
)

Path = tuple[str | int, ...]


class YamlError(ValueError):
    """The content is no such document. The text says where."""


@dataclasses.dataclass(frozen=True)
class Document:
    """What was read: texts, None, lists and objects with texts as names.

    `lines` has the line of each place, from 1. `repeated` has the place of each name that an object
    has had before; the first one counts.
    """

    value: Any
    lines: Mapping[Path, int]
    repeated: tuple[tuple[Path, int], ...] = ()

    def line_of(self, place: Path) -> int:
        """Return the line of a place, or of what it would be in."""
        while place not in self.lines and place:
            place = place[:-1]

        return self.lines.get(place, 1)


@dataclasses.dataclass
class _Node:
    value: Any  # a text, None, or a list of nodes, or of pairs of nodes
    line: int
    size: int = 1
    is_object: bool = False


def read(content: bytes) -> Document:
    """Read a document of one part; raise `YamlError`. It is None if there is nothing in it."""
    if len(content) > LARGEST:
        raise YamlError(f"it is larger than {LARGEST} bytes: make it smaller")

    try:
        text = content.removeprefix(codecs.BOM_UTF8).decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise YamlError(f"line {line}: it is not UTF-8 text: save it as UTF-8") from error

    # JSON may be indented with tabs, YAML never. In its texts JSON has none that stand for one.
    root = _root_of(text.replace("\t", " ") if text.lstrip().startswith("{") else text)
    lines: dict[Path, int] = {}
    repeated: list[tuple[Path, int]] = []
    value = None if root is None else _plain(root, (), lines, repeated)
    return Document(value, lines, tuple(repeated))


def _root_of(text: str) -> _Node | None:
    import yaml  # not needed without a document

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

    try:
        return _tree(yaml.parse(text, Loader=loader))
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise YamlError(f"line {line}: a character that no text may have") from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = 1 if mark is None else mark.line + 1
        hint = ". Write a `*` in quotes" if "alias" in str(error.context) else ""
        raise YamlError(f"line {line}: no valid YAML ({error.problem}{hint})") from error


def _tree(events: Iterator[Any]) -> _Node | None:
    # From events, and not by a loader, which recurses as deep as the document does, expands what
    # aliases stand for, and makes numbers, dates and objects of texts.
    import yaml

    root: _Node | None = None
    inside: list[tuple[_Node, str | None]] = []
    anchors: dict[str, _Node] = {}
    values = documents = 0

    for event in events:
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1

            if documents > 1:
                raise YamlError(f"line {_line_of(event)}: it has a second part (`---`)")

        if isinstance(event, yaml.CollectionEndEvent):
            node, anchor = inside.pop()
        elif isinstance(event, yaml.NodeEvent):
            node, anchor = _node_of(event, anchors), None
            values += node.size

            if values > MOST_VALUES:
                raise YamlError(f"it has more than {MOST_VALUES} values, aliases counted")

            if isinstance(event, yaml.CollectionStartEvent):
                inside.append((node, event.anchor))

                if len(inside) > DEEPEST:
                    raise YamlError(f"line {node.line}: nested more than {DEEPEST} levels deep")

                continue

            anchor = None if isinstance(event, yaml.AliasEvent) else event.anchor
        else:
            continue

        if anchor is not None:
            anchors[anchor] = node

        if inside:
            outer = inside[-1][0]
            outer.value.append(node)
            outer.size += node.size
        else:
            root = node

    return root


def _node_of(event: Any, anchors: Mapping[str, _Node]) -> _Node:
    import yaml

    line = _line_of(event)

    if isinstance(event, yaml.AliasEvent):
        if (meant := anchors.get(str(event.anchor))) is None:
            raise YamlError(f"line {line}: *{event.anchor} stands for nothing before it")

        return meant

    if event.tag not in PLAIN_TAGS:
        raise YamlError(f"line {line}: the tag {event.tag} is not known here")

    if isinstance(event, yaml.ScalarEvent):
        is_null = event.style in (None, "") and event.tag is None and event.value in NULLS
        return _Node(None if is_null else event.value, line)

    return _Node([], line, is_object=isinstance(event, yaml.MappingStartEvent))


def _line_of(event: Any) -> int:
    line: int = event.start_mark.line
    return line + 1


def _plain(
    node: _Node, place: Path, lines: dict[Path, int], repeated: list[tuple[Path, int]]
) -> Any:
    lines[place] = node.line

    if not isinstance(node.value, list):
        return node.value

    if not node.is_object:
        return [_plain(one, (*place, at), lines, repeated) for at, one in enumerate(node.value)]

    found: dict[str, Any] = {}

    for name, value in zip(node.value[::2], node.value[1::2], strict=True):
        if not isinstance(name.value, str):
            raise YamlError(f"line {name.line}: a name must be text")

        if name.value in found:
            repeated.append(((*place, name.value), name.line))
            continue

        found[name.value] = _plain(value, (*place, name.value), lines, repeated)
        lines[(*place, name.value)] = name.line

    return found
