"""What an operation may cost at most: an upper bound of the values in its answer, before it runs.

Depth is no measure of cost: three levels of `children(first: 1000)` are a thousand million units.
Each field counts once for every object that it may be asked of; a connection has as many as
`first` says, another list as many as its field's `@listSize` assumes. Linear in the document: a
fragment is measured once for each size of page that it is spread in. `__typename`, which clients
with a cache ask of every object, counts nothing beside other fields: no resolver runs for it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLCompositeType,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    get_named_type,
)
from graphql.execution import Executor
from strawberry.federation.schema_directives import ListSize
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.field import StrawberryField

from gateway.http.limits import DocumentTooLarge

# Of a list that says nothing about itself, such as one of another team's subgraph.
_LIST_SIZE = 100
_TYPENAME = "__typename"
# The lists of a connection are as long as its field's `first`.
_PAGED = frozenset({"nodes", "edges"})


class OperationTooCostly(DocumentTooLarge):
    """An operation may cost more than is allowed."""

    def __init__(self, cost: int, limit: int) -> None:
        told = f"{cost:,}" if cost < 10**12 else "millions of millions of"
        super().__init__(
            "TOO_COSTLY",
            f"The operation may answer {told} values; at most {limit:,} are allowed."
            " Ask for shorter pages or fewer levels.",
        )


def estimated_cost(executor: Executor[None]) -> int:
    """The most values that the operation may answer with."""
    schema, operation = executor.schema, executor.operation
    root = schema.get_root_type(operation.operation)
    if root is None:
        return 0
    meter = _Meter(schema, executor.fragment_definitions, executor.variable_values.coerced)
    return meter.selections(operation.selection_set, root, page=1)


@dataclass(slots=True)
class _Meter:
    schema: GraphQLSchema
    fragments: Mapping[str, FragmentDefinitionNode]
    variables: Mapping[str, Any]
    known: dict[tuple[str, int], int] = field(default_factory=dict)

    def selections(self, node: SelectionSetNode, parent: GraphQLCompositeType, page: int) -> int:
        """The cost of one object; `page` is the length of its lists if it is a connection."""
        total = 0
        for each in node.selections:
            match each:
                case FieldNode() if each.name.value == _TYPENAME:
                    pass
                case FieldNode():
                    total += self._field(each, parent, page)
                case InlineFragmentNode():
                    inner = self._named(each.type_condition, parent)
                    total += self.selections(each.selection_set, inner, page)
                case FragmentSpreadNode():
                    total += self._fragment(each.name.value, parent, page)
        return total

    def _field(self, node: FieldNode, parent: GraphQLCompositeType, page: int) -> int:
        found = _definition(parent, node.name.value)
        if found is None or node.selection_set is None:
            return 1  # a leaf, or introspection, which reaches no service
        inner = cast(GraphQLCompositeType, get_named_type(found.type))
        first = self._argument(node, found, "first")
        below = first if isinstance(first, int) and first > 0 else 1
        length = self._length(node, found, page) if is_list(found) else 1
        # An object of which only the type is asked is in the answer all the same.
        return 1 + length * max(1, self.selections(node.selection_set, inner, below))

    def _length(self, node: FieldNode, found: GraphQLField, page: int) -> int:
        ids = self._argument(node, found, "ids")
        if isinstance(ids, list):
            return len(ids)
        return page if node.name.value in _PAGED else declared_size(found) or _LIST_SIZE

    def _fragment(self, name: str, parent: GraphQLCompositeType, page: int) -> int:
        key = (name, page)
        if key not in self.known:
            node = self.fragments[name]
            inner = self._named(node.type_condition, parent)
            self.known[key] = self.selections(node.selection_set, inner, page)
        return self.known[key]

    def _named(self, condition: Any, parent: GraphQLCompositeType) -> Any:
        return parent if condition is None else self.schema.get_type(condition.name.value)

    def _argument(self, node: FieldNode, found: GraphQLField, name: str) -> Any:
        if name not in found.args:
            return None
        default = found.args[name].default_value
        for given in node.arguments or ():
            if given.name.value == name:
                value = self._value(given.value, default)
                return default if value is None else value  # null means the default, as below
        return default

    def _value(self, node: ValueNode, default: Any) -> Any:
        match node:
            case VariableNode():
                return self.variables.get(node.name.value, default)
            case IntValueNode():
                return int(node.value)
            case ListValueNode():
                return list(node.values)
            case _:
                return None


def _definition(parent: GraphQLCompositeType, name: str) -> GraphQLField | None:
    if isinstance(parent, GraphQLObjectType | GraphQLInterfaceType):
        return cast(GraphQLField | None, parent.fields.get(name))
    return None


def declared_size(found: GraphQLField) -> int | None:
    """How many values the field's `@listSize` assumes, if it says so."""
    declared = found.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
    directives = declared.directives if isinstance(declared, StrawberryField) else ()
    sizes = (each.assumed_size for each in directives if isinstance(each, ListSize))
    return next(sizes, None)


def is_list(found: GraphQLField) -> bool:
    """Whether the field answers with a list."""
    shape = found.type
    return isinstance(shape.of_type if isinstance(shape, GraphQLNonNull) else shape, GraphQLList)
