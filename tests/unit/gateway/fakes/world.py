"""The plain data that the fake services answer from: one small tenant, and a log of the calls."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from chaupal.groups.v1 import groups_pb2
from chaupal.hierarchy.v1 import hierarchy_pb2, people_pb2
from chaupal.messaging.v1 import messaging_pb2
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from kit.errors import ChaupalError
from kit.ids import stable_id

TENANT = "neem"
NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
LEVELS = ("state", "division", "district")


def uid(*parts: str) -> str:
    """The same UUID for the same words."""
    return stable_id("tests", *parts)


def stamp(at: datetime) -> Timestamp:
    timestamp = Timestamp()
    timestamp.FromDatetime(at)
    return timestamp


@dataclass
class Calls:
    """Every call that reached a fake: the method and how many keys it had."""

    log: list[tuple[str, int]] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    request_ids: list[str] = field(default_factory=list)
    seconds_left: list[float] = field(default_factory=list)

    def counts(self) -> dict[str, int]:
        return dict(Counter(method for method, _ in self.log))

    def clear(self) -> None:
        self.log.clear()


@dataclass
class World:
    """Everything there is, and how it misbehaves."""

    units: dict[str, hierarchy_pb2.Unit] = field(default_factory=dict)
    groups: dict[str, groups_pb2.Group] = field(default_factory=dict)
    broadcasts: dict[str, messaging_pb2.Broadcast] = field(default_factory=dict)
    deliveries: list[messaging_pb2.Delivery] = field(default_factory=list)
    persons: dict[str, people_pb2.Person] = field(default_factory=dict)
    appointments: list[people_pb2.Appointment] = field(default_factory=list)
    teams: list[people_pb2.Team] = field(default_factory=list)
    unit_watches: list[people_pb2.Watch] = field(default_factory=list)
    areas: dict[str, hierarchy_pb2.Area] = field(default_factory=dict)
    """By the unit that lies in it."""
    calls: Calls = field(default_factory=Calls)
    asked: dict[str, Message] = field(default_factory=dict)
    """By method of the hierarchy: the last request."""
    replies: dict[str, Any] = field(default_factory=dict)
    """By method of the hierarchy: what a change is answered with."""
    raising: dict[str, Exception] = field(default_factory=dict)
    """By method: raised instead of answering."""
    held: asyncio.Event | None = None
    """Until it is set, the blueprint is not answered."""
    closed_meanwhile: str = ""
    """The id of a unit that stands second in lists, and is no more when it is read."""
    longest_page: int | None = None
    """The most items that the register puts on a page, whatever is asked for."""
    looks: "asyncio.Queue[messaging_pb2.Progress | Exception | None]" = field(
        default_factory=asyncio.Queue
    )
    """What WatchProgress says next; None ends the stream."""
    watchers: int = 0
    watches: int = 0

    def descendants(self, unit_id: str) -> Iterator[str]:
        """The unit and everything below it."""
        yield unit_id
        for child in self.children(unit_id):
            yield from self.descendants(child.id)

    def children(self, parent_id: str) -> list[hierarchy_pb2.Unit]:
        found = [each for each in self.units.values() if each.parent_id == parent_id]
        return sorted(found, key=lambda each: each.code)

    def ancestors(self, unit_id: str) -> list[hierarchy_pb2.Unit]:
        unit = self.units[unit_id]
        above = self.units.get(unit.parent_id)
        return [above, *self.ancestors(above.id)] if above else []

    def groups_of(self, unit_id: str, *, own_only: bool) -> list[groups_pb2.Group]:
        units = {unit_id} if own_only else set(self.descendants(unit_id))
        return [each for each in self.groups.values() if each.unit_id in units]


class Gone(ChaupalError):
    """Set in `World.raising` to break something that is no kind."""


def small_world(divisions: int = 2, districts: int = 3) -> World:
    """One state, its divisions, their districts with two groups each, and two broadcasts."""
    world = World()
    state = _unit(world, "state", "RJ", None)
    for division in range(divisions):
        parent = _unit(world, "division", f"D{division}", state)
        for district in range(districts):
            unit = _unit(world, "district", f"D{division}-{district:02}", parent)
            _group(world, f"G-{unit.code}-1", unit.id, "internal", "")
            _group(world, f"G-{unit.code}-2", unit.id, "category", "farmers")
    for unit in world.units.values():
        unit.child_count = len(world.children(unit.id))
        unit.subtree_count = len(list(world.descendants(unit.id)))
    for unit in list(world.units.values()):
        if unit.level == "district":
            _staff(world, unit)
    for number in (1, 2):
        _broadcast(world, number)
    world.deliveries = [
        messaging_pb2.Delivery(
            group_id=group, state=messaging_pb2.DELIVERY_STATE_DELIVERED, attempt_count=1
        )
        for group in world.groups
    ]
    return world


def _unit(
    world: World, level: str, code: str, parent: hierarchy_pb2.Unit | None
) -> hierarchy_pb2.Unit:
    unit = hierarchy_pb2.Unit(
        id=uid("unit", code),
        level=level,
        code=code,
        names=hierarchy_pb2.LocalizedText(by_language={"en": f"Unit {code}", "hi": f"इकाई {code}"}),
        parent_id=parent.id if parent else "",
        valid_from=stamp(NOON),
        since=stamp(NOON),
        etag="1",
    )
    if level == "state":
        unit.place.latitude, unit.place.longitude = 26.9, 75.8
    world.units[unit.id] = unit
    return unit


def _staff(world: World, unit: hierarchy_pb2.Unit) -> None:
    """A president and a team of two in a district, which is watched and lies in an area."""
    president, lead, monitor = (
        _person(world, f"{role} of {unit.code}") for role in ("president", "lead", "monitor")
    )
    world.appointments.append(
        people_pb2.Appointment(
            id=uid("appointment", unit.code),
            unit_id=unit.id,
            position="president",
            person_id=president.id,
            valid_from=stamp(NOON),
            verification=people_pb2.VERIFICATION_STATE_UNVERIFIED,
            etag="1",
        )
    )
    members = [
        people_pb2.TeamMember(person_id=each.id, role=role, valid_from=stamp(NOON))
        for each, role in ((lead, "lead"), (president, "member"))
    ]
    world.teams.append(
        people_pb2.Team(
            id=uid("team", unit.code),
            unit_id=unit.id,
            kind="it_cell",
            names=hierarchy_pb2.LocalizedText(by_language={"en": "Cell"}),
            members=members,
            valid_from=stamp(NOON),
            etag="1",
        )
    )
    world.unit_watches.append(
        people_pb2.Watch(
            id=uid("watch", unit.code),
            unit_id=unit.id,
            person_id=monitor.id,
            valid_from=stamp(NOON),
            valid_to=stamp(NOON + timedelta(days=30)),
        )
    )
    world.areas[unit.id] = hierarchy_pb2.Area(
        id=uid("area", unit.code),
        kind="constituency",
        code=unit.code,
        names=hierarchy_pb2.LocalizedText(by_language={"en": f"Area {unit.code}"}),
    )


def _person(world: World, name: str) -> people_pb2.Person:
    person = people_pb2.Person(
        id=uid("person", name),
        names=hierarchy_pb2.LocalizedText(by_language={"en": name}),
        phone="+91 ••••••0000",
        phone_masked=True,
        etag="1",
    )
    world.persons[person.id] = person
    return person


def _group(world: World, code: str, unit_id: str, kind: str, category: str) -> None:
    group = groups_pb2.Group(
        id=uid("group", code),
        code=code,
        names={"en": f"Group {code}"},
        kind=kind,
        category=category,
        unit_id=unit_id,
        admins=[groups_pb2.Admin(person="p-1", role=groups_pb2.ADMIN_ROLE_OWNER)],
        language="hi",
        member_count=200,
        capacity=1024,
        state=groups_pb2.GROUP_STATE_ACTIVE,
        flags=[groups_pb2.GROUP_FLAG_INCOMPLETE] if category else [],
        registered_at=stamp(NOON),
    )
    world.groups[group.id] = group


def _broadcast(world: World, number: int) -> None:
    broadcast = messaging_pb2.Broadcast(
        id=uid("broadcast", str(number)),
        title=f"Broadcast {number}",
        texts={"hi": "नमस्ते", "en": "Hello"},
        transport="simulator",
        state=messaging_pb2.BROADCAST_STATE_DRAFT,
        author="user-1",
        created_at=stamp(NOON + timedelta(minutes=number)),
    )
    world.broadcasts[broadcast.id] = broadcast


def page(items: Sequence[str], token: str, size: int, default: int) -> tuple[Sequence[str], str]:
    """A page of ids and the next page's token: the offset."""
    start, length = int(token or 0), size or default
    end = start + length
    return items[start:end], str(end) if end < len(items) else ""
