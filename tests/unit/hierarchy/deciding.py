"""Holds the conversations of decisions over dictionaries: what a store does, in a few lines."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from kit.ids import SeededIds
from services.hierarchy.domain.blueprints import decide_blueprint
from services.hierarchy.domain.events import Change
from services.hierarchy.domain.imports import decide_import
from services.hierarchy.domain.model import Blueprint, ImportReport, TenantId, Unit, UnitRow
from services.hierarchy.domain.operations import Decision, Found, Moment, Steps, Want
from services.hierarchy.domain.records import (
    RECORD_TYPES,
    UNITS_BY_KEY,
    Index,
    PastUnit,
    R,
    Record,
    joined_key,
)
from services.hierarchy.domain.tenants import TenantHeader
from tests.builders_hierarchy import a_blueprint, an_import

T = TypeVar("T")
START = datetime(2026, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


@dataclass
class Deciding:
    """One tenant. `now` stands still until a test sets it; `told` is what peers were told."""

    header: TenantHeader = field(default_factory=lambda: TenantHeader(TenantId("neem")))
    now: datetime = START
    records: dict[tuple[type[Record], str], Record] = field(default_factory=dict)
    told: list[Change] = field(default_factory=list)
    ids: SeededIds = field(default_factory=lambda: SeededIds(7))

    def decide(self, decide: Callable[[Moment], Steps[T]]) -> Decision[T]:
        """Where the conversation ends; nothing is written."""
        steps = decide(Moment(self.header, self.now, self.ids.new))
        try:
            want = next(steps)
            while True:
                want = steps.send(self.find(want))
        except StopIteration as end:
            decision: Decision[T] = end.value
            return decision

    def write(self, decide: Callable[[Moment], Steps[T]]) -> T:
        """Write what is decided, and answer."""
        decision = self.decide(decide)
        self.put(*decision.puts)
        for record in decision.drops:
            del self.records[type(record), record.id]
        self.header = decision.header or self.header
        self.told += decision.changes
        return decision.answer

    def find(self, want: Want) -> Found:
        """Everything under the keys, whether it ended or not."""
        found: dict[Index[Any], dict[str, list[Record]]] = {}
        for index, keys in want.keys.items():
            wanted, by_key = set(keys), found.setdefault(index, {})
            for record in self.all(index.of):
                key = key_of(record, index)
                if key in wanted:
                    by_key.setdefault(str(key), []).append(record)
        return Found(found)

    def put(self, *records: Record) -> None:
        """Put records as they are, each once."""
        new = {(type(record), str(record.id)): record for record in records}
        assert len(new) == len(records), "one record was put twice"
        self.records.update(new)

    def all(self, of: type[R]) -> list[R]:
        """All records of a type."""
        assert of in RECORD_TYPES
        return [record for record in self.records.values() if isinstance(record, of)]

    def unit(self, level: str, code: str) -> Unit:
        """The unit that stands under that level and code."""
        found = self.find(Want({UNITS_BY_KEY: [joined_key(level, code)]}))
        unit = found.one(UNITS_BY_KEY, joined_key(level, code))
        assert unit is not None, f"no {level} {code}"
        return unit

    def past(self, level: str, code: str) -> list[PastUnit]:
        """What was under that level and code, oldest first."""
        ended = [each for each in self.all(PastUnit) if each.unit.key == (level, code)]
        return sorted(ended, key=lambda each: each.ended_by)

    def start(self, *rows: UnitRow, blueprint: Blueprint | None = None) -> None:
        """Put a blueprint, and import rows that are right."""
        draft = blueprint or a_blueprint()
        self.write(lambda moment: decide_blueprint(draft, moment))
        if rows:
            self.load(*rows)

    def load(self, *rows: UnitRow, effective_at: datetime | None = None) -> ImportReport:
        """Import rows that are right."""
        request = an_import(*rows, effective_at=effective_at)
        report = self.write(lambda moment: decide_import(request, moment))
        assert report.errors == ()
        return report

    def quota(self, **at_most: int) -> None:
        """Set some of the tenant's quotas."""
        self.header = replace(self.header, quotas=replace(self.header.quotas, **at_most))


def key_of(record: Record, index: Index[Any]) -> str | None:
    """The key under which an index has the record; None when it has it under none."""
    if isinstance(record, PastUnit) and index.by != "id":
        by = "id" if index.by == "unit_id" else index.by
        return _value(record.unit, by)
    return _value(record, index.by)


def _value(record: Any, name: str) -> str | None:
    match name:
        case "key":
            return joined_key(*record.key)
        case "phone_hash":
            return record.phone and str(record.phone.hash)
        case _:
            value = getattr(record, name)
            return None if value is None else str(value)


def only(items: Iterable[T]) -> T:
    """The one item that there is."""
    (item,) = items
    return item
