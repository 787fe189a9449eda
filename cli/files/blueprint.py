"""Reads blueprint.yaml. Its shape is checked here; whether it is a blueprint that may replace the
one that stands is for the service to say. docs/blueprint-file.md describes the file.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from cli.files.problems import Problem
from cli.files.yaml_nodes import line_of, read_nodes
from cli.records import BlueprintRecord, GrantTerm, KindTerm, PositionTerm, TeamTerm, Term

FORMAT = 1
SECTIONS = (
    "format",
    "style",
    "names",
    "centre_level",
    "verification_days",
    "levels",
    "group_kinds",
    "categories",
    "positions",
    "team_kinds",
)
_TERM = ("key", "names")
_KIND = (*_TERM, "has_category")
_POSITION = (*_TERM, "levels", "seats", "roles", "grants")
_TEAM = (*_TERM, "levels", "max_members")
_GRANT = ("capability", "categories", "group_kinds")

# Not YAML's own integers, for which 010 is eight and 1:30 is ninety. Nine digits fit everywhere.
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,8})")
_NULL = "tag:yaml.org,2002:null"
_SHOWN_CHARS = 40

Item = TypeVar("Item")
Fields = Mapping[str, Node]


def read_blueprint(path: Path) -> tuple[BlueprintRecord | None, list[Problem]]:
    """Return the blueprint, or none and everything that is wrong with the file, by line.

    Raises:
        OSError: The file cannot be read.
    """
    node, problems = read_nodes(path.read_bytes())
    if problems:
        return None, problems
    reader = _Reader()
    record = reader.blueprint(node)
    return (None if reader.problems else record), sorted(reader.problems, key=lambda one: one.row)


class _Reader:
    """Reads nodes of the shape that they should have, and notes those that have not."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.lines: dict[str, int] = {}

    def blueprint(self, node: Node | None) -> BlueprintRecord:
        fields = self._fields("", node, SECTIONS) if node else {}
        self._format(fields.get("format"))
        return BlueprintRecord(
            self._required("style", fields.get("style")),
            self._names("names", fields.get("names")),
            self._items("levels", fields, _TERM, self._term),
            self._items("group_kinds", fields, _KIND, self._kind),
            self._items("categories", fields, _TERM, self._term),
            self._items("positions", fields, _POSITION, self._position),
            self._items("team_kinds", fields, _TEAM, self._team),
            self._text("centre_level", fields.get("centre_level")),
            self._integer("verification_days", fields.get("verification_days"), 0),
            self.lines,
        )

    def _format(self, node: Node | None) -> None:
        if node is None or _is_empty(node):
            self._wrong("format", "MISSING", f"say which format this is: format: {FORMAT}")
        elif self._integer("format", node, FORMAT) != FORMAT:
            self._wrong("format", "UNKNOWN_FORMAT", f"only format: {FORMAT} can be read")

    def _items(
        self,
        section: str,
        fields: Fields,
        known: Sequence[str],
        item: Callable[[str, Fields], Item],
    ) -> list[Item]:
        return [
            item(at, self._fields(at, node, known))
            for at, node in self._list(section, fields.get(section))
        ]

    def _term(self, at: str, fields: Fields) -> Term:
        return Term(*self._key_and_names(at, fields))

    def _kind(self, at: str, fields: Fields) -> KindTerm:
        has_category = self._flag(f"{at}.has_category", fields.get("has_category"))
        return KindTerm(*self._key_and_names(at, fields), has_category)

    def _position(self, at: str, fields: Fields) -> PositionTerm:
        return PositionTerm(
            *self._key_and_names(at, fields),
            self._texts(f"{at}.levels", fields.get("levels")),
            self._integer(f"{at}.seats", fields.get("seats"), 1),
            self._texts(f"{at}.roles", fields.get("roles")),
            [
                self._grant(place, node)
                for place, node in self._list(f"{at}.grants", fields.get("grants"))
            ],
        )

    def _grant(self, at: str, node: Node) -> GrantTerm:
        if isinstance(node, ScalarNode):
            return GrantTerm(self._required(at, node))
        fields = self._fields(at, node, _GRANT)
        return GrantTerm(
            self._required(f"{at}.capability", fields.get("capability")),
            self._texts(f"{at}.categories", fields.get("categories")),
            self._texts(f"{at}.group_kinds", fields.get("group_kinds")),
        )

    def _team(self, at: str, fields: Fields) -> TeamTerm:
        return TeamTerm(
            *self._key_and_names(at, fields),
            self._texts(f"{at}.levels", fields.get("levels")),
            self._integer(f"{at}.max_members", fields.get("max_members"), 0),
        )

    def _key_and_names(self, at: str, fields: Fields) -> tuple[str, Mapping[str, str]]:
        key = self._required(f"{at}.key", fields.get("key"))
        return key, self._names(f"{at}.names", fields.get("names"))

    def _names(self, at: str, node: Node | None) -> Mapping[str, str]:
        if node is None or _is_empty(node):
            self._wrong(at, "MISSING", "names by language are needed, such as { en: State }")
            return {}
        fields = self._fields(at, node, None)
        return {
            language: self._required(f"{at}.{language}", each) for language, each in fields.items()
        }

    def _fields(self, at: str, node: Node | None, known: Sequence[str] | None) -> Fields:
        """Return the entries of a mapping by key; any key is known for None."""
        self._note(at, node)
        if not isinstance(node, MappingNode):
            self._wrong(at, "BAD_SHAPE", "entries such as `key: state` must stand here")
            return {}
        fields: dict[str, Node] = {}
        for key_node, value in node.value:
            key = key_node.value if isinstance(key_node, ScalarNode) else ""
            place = f"{at}.{_shown(key)}" if at else _shown(key)
            if key in fields:
                said = f"stands here and in line {line_of(fields[key])}: keep one"
                self._wrong(place, "DUPLICATE_FIELD", said, key_node)
            elif known is not None and key not in known:
                said = f"is not part of a blueprint here; known are {', '.join(known)}"
                self._wrong(place, "UNKNOWN_FIELD", said, key_node)
            else:
                fields[key] = value
                self._note(place, key_node)
        return fields

    def _list(self, at: str, node: Node | None) -> list[tuple[str, Node]]:
        if node is None or _is_empty(node):
            return []
        if not isinstance(node, SequenceNode):
            self._wrong(
                at, "BAD_SHAPE", "must be a list, such as [a, b] or lines that begin with -"
            )
            return []
        items = [(f"{at}[{index}]", item) for index, item in enumerate(node.value)]
        for place, item in items:
            self._note(place, item)
        return items

    def _texts(self, at: str, node: Node | None) -> list[str]:
        return [self._required(place, item) for place, item in self._list(at, node)]

    def _required(self, at: str, node: Node | None) -> str:
        text = self._text(at, node)
        if not text.strip() and not (node and not isinstance(node, ScalarNode)):
            self._wrong(at, "MISSING", "a text is needed")
        return text

    def _text(self, at: str, node: Node | None) -> str:
        if node is None or _is_empty(node):
            return ""
        if isinstance(node, ScalarNode):
            return str(node.value)
        self._wrong(at, "BAD_SHAPE", "must be one text")
        return ""

    def _integer(self, at: str, node: Node | None, default: int) -> int:
        if node is None or _is_empty(node):
            return default
        if isinstance(node, ScalarNode) and _INTEGER.fullmatch(node.value):
            return int(node.value)
        self._wrong(at, "BAD_SHAPE", "must be a whole number")
        return default

    def _flag(self, at: str, node: Node | None) -> bool:
        if node is None or _is_empty(node):
            return False
        if isinstance(node, ScalarNode) and node.value in ("true", "false"):
            return bool(node.value == "true")
        self._wrong(at, "BAD_SHAPE", "must be true or false")
        return False

    def _note(self, at: str, node: Node | None) -> None:
        if node is not None:
            self.lines.setdefault(at, line_of(node))

    def _wrong(self, at: str, reason: str, description: str, node: Node | None = None) -> None:
        line = line_of(node) if node else line_in(self.lines, at)
        self.problems.append(Problem(line, at, reason, description))


def line_in(lines: Mapping[str, int], path: str) -> int:
    """Return the line of a path, or of the nearest thing around it; 0 without one."""
    while path and path not in lines:
        path = path[: max(path.rfind("."), path.rfind("["), 0)]
    return lines[path] if path else 0


def _is_empty(node: Node) -> bool:
    """Whether nothing stands there; a text in quotes is something, even an empty one."""
    return isinstance(node, ScalarNode) and node.tag == _NULL


def _shown(key: str) -> str:
    return key if len(key) <= _SHOWN_CHARS else f"{key[:_SHOWN_CHARS]}…"
