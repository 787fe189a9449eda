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

import inspect
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
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
    GraphQLResolveInfo,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLUnionType,
    get_named_type,
    is_specified_scalar_type,
    specified_directives,
    validate_schema,
)
from strawberry import Info
from strawberry.federation import Schema
from strawberry.federation.schema_directives import External, Key
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types import get_object_definition
from strawberry.types.base import StrawberryObjectDefinition
from strawberry.types.field import StrawberryField

from gateway.subgraph import Subgraph
from kit.errors import NotFound

_ROOTS = ("Query", "Mutation", "Subscription")
_ResolveInfo = GraphQLResolveInfo[Any]
_BACKREF = GraphQLCoreConverter.DEFINITION_BACKREF


class CompositionError(Exception):
    """The subgraphs do not fit together; names both sides."""


class EntityNotFound(NotFound):
    """A subgraph names an entity that its home does not know."""

    reason = "ENTITY_NOT_FOUND"
    type_name: str
    id: str


@dataclass(frozen=True, slots=True)
class Entity:
    """How to get a whole entity at its home from its key."""

    name: str
    keys: tuple[str, ...]
    resolve: Callable[[Info, Mapping[str, str]], Awaitable[object | None]]


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


@dataclass(frozen=True, slots=True)
class _Part:
    """One subgraph's version of a named type."""

    subgraph: str
    type: GraphQLNamedType

    @property
    def definition(self) -> object:
        """Strawberry's definition: the identity by which parts of two subgraphs are the same."""
        return self.type.extensions.get(_BACKREF)

    @property
    def object(self) -> StrawberryObjectDefinition:
        """The definition of an object type."""
        return cast(StrawberryObjectDefinition, self.definition)

    @property
    def fields(self) -> Mapping[str, GraphQLField]:
        """The fields of an object or interface type."""
        return cast(Mapping[str, GraphQLField], cast(GraphQLObjectType, self.type).fields)

    @property
    def keys(self) -> tuple[str, ...]:
        """The fields of the first `@key`, or nothing: federation's nested keys are refused."""
        if not isinstance(self.definition, StrawberryObjectDefinition):
            return ()
        found = [each for each in self.object.directives or () if isinstance(each, Key)]
        if not found:
            return ()
        text = str(found[0].fields)
        if "{" in text:
            raise CompositionError(f"{self}: the key '{text}' is nested, which is not supported")
        return tuple(text.split())

    @property
    def is_home(self) -> bool:
        """Whether this part is the entity itself, not an extension or a mention."""
        return not self.object.extend

    def __str__(self) -> str:
        return f"{self.type.name} in {self.subgraph}"


@dataclass(slots=True)
class _Weaver:
    """Makes a new type for every name; types refer to one another by name through `named`."""

    subgraphs: Sequence[Subgraph]
    parts: dict[str, list[_Part]] = field(default_factory=lambda: defaultdict(list))
    woven: dict[str, GraphQLNamedType] = field(default_factory=dict)
    entities: dict[str, Entity] = field(default_factory=dict)

    def weave(self) -> Supergraph:
        for subgraph in self.subgraphs:
            for named in _own_types(_core_schema(subgraph.schema())):
                self.parts[named.name].append(_Part(subgraph.name, named))
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

    def _type(self, name: str, parts: Sequence[_Part]) -> GraphQLNamedType:
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

    def _entity(self, name: str, parts: Sequence[_Part]) -> GraphQLObjectType:
        for part in parts:
            if not part.keys:
                keyed = next(each for each in parts if each.keys)
                raise CompositionError(f"{part} has no key, but {keyed} has")
        home = _home(name, parts)
        for part in parts:
            if part.keys != home.keys:
                raise CompositionError(f"{part} has another key than {home}")
        self.entities[name] = Entity(name, home.keys, _reference(home))
        return self._object(home, lambda: self._entity_fields(home, parts), parts)

    def _entity_fields(self, home: _Part, parts: Sequence[_Part]) -> dict[str, GraphQLField]:
        origin: dict[str, _Part] = {}
        fields: dict[str, GraphQLField] = {}
        for part in (home, *(part for part in parts if part is not home)):
            for name, core in part.fields.items():
                if name in home.keys or _is_external(core):
                    continue
                if name in origin:
                    raise CompositionError(
                        f"{part.type.name}.{name} is defined by both {origin[name].subgraph}"
                        f" and {part.subgraph}"
                    )
                origin[name] = part
                fields[name] = self._field(core, _hydrating(core, part, parts))
        for key in home.keys:
            fields[key] = self._field(home.fields[key], _key_of_any_part(key, parts))
        return fields

    # Shapes

    def _object(
        self,
        first: _Part,
        fields: Callable[[], dict[str, GraphQLField]],
        parts: Sequence[_Part],
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

    def _interface(self, part: _Part) -> GraphQLInterfaceType:
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

    def _root_fields(self, parts: Sequence[_Part]) -> dict[str, GraphQLField]:
        origin: dict[str, _Part] = {}
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

    def _fields(self, part: _Part) -> dict[str, GraphQLField]:
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
        given["resolve"] = resolve or _resolver(core)
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


def _refuse_unless_same(first: _Part, other: _Part) -> None:
    if first.definition is not None and first.definition is other.definition:
        return
    raise CompositionError(
        f"{first.type.name} is defined by both {first.subgraph} and {other.subgraph};"
        " share one definition (gateway.graph) or rename one"
    )


def _home(name: str, parts: Sequence[_Part]) -> _Part:
    homes = [part for part in parts if part.is_home]
    told = ", ".join(part.subgraph for part in parts)
    if not homes:
        raise CompositionError(f"{name} is extended by {told}, but no subgraph is its home")
    if len(homes) > 1:
        both = " and ".join(part.subgraph for part in homes)
        raise CompositionError(f"{name} has two homes: {both}; one must say extend=True")
    if not hasattr(homes[0].object.origin, "resolve_reference"):
        raise CompositionError(f"{homes[0]} has no resolve_reference, so nobody can find one")
    return homes[0]


def _is_external(core: GraphQLField) -> bool:
    directives = _strawberry_field(core).directives
    return any(isinstance(each, External) for each in directives)


def _strawberry_field(core: GraphQLField) -> StrawberryField:
    return cast(StrawberryField, core.extensions[_BACKREF])


def _resolver(core: GraphQLField) -> Callable[..., Any]:
    """The field's resolver; a plain attribute is read without Strawberry's four calls around it."""
    declared = core.extensions.get(_BACKREF)
    if isinstance(declared, StrawberryField) and declared.is_basic_field:
        name = declared.python_name
        return lambda source, _info: getattr(source, name)
    return cast(Callable[..., Any], core.resolve)


def _reference(part: _Part) -> Callable[[Info, Mapping[str, str]], Awaitable[object | None]]:
    """Calls the part's `resolve_reference`; a part that only mentions the entity has none."""
    origin = cast(Any, part.object.origin)

    async def resolve(info: Info, key: Mapping[str, str]) -> object | None:
        found = origin.resolve_reference(info=info, **key)
        return cast(object | None, await found if inspect.isawaitable(found) else found)

    return resolve


def _hydrating(core: GraphQLField, part: _Part, parts: Sequence[_Part]) -> Callable[..., Any]:
    """The field's resolver for an object of any part: another part's is first made this one's."""
    resolve = _resolver(core)
    if len(parts) == 1:
        return resolve
    origin = part.object.origin
    if not hasattr(origin, "resolve_reference"):
        raise CompositionError(f"{part} adds fields, so it needs a resolve_reference")
    reference, read_key = _reference(part), _key_reader(parts)
    declared = _strawberry_field(core)
    nullable = not isinstance(core.type, GraphQLNonNull)

    async def hydrate(source: object, info: _ResolveInfo, args: Mapping[str, Any]) -> Any:
        key = read_key(source)
        whole = await reference(Info(_raw_info=info, _field=declared), key)
        if whole is None:
            if nullable:
                return None
            raise EntityNotFound(type_name=part.type.name, id=" ".join(key.values()))
        value = resolve(whole, info, **args)
        return await value if inspect.isawaitable(value) else value

    def resolve_any(source: object, info: _ResolveInfo, **args: Any) -> Any:
        if isinstance(source, origin):
            return resolve(source, info, **args)
        return hydrate(source, info, args)

    return resolve_any


def _key_reader(parts: Sequence[_Part]) -> Callable[[object], Mapping[str, str]]:
    """Reads the key from an object of any part, as arguments of a `resolve_reference`."""
    names = {
        part.object.origin: {
            key: _strawberry_field(part.fields[key]).python_name for key in part.keys
        }
        for part in parts
    }

    def read(source: object) -> Mapping[str, str]:
        return {key: getattr(source, name) for key, name in names[type(source)].items()}

    return read


def _key_of_any_part(key: str, parts: Sequence[_Part]) -> Callable[..., Any]:
    resolvers = {part.object.origin: _resolver(part.fields[key]) for part in parts}

    def resolve(source: object, info: _ResolveInfo, **args: Any) -> Any:
        return resolvers[type(source)](source, info, **args)

    return resolve


def _type_name(value: object, _info: _ResolveInfo, _abstract: GraphQLAbstractType) -> str | None:
    definition = get_object_definition(value)
    return definition.name if definition else None
