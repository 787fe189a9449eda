"""What `OrgGraph` promises, as plain dictionaries: slow, obvious, and sharing no code with it."""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from services.hierarchy.domain.events import Change
from services.hierarchy.domain.model import Unit
from services.hierarchy.domain.people import Appointment, Person
from services.hierarchy.domain.records import Index, PastUnit, Record
from services.hierarchy.domain.tenants import TenantHeader


def key_of(record: Record, index: Index[Any]) -> str | None:
    """The key under which an index has the record; None when it has it under none."""
    of: Any = record
    match record, index.by:
        case PastUnit(), "unit_id":
            return record.unit.id
        case PastUnit(), _:
            of = record.unit
        case Person(), "phone_hash":
            return record.phone.hash if record.phone else None
    if index.by == "key":
        return "/".join(of.key)
    value: str | None = getattr(of, index.by)
    return value


def holds(record: Any, at: datetime) -> bool:
    """Whether a record is valid at an instant."""
    match record:
        case Person():
            return True
        case Unit():
            begins, ends = record.since, None
        case PastUnit():
            begins, ends = record.unit.since, record.until
        case _:
            begins, ends = record.valid_from, record.valid_to
    return begins <= at and (ends is None or at < ends)


@dataclass
class Model:
    """One tenant."""

    header: TenantHeader
    records: dict[tuple[type[Record], str], Record] = field(default_factory=dict)
    events: list[Change] = field(default_factory=list)
    forgotten_events: int = 0
    relayed: int = 0

    @property
    def last_event(self) -> int:
        return self.forgotten_events + len(self.events)

    def numbered_events(self) -> dict[int, Change]:
        return dict(enumerate(self.events, self.forgotten_events + 1))

    def forget(self) -> None:
        """Forget all but the header."""
        self.forgotten_events, self.events, self.records = self.last_event, [], {}
        self.relayed = self.last_event

    def all(self, of: type[Any]) -> list[Any]:
        found = [record for (kind, _), record in self.records.items() if kind is of]
        return sorted(found, key=lambda each: str(each.id).encode())

    def after(self, puts: Iterable[Record], drops: Iterable[Record]) -> dict[Any, Record]:
        """The records that would stand."""
        records = dict(self.records)
        for record in drops:
            records.pop((type(record), record.id), None)
        for record in puts:
            records[type(record), record.id] = record
        return records

    def find(
        self, index: Index[Any], keys: Iterable[str], at: datetime | None
    ) -> dict[str, list[Any]]:
        found: dict[str, list[Any]] = {}
        for record in self.all(index.of):
            key = key_of(record, index)
            if key in set(keys) and (at is None or holds(record, at)):
                found.setdefault(str(key), []).append(record)
        return found

    def tree(self, at: datetime | None) -> list[tuple[Any, ...]]:
        """Every unit's place, ordered by parent and then as siblings are."""
        standing = self.all(Unit)
        if at is not None:
            past = [each.unit for each in self.all(PastUnit) if holds(each, at)]
            standing = [each for each in standing if holds(each, at)] + past
        rows = [(each.id, each.parent_id, each.level, each.code) for each in standing]
        return sorted(rows, key=lambda row: (row[1] or "", row[3], row[2]))

    def children(self, parent: str | None) -> list[Unit]:
        found = [unit for unit in self.all(Unit) if unit.parent_id == parent]
        return sorted(found, key=lambda unit: (unit.code.encode(), unit.level.encode()))

    def changed_since(self, version: int) -> tuple[set[Any], set[str]]:
        """The units that changed after a version, and those that were closed."""
        changed = {unit for unit in self.all(Unit) if unit.revision > version}
        closed = {
            each.unit.id for each in self.all(PastUnit) if each.closed and each.ended_by > version
        }
        return changed, closed

    def closings_since(self, version: int) -> int:
        """How often units were closed after a version."""
        return sum(each.closed and each.ended_by > version for each in self.all(PastUnit))

    def held(self, at: datetime) -> list[Appointment]:
        """The appointments in force."""
        return [each for each in self.all(Appointment) if holds(each, at)]

    def units_with(self, position: str, at: datetime) -> set[str]:
        return {each.unit_id for each in self.held(at) if each.position == position}

    def tally(
        self, units: Collection[str] | None, at: datetime, verified_since: datetime
    ) -> dict[tuple[str, str], int]:
        counts: Counter[tuple[str, str]] = Counter()
        for each in self.held(at):
            if units is None or each.unit_id in units:
                if each.verified_at is None:
                    state = "unverified"
                else:
                    state = "stale" if each.verified_at < verified_since else "verified"
                counts[each.position, state] += 1
        return dict(counts)

    def ancestors(self, unit: Unit) -> list[Unit]:
        """The unit's, nearest first."""
        standing = {each.id: each for each in self.all(Unit)}
        above: list[Unit] = []
        while unit.parent_id is not None:
            unit = standing[unit.parent_id]
            above.append(unit)
        return above
