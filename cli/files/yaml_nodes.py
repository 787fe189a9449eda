"""Reads YAML as nodes that know their lines.

Nodes and not values, for two reasons: what is wrong can be told with its line, and a text stays a
text where YAML 1.1 would make something else of it, such as the language `no` or the name 2024.
"""

from collections.abc import Iterator

import yaml
from yaml.nodes import Node

from cli.files.problems import Problem

# Large blueprints have about a tenth of this.
MAX_BYTES = 1024 * 1024
# A blueprint goes 6 deep, and deeper ones would end in Python's recursion limit.
_MAX_DEPTH = 16


def read_nodes(content: bytes) -> tuple[Node | None, list[Problem]]:
    """Return the document of a file, or none and why not; an empty file has neither."""
    if len(content) > MAX_BYTES:
        return None, [
            Problem(0, "", "TOO_LARGE", f"has {len(content):,} bytes, at most {MAX_BYTES:,}")
        ]
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return None, [Problem(line, "", "BAD_UTF8", f"not UTF-8 at byte {error.start}: save it so")]
    try:
        problem = next(_forbidden(text), None)
        if problem:
            return None, [problem]
        return yaml.compose(text, Loader=yaml.SafeLoader), []
    except yaml.MarkedYAMLError as error:
        said = ", ".join(part for part in (error.context, error.problem) if part)
        return None, [Problem(_line(error), "", "BAD_YAML", f"not YAML: {said}")]
    except yaml.YAMLError as error:  # a character that must be escaped
        return None, [Problem(0, "", "BAD_YAML", f"not YAML: {error}")]


def line_of(node: Node) -> int:
    """Return the line of the file in which a node begins, from 1."""
    return int(node.start_mark.line) + 1


def _line(error: yaml.MarkedYAMLError) -> int:
    mark = error.problem_mark or error.context_mark
    return mark.line + 1 if mark else 0


def _forbidden(text: str) -> Iterator[Problem]:
    """What YAML allows and we do not: it would make a small file very large or very deep."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        line = event.start_mark.line + 1 if event.start_mark else 0
        match event:
            case yaml.AliasEvent():
                said = "write it out: an alias (*) is not read"
                yield Problem(line, "", "BAD_SHAPE", said)
            case yaml.CollectionStartEvent():
                depth += 1
                if depth > _MAX_DEPTH:
                    yield Problem(line, "", "BAD_SHAPE", "lists within lists, too many")
            case yaml.CollectionEndEvent():
                depth -= 1
