"""Decides who watches what: one monitor of one's own for a unit at a time, and who covers."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from kit.errors import InvalidInput
from services.hierarchy.domain.errors import BlueprintNotFound, UnitNotFound
from services.hierarchy.domain.model import Blueprint, RequestId, UnitId
from services.hierarchy.domain.operations import Decision, Found, Moment, Steps, Want
from services.hierarchy.domain.people import Appointment, PersonId
from services.hierarchy.domain.people_errors import (
    AlreadyCovered,
    AlreadyWatching,
    NotAMonitor,
    PersonErased,
    PersonNotFound,
    WatchEnded,
    WatchNotFound,
    WatchPlanned,
)
from services.hierarchy.domain.records import (
    APPOINTMENTS_BY_PERSON,
    PERSONS_BY_ID,
    UNITS_BY_ID,
    WATCHES_BY_ID,
    WATCHES_BY_UNIT,
)
from services.hierarchy.domain.teams import Watch, WatchId
from services.hierarchy.domain.tenures import (
    ended,
    in_force,
    is_open,
    overlaps,
    require_span,
    watches_changed,
)

MONITOR = "monitor"


@dataclass(frozen=True, slots=True)
class AssignWatch:
    """A request for a watch; `covers` names the one to stand in for, `valid_from` None is now."""

    request_id: RequestId = field(repr=False)
    unit_id: UnitId
    person_id: PersonId
    covers: WatchId | None
    valid_from: datetime | None
    valid_to: datetime | None
    validate_only: bool


@dataclass(frozen=True, slots=True)
class EndWatch:
    """A request to end a watch; `valid_to` None is now."""

    request_id: RequestId = field(repr=False)
    id: WatchId
    valid_to: datetime | None


@dataclass(frozen=True, slots=True)
class WatchAssigned:
    """The answer to an assignment: the watch, and those that ended for it."""

    watch: Watch
    ended: tuple[Watch, ...]


def decide_assign_watch(request: AssignWatch, moment: Moment) -> Steps[WatchAssigned]:
    """Begin a watch; whose turn it was until then is relieved, unless this one covers for it.

    Raises:
        InvalidInput: the span or the watch to cover for will not do.
        UnitNotFound, PersonNotFound, PersonErased, WatchNotFound: one of them is not there.
        NotAMonitor: the person holds no position with that role when the watch begins.
        AlreadyWatching, AlreadyCovered, WatchPlanned: another watch is in the way.
    """
    begins = request.valid_from or moment.now
    require_span(begins, request.valid_to)
    found = yield Want(
        {
            UNITS_BY_ID: [request.unit_id],
            PERSONS_BY_ID: [request.person_id],
            APPOINTMENTS_BY_PERSON: [request.person_id],
            WATCHES_BY_UNIT: [request.unit_id],
        }
    )
    _require_able(request, begins, moment.header.blueprint, found)
    watch = Watch(
        WatchId(moment.new_id()),
        request.unit_id,
        request.person_id,
        request.covers,
        begins,
        request.valid_to,
        revision=1,
    )
    others = found.all(WATCHES_BY_UNIT, request.unit_id)
    if request.covers:
        _require_coverable(watch, request.covers, others)
        relieved: Sequence[Watch] = ()
    else:
        relieved = end_with_covers(_relieved(watch, others), begins, found)
    answer = WatchAssigned(watch, tuple(relieved))
    puts = [*relieved, watch]
    counts = moment.header.counts
    header = replace(moment.header, counts=replace(counts, watches=counts.watches + 1))
    return Decision(answer, puts=puts, header=header, changes=watches_changed(puts))


def decide_end_watch(request: EndWatch, moment: Moment) -> Steps[Watch]:
    """End a watch, and with it the covers for it.

    Raises:
        WatchNotFound: there is none.
        WatchEnded: it has an earlier end.
        InvalidInput: BAD_INTERVAL on `valid_to`: the end would be before the beginning.
    """
    found = yield Want({WATCHES_BY_ID: [request.id]})
    watch = found.one(WATCHES_BY_ID, request.id)
    if watch is None:
        raise WatchNotFound(request.id)
    at = moment.now if request.valid_to is None else request.valid_to
    if watch.valid_to is not None and watch.valid_to <= at:
        if watch.valid_to == request.valid_to:
            return Decision(watch)
        raise WatchEnded(watch.id, watch.valid_to)
    if at < watch.valid_from:
        said = f"the watch begins at {watch.valid_from.isoformat()}"
        raise InvalidInput.of("valid_to", "BAD_INTERVAL", said)
    around = yield Want({WATCHES_BY_UNIT: [watch.unit_id]})
    puts = end_with_covers([watch], at, around)
    return Decision(puts[0], puts=puts, changes=watches_changed(puts))


def end_with_covers(watches: Iterable[Watch], at: datetime, found: Found) -> list[Watch]:
    """The watches as they end, first, then those that cover for them: nobody is stood in for.

    Args:
        watches: open ones, each once.
        at: when they end.
        found: has `WATCHES_BY_UNIT` for their units.
    """
    ending = {each.id: each for each in watches}
    units = dict.fromkeys(each.unit_id for each in ending.values())
    covers = [
        each
        for unit_id in units
        for each in found.all(WATCHES_BY_UNIT, unit_id)
        if each.covers in ending and each.id not in ending and is_open(each, at)
    ]
    return [ended(each, at) for each in (*ending.values(), *covers)]


def is_monitor(blueprint: Blueprint, appointments: Iterable[Appointment], at: datetime) -> bool:
    """Whether one of the appointments, in force then, is to a position with that role."""
    return bool(desks(blueprint, appointments, at))


def desks(
    blueprint: Blueprint, appointments: Iterable[Appointment], at: datetime
) -> Collection[str]:
    """The positions, held by these appointments then, that make somebody a monitor."""
    positions = positions_with(blueprint, MONITOR)
    return {
        each.position for each in appointments if each.position in positions and in_force(each, at)
    }


def positions_with(blueprint: Blueprint, role: str) -> Collection[str]:
    """The keys of the positions that have a role."""
    return frozenset(each.key for each in blueprint.positions if role in each.roles)


def _require_able(
    request: AssignWatch, begins: datetime, blueprint: Blueprint | None, found: Found
) -> None:
    if blueprint is None:
        raise BlueprintNotFound
    if found.one(UNITS_BY_ID, request.unit_id) is None:
        raise UnitNotFound(request.unit_id)
    person = found.one(PERSONS_BY_ID, request.person_id)
    if person is None:
        raise PersonNotFound(request.person_id)
    if person.erased_at is not None:
        raise PersonErased(request.person_id)
    if not is_monitor(blueprint, found.all(APPOINTMENTS_BY_PERSON, person.id), begins):
        raise NotAMonitor(person.id, begins)


def _require_coverable(watch: Watch, covers: WatchId, others: Sequence[Watch]) -> None:
    """A cover lies within what it covers, and stands alone in it."""
    path = "covers_watch_id"
    covered = next((each for each in others if each.id == covers), None)
    if covered is None:
        raise WatchNotFound(covers)
    if covered.covers is not None:
        raise InvalidInput.of(path, "COVERS_A_COVER", "that watch is itself a cover")
    if covered.person_id == watch.person_id:
        raise InvalidInput.of("person_id", "COVERS_THEMSELF", "nobody can stand in for themself")
    if watch.valid_to is None:
        raise InvalidInput.of("valid_to", "MISSING", "a cover needs an end")
    if watch.valid_from < covered.valid_from or (
        covered.valid_to is not None and watch.valid_to > covered.valid_to
    ):
        said = "a cover begins and ends within the watch that it covers for"
        raise InvalidInput.of("valid_to", "BAD_INTERVAL", said)
    for each in others:
        if each.covers == covers and overlaps(each, watch.valid_from, watch.valid_to):
            raise AlreadyCovered(each.id)


def _relieved(watch: Watch, others: Iterable[Watch]) -> list[Watch]:
    """The watches of one's own that end as this one begins."""
    relieved = []
    for each in others:
        if each.covers is not None or not overlaps(each, watch.valid_from, watch.valid_to):
            continue
        if each.person_id == watch.person_id:
            raise AlreadyWatching(each.id)
        if each.valid_from > watch.valid_from:
            raise WatchPlanned(each.id, each.valid_from)
        relieved.append(each)
    return relieved
