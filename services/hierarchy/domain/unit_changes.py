"""Changes of units as every write makes them: the slice that ends, the one that begins, the sums.

History only grows at its end: a change takes effect no earlier than the one before it, so no two
units ever have one code at one time, and the past never changes.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from kit.errors import InvalidInput
from services.hierarchy.domain.errors import QuotaExceeded
from services.hierarchy.domain.events import AccessChanged, Change, TreeChanged
from services.hierarchy.domain.model import Unit, UnitId
from services.hierarchy.domain.operations import Moment
from services.hierarchy.domain.records import PastUnit
from services.hierarchy.domain.tenants import TenantHeader


@dataclass(frozen=True, slots=True)
class UnitEdit:
    """One unit before and after a write; the two differ.

    Attributes:
        before: as it stood; None for one that begins.
        after: as it is to stand; None for one that ends. Its `since` and `revision` do not matter.
        successor_ids: of a unit that ends, those that take over.
    """

    before: Unit | None
    after: Unit | None
    successor_ids: tuple[UnitId, ...] = ()

    @property
    def is_move(self) -> bool:
        """Whether the unit goes under another parent."""
        return (
            self.before is not None
            and self.after is not None
            and self.before.parent_id != self.after.parent_id
        )


@dataclass(frozen=True, slots=True)
class UnitsChanged:
    """What a `Decision` takes over: records to put and drop, the header, what peers are told.

    Attributes:
        units: as they now stand, in the order of their edits; those that ended left out.
        past: the slices that ended.
        drops: units that no longer stand.
        header: the tenant's, with the new versions, counts and levels in use.
        changes: of the tree, and so of who may do what in it.
    """

    units: Sequence[Unit]
    past: Sequence[PastUnit]
    drops: Sequence[Unit]
    header: TenantHeader
    changes: tuple[Change, ...]

    @property
    def puts(self) -> Sequence[Unit | PastUnit]:
        """Everything to put."""
        return (*self.past, *self.units)


def effective_time(moment: Moment, asked: datetime | None, path: str) -> datetime:
    """When a change of units takes effect.

    Args:
        moment: of the write.
        asked: what the caller said; None for as soon as may be.
        path: the field in which they said it.

    Raises:
        InvalidInput: IN_FUTURE, or BEFORE_LAST_CHANGE, which names the last change's time.
    """
    last = moment.header.changed_until
    # Ahead of this clock when another process, whose clock is ahead, made the last change.
    earliest = max(moment.now, last) if last else moment.now
    if asked is None:
        return earliest
    if asked > earliest:
        raise InvalidInput.of(path, "IN_FUTURE", "changes of units cannot be planned ahead")
    if last and asked < last:
        said = f"units were last changed as of {last.isoformat()}: not before that"
        raise InvalidInput.of(path, "BEFORE_LAST_CHANGE", said)
    return asked


def change_units(
    header: TenantHeader, edits: Iterable[UnitEdit], effective_at: datetime
) -> UnitsChanged:
    """Bring edits about, one for each unit.

    A standing slice becomes a `PastUnit` unless it has no length. The last one of a unit that ends
    is kept even so, as nothing else would tell that it ended.

    Args:
        header: as it stands.
        edits: at least one; what they come to is right already.
        effective_at: see `effective_time`.

    Raises:
        QuotaExceeded: there would be more units than the tenant may have.
    """
    version = header.tree_version + 1
    edits = tuple(edits)
    units = [_stamped(edit.after, effective_at, version) for edit in edits if edit.after]
    new_header = replace(
        header,
        tree_version=version,
        access_version=header.access_version + 1,
        changed_until=effective_at,
        counts=replace(header.counts, units=_unit_count(header, edits)),
        used_levels=_used_levels(header.used_levels, edits),
    )
    return UnitsChanged(
        units=units,
        past=[past for edit in edits if (past := _ended(edit, effective_at, version))],
        drops=[edit.before for edit in edits if edit.before and not edit.after],
        header=new_header,
        changes=(TreeChanged(version), AccessChanged(new_header.access_version)),
    )


def _stamped(unit: Unit, since: datetime, revision: int) -> Unit:
    if (unit.since, unit.revision) == (since, revision):
        return unit
    return replace(unit, since=since, revision=revision)


def _ended(edit: UnitEdit, until: datetime, ended_by: int) -> PastUnit | None:
    unit, closed = edit.before, edit.after is None
    if unit is None or (unit.since == until and not closed):
        return None
    return PastUnit(unit, until, ended_by, closed, edit.successor_ids)


def _unit_count(header: TenantHeader, edits: Iterable[UnitEdit]) -> int:
    more = sum((edit.before is None) - (edit.after is None) for edit in edits)
    count, most = header.counts.units + more, header.quotas.units
    if more > 0 and count > most:
        raise QuotaExceeded("units", most)
    return count


def _used_levels(used: Mapping[str, int], edits: Iterable[UnitEdit]) -> Mapping[str, int]:
    counts = Counter(used)
    for edit in edits:
        if edit.before:
            counts[edit.before.level] -= 1
        if edit.after:
            counts[edit.after.level] += 1
    return {level: count for level, count in sorted(counts.items()) if count}
