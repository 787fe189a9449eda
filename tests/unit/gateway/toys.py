"""Three toy subgraphs over plain data: a home, one that extends it, one that only mentions it."""

import asyncio
from dataclasses import dataclass, field
from typing import Annotated, Self

import strawberry

from gateway.graph.fields import MENTION
from gateway.subgraph import Subgraph


@dataclass
class Calls:
    """Counts what the toys were asked; handed to resolvers as the context."""

    units: list[str] = field(default_factory=list)
    badges: list[str] = field(default_factory=list)


Info = strawberry.Info[Calls, None]


@strawberry.interface
class Thing:
    id: strawberry.ID


@strawberry.federation.type(keys=["id"])
class Unit(Thing):
    name: str

    @strawberry.field
    def greeting(self, word: str = "Hello") -> str:
        return f"{word} {self.name}"

    @classmethod
    async def resolve_reference(cls, info: Info, id: str) -> Self | None:  # noqa: A002
        await asyncio.sleep(0)
        info.context.units.append(id)
        return cls(id=strawberry.ID(id), name=f"unit {id}") if id != "gone" else None


@strawberry.type
class HomeQuery:
    @strawberry.field
    def unit(self, id: strawberry.ID) -> Unit:  # noqa: A002
        return Unit(id=id, name=f"unit {id}")

    @strawberry.field
    def thing(self, id: strawberry.ID) -> Thing:  # noqa: A002
        return Unit(id=id, name=f"unit {id}")


@strawberry.federation.type(name="Unit", keys=["id"], extend=True)
class BadgedUnit:
    id: strawberry.ID

    @strawberry.field
    def badge(self, info: Info, shout: bool = False) -> str | None:
        info.context.badges.append(self.id)
        return f"badge {self.id}{'!' if shout else ''}"

    @classmethod
    def resolve_reference(cls, info: Info, id: str) -> Self:  # noqa: A002, ARG003
        return cls(id=strawberry.ID(id))


@strawberry.type
class Badge:
    text: str
    unit: BadgedUnit | None


@strawberry.type
class BadgeQuery:
    @strawberry.field
    def badge(self, unit_id: strawberry.ID) -> Badge:
        return Badge(text="mine", unit=BadgedUnit(id=unit_id))

    @strawberry.field
    def unit_or_badge(self, unit_id: strawberry.ID | None = None) -> "Either":
        unit = BadgedUnit(id=strawberry.ID("one"))
        return unit if unit_id else Badge(text="other", unit=unit)


Either = Annotated[BadgedUnit | Badge, strawberry.union("Either")]


@strawberry.federation.type(name="Unit", keys=[MENTION], extend=True)
class UnitStub:
    id: strawberry.ID


@strawberry.type
class Visit:
    unit: UnitStub | None


@strawberry.type
class VisitQuery:
    @strawberry.field
    def visits(self, unit_ids: list[strawberry.ID]) -> list[Visit]:
        return [Visit(unit=UnitStub(id=each)) for each in unit_ids]


def home() -> Subgraph:
    return Subgraph("home", HomeQuery, types=[Unit])


def badges() -> Subgraph:
    return Subgraph("badges", BadgeQuery)


def visits() -> Subgraph:
    return Subgraph("visits", VisitQuery)
