"""Writers that ask for one thing after another, and keep their own books of what was answered."""

import asyncio
import random
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from chaupal.hierarchy.v1 import hierarchy_pb2 as pb
from chaupal.hierarchy.v1 import people_pb2 as people_pb

from services.hierarchy.translate.blueprints import blueprint_to_proto
from services.hierarchy.translate.values import names_to_proto
from tests.builders_hierarchy import text
from tests.builders_people import a_staffed_blueprint
from tests.faults.hierarchy_platform import Served

WRITERS = 4
WRITES_EACH = 50
MANDALS_EACH = 3


@dataclass
class Books:
    """What was asked for and answered.

    Attributes:
        parents: of each unit, all that it had, in order.
        codes: of each unit.
        presidents: who was appointed where; each unit once at most.
        asked: every request, in the order of its writer.
        ids: of what each request was answered by.
    """

    parents: dict[str, list[str | None]] = field(default_factory=dict)
    codes: dict[str, str] = field(default_factory=dict)
    presidents: dict[str, str] = field(default_factory=dict)
    asked: list[Any] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)

    @property
    def moves(self) -> int:
        """How many moves were answered."""
        return sum(len(parents) - 1 for parents in self.parents.values())


class Client:
    """Asks until it is answered, and enters the answer in the books."""

    def __init__(self, server: Served, books: Books, chance: random.Random) -> None:
        self._server = server
        self._books = books
        self._chance = chance

    async def blueprint(self) -> None:
        draft = blueprint_to_proto(a_staffed_blueprint())
        await self._server.insist(pb.PutBlueprintRequest(blueprint=draft))

    async def person(self, name: str) -> str:
        request = people_pb.PutPersonRequest(
            names=names_to_proto(text(name)), request_id=self._request_id()
        )
        reply: people_pb.PutPersonResponse = await self._ask(request)
        return reply.person.id

    async def create(self, level: str, code: str, parent: str = "") -> str:
        above = pb.UnitRef(id=parent) if parent else None
        unit = pb.NewUnit(level=level, code=code, names=names_to_proto(text(code)), parent=above)
        request = pb.CreateUnitRequest(unit=unit, request_id=self._request_id())
        reply: pb.CreateUnitResponse = await self._ask(request)
        unit_id = reply.unit.id
        assert unit_id not in self._books.parents
        self._books.parents[unit_id] = [parent or None]
        self._books.codes[unit_id] = code
        return unit_id

    async def move(self, unit_id: str, parent: str) -> None:
        request = pb.MoveUnitRequest(id=unit_id, parent_id=parent, request_id=self._request_id())
        reply: pb.MoveUnitResponse = await self._ask(request)
        assert reply.unit.parent_id == parent
        self._books.parents[unit_id].append(parent)

    async def appoint(self, unit_id: str, person: str) -> None:
        request = people_pb.AppointRequest(
            unit_id=unit_id, position="president", person_id=person, request_id=self._request_id()
        )
        reply: people_pb.AppointResponse = await self._ask(request)
        assert reply.appointment.unit_id == unit_id
        assert unit_id not in self._books.presidents
        self._books.presidents[unit_id] = person

    async def _ask(self, request: Any) -> Any:
        reply = await self._server.insist(request)
        self._books.asked.append(request)
        self._books.ids.append(id_of(reply))
        return reply

    def _request_id(self) -> str:
        return str(uuid.UUID(int=self._chance.getrandbits(128)))


def id_of(reply: Any) -> str:
    """The id of the unit, person or appointment that a reply carries."""
    [value] = [value for name, value in reply.ListFields() if name.name != "report"][:1] or [None]
    return str(value.id)


@dataclass(frozen=True)
class Ground:
    """What one writer works on, apart from all others."""

    number: int
    mandals: Sequence[str]
    person: str


async def lay_out(server: Served, books: Books, seed: int) -> list[Ground]:
    """The blueprint, and each writer's ground."""
    client = Client(server, books, random.Random(f"ground {seed}"))
    await client.blueprint()
    state = await client.create("state", "S")
    grounds = []
    for number in range(WRITERS):
        district = await client.create("district", f"D{number}", state)
        mandals = [
            await client.create("mandal", f"M{number}{each}", district)
            for each in range(MANDALS_EACH)
        ]
        grounds.append(Ground(number, mandals, await client.person(f"Person {number}")))
    return grounds


async def write_everywhere(
    server: Served, books: Books, grounds: Sequence[Ground], seed: int
) -> None:
    """All writers at once, each until it is done."""
    async with asyncio.TaskGroup() as tasks:
        for ground in grounds:
            chance = random.Random(f"writer {ground.number} {seed}")
            tasks.create_task(_write(Client(server, books, chance), ground, chance))


async def _write(client: Client, ground: Ground, chance: random.Random) -> None:
    """New booths, booths to other mandals, presidents for booths that have none."""
    homes: dict[str, str] = {}
    vacant: list[str] = []
    for number in range(WRITES_EACH):
        kind = chance.choice(["create", "move", "appoint"])
        if kind == "move" and homes:
            booth = chance.choice(sorted(homes))
            homes[booth] = chance.choice([each for each in ground.mandals if each != homes[booth]])
            await client.move(booth, homes[booth])
        elif kind == "appoint" and vacant:
            await client.appoint(vacant.pop(chance.randrange(len(vacant))), ground.person)
        else:
            mandal = chance.choice(ground.mandals)
            booth = await client.create("booth", f"B{ground.number}{number:02}", mandal)
            homes[booth] = mandal
            vacant.append(booth)
