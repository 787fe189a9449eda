"""Entities across subgraphs: the parts of one, and how a field of one part is asked of another.

An object of an entity may be any part's: the home's whole object, an extending part's, or a mere
mention with the key. A field is resolved by the part that declares it, so an object of another
part is first made this part's through its `resolve_reference`, which batches by a loader.
"""

import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from graphql import (
    GraphQLField,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLResolveInfo,
)
from strawberry import Info
from strawberry.federation.schema_directives import External, Key
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.base import StrawberryObjectDefinition
from strawberry.types.field import StrawberryField

from kit.errors import NotFound

ResolveInfo = GraphQLResolveInfo[Any]
Resolver = Callable[..., Any]
Reference = Callable[[Info, Mapping[str, str]], Awaitable[object | None]]
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
    resolve: Reference


@dataclass(frozen=True, slots=True)
class Part:
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


def home_of(name: str, parts: Sequence[Part]) -> Part:
    """The one part that is the entity itself.

    Raises:
        CompositionError: when there is none, or two, or nobody can find one by its key.
    """
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


def is_external(core: GraphQLField) -> bool:
    """Whether the field only repeats another part's, for a router."""
    directives = _strawberry_field(core).directives
    return any(isinstance(each, External) for each in directives)


def _strawberry_field(core: GraphQLField) -> StrawberryField:
    return cast(StrawberryField, core.extensions[_BACKREF])


def resolver_of(core: GraphQLField) -> Resolver:
    """The field's resolver; a plain attribute is read without Strawberry's four calls around it."""
    declared = core.extensions.get(_BACKREF)
    if isinstance(declared, StrawberryField) and declared.is_basic_field:
        name = declared.python_name
        return lambda source, _info: getattr(source, name)
    return cast(Callable[..., Any], core.resolve)


def reference_of(part: Part) -> Reference:
    """Calls the part's `resolve_reference`; a part that only mentions the entity has none."""
    origin = cast(Any, part.object.origin)

    async def resolve(info: Info, key: Mapping[str, str]) -> object | None:
        found = origin.resolve_reference(info=info, **key)
        return cast(object | None, await found if inspect.isawaitable(found) else found)

    return resolve


def for_any_part(core: GraphQLField, part: Part, parts: Sequence[Part]) -> Resolver:
    """The field's resolver for an object of any part: another part's is first made this one's."""
    resolve = resolver_of(core)
    if len(parts) == 1:
        return resolve
    origin = part.object.origin
    if not hasattr(origin, "resolve_reference"):
        raise CompositionError(f"{part} adds fields, so it needs a resolve_reference")
    reference, read_key = reference_of(part), _key_reader(parts)
    declared = _strawberry_field(core)
    nullable = not isinstance(core.type, GraphQLNonNull)

    async def hydrate(source: object, info: ResolveInfo, args: Mapping[str, Any]) -> Any:
        key = read_key(source)
        whole = await reference(Info(_raw_info=info, _field=declared), key)
        if whole is None:
            if nullable:
                return None
            raise EntityNotFound(type_name=part.type.name, id=" ".join(key.values()))
        value = resolve(whole, info, **args)
        return await value if inspect.isawaitable(value) else value

    def resolve_any(source: object, info: ResolveInfo, **args: Any) -> Any:
        if isinstance(source, origin):
            return resolve(source, info, **args)
        return hydrate(source, info, args)

    return resolve_any


def _key_reader(parts: Sequence[Part]) -> Callable[[object], Mapping[str, str]]:
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


def key_of_any_part(key: str, parts: Sequence[Part]) -> Resolver:
    """A key's resolver for an object of any part: each part has its own."""
    resolvers = {part.object.origin: resolver_of(part.fields[key]) for part in parts}

    def resolve(source: object, info: ResolveInfo, **args: Any) -> Any:
        return resolvers[type(source)](source, info, **args)

    return resolve
