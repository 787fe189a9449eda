"""Decides what becomes of areas: created, renamed, ended, and which units lie in them."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from kit.errors import AtLimit, FieldViolation, InvalidInput, raise_violations
from services.hierarchy.domain.areas import Area, AreaId, AreaLink, AreaLinkId, end_links
from services.hierarchy.domain.model import LocalizedText, RequestId, Unit, UnitId, UnitKey
from services.hierarchy.domain.operations import Decision, Found, Moment, Steps, Want
from services.hierarchy.domain.records import (
    AREA_LINKS_BY_AREA,
    AREAS_BY_KEY,
    UNITS_BY_ID,
    UNITS_BY_KEY,
    Record,
    joined_key,
)
from services.hierarchy.domain.reorganisation import UnitRef, first_violations
from services.hierarchy.domain.tenants import TenantHeader
from services.hierarchy.domain.text import Fault, is_code, is_key, quoted, text_faults

# So that all of a tenant's can be listed at once.
MAX_AREAS = 10_000


class TooManyAreas(AtLimit):
    """The tenant has as many areas as it may have."""

    reason = "TOO_MANY_AREAS"
    sentence = "the organisation may have at most {limit} areas"


@dataclass(frozen=True, slots=True)
class AreaEntry:
    """An area as it shall be, unchecked.

    `units` are those that lie in it, None to leave that as it is; `closed` ends it.
    """

    kind: str
    code: str
    names: LocalizedText
    units: tuple[UnitRef, ...] | None = None
    closed: bool = False


@dataclass(frozen=True, slots=True)
class PutAreas:
    """A request for areas, found by kind and code; `effective_at` None is for now."""

    request_id: RequestId
    entries: tuple[AreaEntry, ...] = field(repr=False)
    validate_only: bool = False
    effective_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class AreasPut:
    """The areas as they now stand, in the order of the request; those that ended left out.

    One that would be new has no id when it was only tried.
    """

    areas: tuple[Area, ...]


def decide_areas(request: PutAreas, moment: Moment) -> Steps[AreasPut]:
    """Create, change and end areas, all or none.

    Units lie in an area from `effective_at` on, but not before either of the two began. An area
    begins then, but not before another of its kind and code ended: a caller who says so is refused.

    Raises:
        InvalidInput: with everything that is wrong.
        TooManyAreas: the tenant would have more than it may.
    """
    at = request.effective_at or moment.now
    if at > moment.now:
        raise InvalidInput.of("effective_at", "IN_FUTURE", "areas cannot be changed ahead of time")
    found = yield wanted_for_areas(request.entries)
    faults = [*_violations(request.entries, found), *_untimely(request, found)]
    if faults:
        raise_violations(first_violations(faults))
    standing = [standing_area(each, found) for each in request.entries]
    links = yield Want({AREA_LINKS_BY_AREA: [area.id for area in standing if area]})
    outcome = AreasOutcome(moment, at)
    for entry, area in zip(request.entries, standing, strict=True):
        outcome.put(entry, area, links.all(AREA_LINKS_BY_AREA, area.id) if area else (), found)
    return outcome.decision(is_trial=request.validate_only)


@dataclass(slots=True)
class AreasOutcome:
    """What all entries come to."""

    moment: Moment
    at: datetime
    puts: list[Record] = field(default_factory=list)
    drops: list[Record] = field(default_factory=list)
    areas: list[Area] = field(default_factory=list)
    new: set[AreaId] = field(default_factory=set)
    ended_count: int = 0

    def put(
        self, entry: AreaEntry, area: Area | None, links: Sequence[AreaLink], found: Found
    ) -> None:
        """Take one entry."""
        if entry.closed:
            if area:
                self._end(area, links)
            return
        area = self._changed(entry, area, found)
        self.areas.append(area)
        if entry.units is not None:
            units = [unit for ref in entry.units if (unit := unit_of(ref, found))]
            self._link(area, units, links)

    @property
    def change_count(self) -> int:
        """How many records are written so far."""
        return len(self.puts) + len(self.drops)

    def header(self) -> TenantHeader | None:
        """The tenant's, if it changes. Raises `TooManyAreas`."""
        header = self.moment.header
        more = len(self.new) - self.ended_count
        count = header.counts.areas + more
        if more > 0 and count > MAX_AREAS:
            raise TooManyAreas(MAX_AREAS)
        return replace(header, counts=replace(header.counts, areas=count)) if more else None

    def decision(self, *, is_trial: bool) -> Decision[AreasPut]:
        """What to write. Raises `TooManyAreas`."""
        shown = [
            replace(each, id=AreaId("")) if is_trial and each.id in self.new else each
            for each in self.areas
        ]
        return Decision(
            AreasPut(tuple(shown)),
            puts=self.puts,
            drops=self.drops,
            header=self.header(),
        )

    def _changed(self, entry: AreaEntry, area: Area | None, found: Found) -> Area:
        if area is None:
            area_id = AreaId(self.moment.new_id())
            self.new.add(area_id)
            # Another process, whose clock is ahead, may have ended the one before.
            begins = max(self.at, _last_end(entry, found) or self.at)
            area = Area(area_id, entry.kind, entry.code, entry.names, begins, None, revision=1)
        elif area.names != entry.names:
            area = replace(area, names=entry.names, revision=area.revision + 1)
        else:
            return area
        self.puts.append(area)
        return area

    def _end(self, area: Area, links: Sequence[AreaLink]) -> None:
        end = max(self.at, area.valid_from)
        self.puts.append(replace(area, valid_to=end, revision=area.revision + 1))
        self.ended_count += 1
        self._end_links(links)

    def _link(self, area: Area, units: Sequence[Unit], links: Sequence[AreaLink]) -> None:
        """Let these units, and no others, lie in the area from now on."""
        wanted = {unit.id: unit for unit in units}
        covering: dict[UnitId, AreaLink] = {}
        for link in links:
            if link.unit_id in wanted and _covers(link, self.at):
                covering[link.unit_id] = link
        kept = {link.id for link in covering.values()}
        self._end_links(link for link in links if link.id not in kept)
        for unit_id, link in covering.items():
            if link.valid_to is not None:
                self.puts.append(replace(link, valid_to=None, revision=link.revision + 1))
            wanted.pop(unit_id)
        for unit in wanted.values():
            begins = max(self.at, unit.valid_from, area.valid_from)
            link_id = AreaLinkId(self.moment.new_id())
            self.puts.append(AreaLink(link_id, unit.id, area.id, begins, None, revision=1))

    def _end_links(self, links: Iterable[AreaLink]) -> None:
        ended, forgotten = end_links(links, self.at)
        self.puts += ended
        self.drops += forgotten


def unit_of(ref: UnitRef, found: Found) -> Unit | None:
    """The unit of a reference, where it stands."""
    if isinstance(ref, UnitKey):
        return found.one(UNITS_BY_KEY, joined_key(*ref))
    return found.one(UNITS_BY_ID, ref)


def wanted_for_areas(entries: Iterable[AreaEntry]) -> Want:
    """What decides whether entries are right."""
    entries = tuple(entries)
    refs = [ref for entry in entries for ref in entry.units or ()]
    keys = [joined_key(each.kind, each.code) for each in entries if _is_sound(each)]
    return Want(
        {
            AREAS_BY_KEY: keys,
            UNITS_BY_ID: [ref for ref in refs if not isinstance(ref, UnitKey)],
            UNITS_BY_KEY: [joined_key(*ref) for ref in refs if isinstance(ref, UnitKey)],
        }
    )


def _is_sound(entry: AreaEntry) -> bool:
    return is_key(entry.kind) and is_code(entry.code)


def standing_area(entry: AreaEntry, found: Found) -> Area | None:
    """The area of the entry, if it stands."""
    areas = found.all(AREAS_BY_KEY, joined_key(entry.kind, entry.code))
    return next((each for each in areas if each.valid_to is None), None)


def _last_end(entry: AreaEntry, found: Found) -> datetime | None:
    """When the last area of its kind and code ended, if there was one for any time."""
    areas = found.all(AREAS_BY_KEY, joined_key(entry.kind, entry.code))
    ends = (each.valid_to for each in areas if each.valid_to and each.valid_to > each.valid_from)
    return max(ends, default=None)


def _covers(link: AreaLink, at: datetime) -> bool:
    return link.valid_from <= at and (link.valid_to is None or link.valid_to > at)


def area_faults(
    entries: Sequence[AreaEntry], found: Found, place: Callable[[int], str]
) -> Iterator[tuple[int, Fault]]:
    """What is wrong with entries: the index of each, and a fault of it.

    Args:
        entries: all that are put at once.
        found: what was `wanted_for_areas`.
        place: where the entry with an index stands, in words.
    """
    first_at: dict[tuple[str, str], int] = {}
    for index, entry in enumerate(entries):
        key = entry.kind, entry.code
        for fault in (*_key_faults(entry), *_entry_faults(entry, found)):
            yield index, fault
        if key in first_at:
            said = f"{entry.kind} {quoted(entry.code)} stands at {place(first_at[key])} already"
            yield index, Fault("area.code", "DUPLICATE_CODE", said)
        first_at.setdefault(key, index)


def _violations(entries: Sequence[AreaEntry], found: Found) -> Iterator[FieldViolation]:
    for index, fault in area_faults(entries, found, lambda at: f"areas[{at}]"):
        path = f"areas[{index}].{fault.field}"
        yield FieldViolation(path, fault.reason, fault.description)


def _untimely(request: PutAreas, found: Found) -> Iterator[FieldViolation]:
    """Areas that would be while another of their kind and code was."""
    at = request.effective_at
    if at is None:
        return
    for index, entry in enumerate(request.entries):
        if entry.closed or not _is_sound(entry) or standing_area(entry, found):
            continue
        if (ended := _last_end(entry, found)) and at < ended:
            what = f"another {entry.kind} {entry.code} ended at {ended.isoformat()}"
            path = f"areas[{index}].area.code"
            yield FieldViolation(path, "BEFORE_LAST_CHANGE", f"{what}: not before that")


def _key_faults(entry: AreaEntry) -> Iterator[Fault]:
    if not entry.kind:
        yield Fault("area.kind", "MISSING", "the kind is needed")
    elif not is_key(entry.kind):
        said = f"{quoted(entry.kind)} is not lower_snake_case of at most 64 characters"
        yield Fault("area.kind", "BAD_KEY", said)
    if not entry.code:
        yield Fault("area.code", "MISSING", "the code is needed")
    elif not is_code(entry.code):
        said = f"{quoted(entry.code)} is not 1 to 64 of A-Z a-z 0-9 . _ -"
        yield Fault("area.code", "BAD_CODE", said)


def _entry_faults(entry: AreaEntry, found: Found) -> Collection[Fault]:
    if entry.closed:
        return _closing_faults(entry, found)
    faults = []
    for fault in text_faults(entry.names):
        tag = f".{fault.field}" if fault.field else ""
        faults.append(fault._replace(field=f"area.names.by_language{tag}"))
    for index, ref in enumerate(entry.units or ()):
        if unit_of(ref, found) is None:
            told = f"{ref.level} {ref.code}" if isinstance(ref, UnitKey) else ref
            faults.append(Fault(f"units[{index}]", "UNKNOWN_UNIT", f"there is no unit {told}"))
    return faults


def _closing_faults(entry: AreaEntry, found: Found) -> Collection[Fault]:
    if entry.units:
        said = "an area that ends has no units: leave them out"
        return [Fault("units", "CONTRADICTION", said)]
    if _is_sound(entry) and standing_area(entry, found) is None:
        said = f"there is no area {entry.kind} {entry.code} to end"
        return [Fault("area.code", "UNKNOWN_AREA", said)]
    return ()
