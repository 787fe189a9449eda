"""Typed versions of Strawberry's decorators, whose own are untyped when they take a description."""

from collections.abc import Callable, Iterable
from enum import Enum
from typing import Any, TypeVar, cast

import strawberry
from strawberry.federation.schema_directives import Key
from strawberry.federation.types import FieldSet

F = TypeVar("F", bound=Callable[..., Any])

MENTION = Key(fields=FieldSet("id"), resolvable=False)
"""The key of an entity that a subgraph only mentions by its id."""


def resolver(description: str) -> Callable[[F], F]:
    """A field that a method resolves."""
    return cast(Callable[[F], F], strawberry.field(description=description))


def mutation(description: str) -> Callable[[F], F]:
    """A root field that changes something."""
    return cast(Callable[[F], F], strawberry.mutation(description=description))


def subscription(description: str) -> Callable[[F], F]:
    """A root field that is watched."""
    return cast(Callable[[F], F], strawberry.subscription(description=description))


def numbers(members: Iterable[Enum] | None) -> list[Any]:
    """The contract's numbers of enum members; none when there are none."""
    return [member.value for member in members or ()]
