"""Typed versions of Strawberry's decorators, whose own are untyped when they take a description."""

from collections.abc import Callable, Iterable, Sequence
from enum import Enum
from typing import Any, TypeVar, cast

import strawberry
from strawberry.federation.schema_directives import Key, ListSize
from strawberry.federation.types import FieldSet

F = TypeVar("F", bound=Callable[..., Any])

MENTION = Key(fields=FieldSet("id"), resolvable=False)
"""The key of an entity that a subgraph only mentions by its id."""


def resolver(description: str, *, directives: Sequence[object] = ()) -> Callable[[F], F]:
    """A field that a method resolves."""
    made = strawberry.field(description=description, directives=directives)
    return cast(Callable[[F], F], made)


def list_of(at_most: int) -> list[ListSize]:
    """The directive that says how many values a list has: the cost of an operation counts so many.

    For lists that are no connections. Say the contract's own bound.
    """
    return [
        ListSize(
            assumed_size=at_most,
            slicing_arguments=strawberry.UNSET,
            sized_fields=strawberry.UNSET,
            require_one_slicing_argument=False,
        )
    ]


def mutation(description: str) -> Callable[[F], F]:
    """A root field that changes something."""
    return cast(Callable[[F], F], strawberry.mutation(description=description))


def subscription(description: str) -> Callable[[F], F]:
    """A root field that is watched."""
    return cast(Callable[[F], F], strawberry.subscription(description=description))


def numbers(members: Iterable[Enum] | None) -> list[Any]:
    """The contract's numbers of enum members; none when there are none."""
    return [member.value for member in members or ()]


SPLIT = list_of(2_500)
"""Counts by unit of a level. A level may have more, of which messaging answers 10,000; so many are
counted that all a console asks of each unit may still be asked of a level as wide as most are."""
