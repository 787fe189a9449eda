"""Joins the subgraphs' schemas into the one that is executed.

Each service's room has a `strawberry.federation.Schema` of its own, made of types of its own. Here
their graphql-core types are woven together, the way that a federation router composes SDLs, but in
one process and without a query planner:

- the fields of Query, Mutation and Subscription are united;
- an entity (a type with `@key`) has one *home*; others may extend it (`extend=True`) with fields;
- a subgraph that only mentions an entity returns a *stub*, an object with the key alone. A field
  of another part is resolved by asking that part's `resolve_reference` first, which goes through
  that part's loader, so a page of stubs costs one batch RPC, and none when only keys are asked;
- abstract types resolve by the name of the object's type, because an object may be any part's;
- everything else may be in several subgraphs only as the very same definition.

The only private attribute of Strawberry that we touch is `Schema._schema`, in `_core_schema`.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from graphql import (
    GraphQLAbstractType,
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLUnionType,
    get_named_type,
    is_specified_scalar_type,
    specified_directives,
    validate_schema,
)
from strawberry.federation import Schema
from strawberry.types import get_object_definition

from gateway.entities import (
    CompositionError,
    Entity,
    Part,
    ResolveInfo,
    for_any_part,
    home_of,
    is_external,
    key_of_any_part,
    reference_of,
    resolver_of,
)
from gateway.subgraph import Subgraph

_ROOTS = ("Query", "Mutation", "Subscription")


@dataclass(frozen=True, slots=True)
class Supergraph:
    """The composed graph: what is executed, and the entities that `node` can find."""

    schema: GraphQLSchema
    entities: Mapping[str, Entity]


def compose(subgraphs: Sequence[Subgraph]) -> Supergraph:
    """One executable schema of all of them.

    Raises:
        CompositionError: when two subgraphs define the same thing differently, an entity has no
            home or two, or the result is no valid schema.
    """
    return _Weaver(subgraphs).weave()


def _core_schema(schema: Schema) -> GraphQLSchema:
    """The graphql-core schema inside a Strawberry schema, which has no public name."""
    return schema._schema  # noqa: SLF001


@dataclass(slots=True)
class _Weaver:
    """Makes a new type for every name; types refer to one another by name through `named`."""

    subgraphs: Sequence[Subgraph]
    parts: dict[str, list[Part]] = field(default_factory=lambda: defaultdict(list))
    woven: dict[str, GraphQLNamedType] = field(default_factory=dict)
    entities: dict[str, Entity] = field(default_factory=dict)

    def weave(self) -> Supergraph:
        for subgraph in self.subgraphs:
            for named in _own_types(_core_schema(subgraph.schema())):
                self.parts[named.name].append(Part(subgraph.name, named))
        for name, parts in self.parts.items():
            self.woven[name] = self._type(name, parts)
        try:
            schema = GraphQLSchema(
                query=self._root("Query"),
                mutation=self._root("Mutation"),
                subscription=self._root("Subscription"),
                types=list(self.woven.values()),
                directives=specified_directives,
            )
        except TypeError as error:  # graphql-core wraps what a field's thunk raised
            if isinstance(error.__cause__, CompositionError):
                raise error.__cause__ from None
            raise CompositionError(str(error)) from error
        if errors := validate_schema(schema):
            raise CompositionError("; ".join(error.message for error in errors))
        return Supergraph(schema, self.entities)

    def _root(self, name: str) -> GraphQLObjectType | None:
        return cast(GraphQLObjectType | None, self.woven.get(name))

    def _type(self, name: str, parts: Sequence[Part]) -> GraphQLNamedType:
        first = parts[0]
        if name in _ROOTS:
            return self._object(first, lambda: self._root_fields(parts), parts)
        if any(part.keys for part in parts):
            return self._entity(name, parts)
        for other in parts[1:]:
            _refuse_unless_same(first, other)
        match first.type:
            case GraphQLScalarType() | GraphQLEnumType():
                return first.type  # leaves refer to nothing, so they need no weaving
            case GraphQLInputObjectType():
                return self._input(first.type)
            case GraphQLUnionType():
                return self._union(first.type)
            case GraphQLInterfaceType():
                return self._interface(first)
            case _:
                return self._object(first, lambda: self._fields(first), parts)

    # Entities

    def _entity(self, name: str, parts: Sequence[Part]) -> GraphQLObjectType:
        for part in parts:
            if not part.keys:
                keyed = next(each for each in parts if each.keys)
                raise CompositionError(f"{part} has no key, but {keyed} has")
        home = home_of(name, parts)
        for part in parts:
            if part.keys != home.keys:
                raise CompositionError(f"{part} has another key than {home}")
        self.entities[name] = Entity(name, home.keys, reference_of(home))
        return self._object(home, lambda: self._entity_fields(home, parts), parts)

    def _entity_fields(self, home: Part, parts: Sequence[Part]) -> dict[str, GraphQLField]:
        origin: dict[str, Part] = {}
        fields: dict[str, GraphQLField] = {}
        for part in (home, *(part for part in parts if part is not home)):
            for name, core in part.fields.items():
                if name in home.keys or is_external(core):
                    continue
                if name in origin:
                    raise CompositionError(
                        f"{part.type.name}.{name} is defined by both {origin[name].subgraph}"
                        f" and {part.subgraph}"
                    )
                origin[name] = part
                fields[name] = self._field(core, for_any_part(core, part, parts))
        for key in home.keys:
            fields[key] = self._field(home.fields[key], key_of_any_part(key, parts))
        return fields

    # Shapes

    def _object(
        self,
        first: Part,
        fields: Callable[[], dict[str, GraphQLField]],
        parts: Sequence[Part],
    ) -> GraphQLObjectType:
        names = {
            each.name: None
            for part in parts
            for each in cast(GraphQLObjectType, part.type).interfaces
        }
        return GraphQLObjectType(
            name=first.type.name,
            description=first.type.description,
            fields=fields,
            interfaces=lambda: [cast(GraphQLInterfaceType, self.woven[name]) for name in names],
            # No `is_type_of`: Strawberry's knows the classes of one part only.
        )

    def _interface(self, part: Part) -> GraphQLInterfaceType:
        names = [each.name for each in cast(GraphQLInterfaceType, part.type).interfaces]
        return GraphQLInterfaceType(
            name=part.type.name,
            description=part.type.description,
            fields=lambda: self._fields(part),
            interfaces=lambda: [cast(GraphQLInterfaceType, self.woven[name]) for name in names],
            resolve_type=_type_name,
        )

    def _union(self, union: GraphQLUnionType) -> GraphQLUnionType:
        names = [each.name for each in union.types]
        return GraphQLUnionType(
            name=union.name,
            description=union.description,
            types=lambda: [cast(GraphQLObjectType, self.woven[name]) for name in names],
            resolve_type=_type_name,
        )

    def _input(self, shape: GraphQLInputObjectType) -> GraphQLInputObjectType:
        def fields() -> dict[str, GraphQLInputField]:
            return {
                name: GraphQLInputField(**{**each.to_kwargs(), "type_": self._retyped(each.type)})
                for name, each in shape.fields.items()
            }

        given: dict[str, Any] = {**shape.to_kwargs(), "fields": fields}
        return GraphQLInputObjectType(**given)

    def _root_fields(self, parts: Sequence[Part]) -> dict[str, GraphQLField]:
        origin: dict[str, Part] = {}
        fields: dict[str, GraphQLField] = {}
        for part in parts:
            for name, core in self._fields(part).items():
                if name in origin:
                    raise CompositionError(
                        f"{part.type.name}.{name} is defined by both {origin[name].subgraph}"
                        f" and {part.subgraph}"
                    )
                origin[name] = part
                fields[name] = core
        return fields

    def _fields(self, part: Part) -> dict[str, GraphQLField]:
        # `_service` and `_entities` are for a router in front of one subgraph, not for us.
        named = part.fields.items()
        return {name: self._field(core) for name, core in named if not name.startswith("_")}

    def _field(self, core: GraphQLField, resolve: Callable[..., Any] | None = None) -> GraphQLField:
        given = core.to_kwargs()
        given["type_"] = self._retyped(core.type)
        given["args"] = {
            name: GraphQLArgument(**{**arg.to_kwargs(), "type_": self._retyped(arg.type)})
            for name, arg in core.args.items()
        }
        given["resolve"] = resolve or resolver_of(core)
        return GraphQLField(**given)

    def _retyped(self, shape: Any) -> Any:
        if isinstance(shape, GraphQLNonNull):
            return GraphQLNonNull(self._retyped(shape.of_type))
        if isinstance(shape, GraphQLList):
            return GraphQLList(self._retyped(shape.of_type))
        return self.woven.get(shape.name, shape)  # String and its like are not woven


def _own_types(schema: GraphQLSchema) -> Iterator[GraphQLNamedType]:
    """The types that a subgraph means, without introspection's and federation's own.

    Found by walking from the roots and the objects, because graphql-core's type map also holds
    what only federation's directives mention.
    """
    roots = [schema.query_type, schema.mutation_type, schema.subscription_type]
    objects = [each for each in schema.type_map.values() if isinstance(each, GraphQLObjectType)]
    queue: list[GraphQLNamedType] = [each for each in (*roots, *objects) if each is not None]
    seen: dict[str, GraphQLNamedType] = {}
    while queue:
        named = queue.pop()
        if named.name in seen or named.name.startswith("_") or is_specified_scalar_type(named):
            continue
        seen[named.name] = named
        queue.extend(_mentioned(named))
    return iter(seen.values())


def _mentioned(named: GraphQLNamedType) -> Iterator[GraphQLNamedType]:
    match named:
        case GraphQLObjectType() | GraphQLInterfaceType():
            yield from named.interfaces
            for name, each in named.fields.items():
                if not name.startswith("_"):
                    yield get_named_type(each.type)
                    yield from (get_named_type(arg.type) for arg in each.args.values())
        case GraphQLInputObjectType():
            yield from (get_named_type(each.type) for each in named.fields.values())
        case GraphQLUnionType():
            yield from named.types


def _refuse_unless_same(first: Part, other: Part) -> None:
    if first.definition is not None and first.definition is other.definition:
        return
    raise CompositionError(
        f"{first.type.name} is defined by both {first.subgraph} and {other.subgraph};"
        " share one definition (gateway.graph) or rename one"
    )


def _type_name(value: object, _info: ResolveInfo, _abstract: GraphQLAbstractType) -> str | None:
    definition = get_object_definition(value)
    return definition.name if definition else None
