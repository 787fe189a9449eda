"""How much a document may ask for, found in time linear in the document.

Each fragment is measured once and added wherever it is spread, so a chain of fragments that spread
one another twice is measured in as many steps as it has fragments, however many fields it means.
(Strawberry's own depth and alias limiters walk every spread again, which is exponential.)
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
)

# Brackets outside of strings and comments. A string may lack its end: looking for one again from
# every escape in it would take time in the square of its length.
_PIECES = re.compile(
    r'"""(?:\\"""|(?!""").)*"""|"(?:\\.|[^"\\\n\r])*"?|#[^\n\r]*|(?P<bracket>[{}()\[\]])', re.DOTALL
)
# The parser spends some frames of Python's stack on each level; fields and values nest.
MAX_NESTING = 100


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that one document may have."""

    tokens: int = 1_000
    depth: int = 24
    aliases: int = 15
    root_fields: int = 20
    directives: int = 50
    fields: int = 2_000
    """Fields with all fragments written out: what executing costs at least."""
    cost: int = 100_000
    """Values in the answer if every page were full, which in a real tree few are."""


class DocumentTooLarge(GraphQLError):
    """A document goes over a limit; `reason` says which."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def check_nesting(document: str) -> None:
    """Refuse what would nest too deep for a recursive parser, before parsing it."""
    depth = 0
    for found in _PIECES.finditer(document):
        bracket = found["bracket"]
        if bracket is None:
            continue
        depth += 1 if bracket in "{([" else -1
        if depth > MAX_NESTING:
            raise DocumentTooLarge("TOO_DEEP", f"The document nests deeper than {MAX_NESTING}.")


def check_limits(document: DocumentNode, limits: Limits) -> None:
    """Refuse a document with an operation that goes over a limit."""
    fragments = {
        each.name.value: each
        for each in document.definitions
        if isinstance(each, FragmentDefinitionNode)
    }
    measures = _Measures(fragments)
    for each in document.definitions:
        if isinstance(each, OperationDefinitionNode):
            _check(measures.operation(each), limits)


@dataclass(slots=True)
class _Measure:
    """How much a selection set means, with its fragments written out."""

    depth: int = 0
    aliases: int = 0
    fields: int = 0
    own_fields: int = 0
    directives: int = 0

    def add(self, other: "_Measure") -> None:
        """Put another part of the same selection set beside this one."""
        self.depth = max(self.depth, other.depth)
        self.aliases += other.aliases
        self.fields += other.fields
        self.own_fields += other.own_fields
        self.directives += other.directives


class _Measures:
    """Measures selection sets; every fragment once."""

    def __init__(self, fragments: Mapping[str, FragmentDefinitionNode]) -> None:
        self._fragments = fragments
        self._known: dict[str, _Measure] = {}

    def operation(self, node: OperationDefinitionNode) -> _Measure:
        measure = self._selections(node.selection_set)
        measure.directives += _count(node.directives)
        return measure

    def _selections(self, selections: SelectionSetNode) -> _Measure:
        total = _Measure()
        for each in selections.selections:
            match each:
                case FieldNode():
                    total.add(self._field(each))
                case InlineFragmentNode():
                    total.add(self._selections(each.selection_set))
                case FragmentSpreadNode():
                    total.add(self._fragment(each.name.value))
            total.directives += _count(each.directives)
        return total

    def _field(self, node: FieldNode) -> _Measure:
        below = self._selections(node.selection_set) if node.selection_set else _Measure()
        introspection = node.name.value.startswith("__")
        return _Measure(
            # Introspection nests deep by nature and reaches no service.
            depth=0 if introspection else below.depth + 1,
            aliases=below.aliases + (node.alias is not None),
            fields=below.fields + 1,
            own_fields=1,
            directives=below.directives,
        )

    def _fragment(self, name: str) -> _Measure:
        if name not in self._known:
            # What spreads itself is found by validation; here it must only come to an end.
            self._known[name] = _Measure()
            node = self._fragments.get(name)
            if node is not None:
                self._known[name] = self._selections(node.selection_set)
        return self._known[name]


def _count(nodes: Iterable[object] | None) -> int:
    return sum(1 for _ in nodes or ())


def _check(measure: _Measure, limits: Limits) -> None:
    for found, limit, reason, what in (
        (measure.depth, limits.depth, "TOO_DEEP", "nests fields {found} deep"),
        (measure.aliases, limits.aliases, "TOO_MANY_ALIASES", "has {found} aliases"),
        (measure.own_fields, limits.root_fields, "TOO_MANY_ROOT_FIELDS", "has {found} root fields"),
        (measure.directives, limits.directives, "TOO_MANY_DIRECTIVES", "has {found} directives"),
        (measure.fields, limits.fields, "TOO_MANY_FIELDS", "means {found} fields"),
    ):
        if found > limit:
            # The number may have thousands of digits, which nobody wants to read, or to print.
            told = found if found < 1_000_000 else "over a million"
            said = what.format(found=told)
            raise DocumentTooLarge(reason, f"The operation {said}; at most {limit} are allowed.")
