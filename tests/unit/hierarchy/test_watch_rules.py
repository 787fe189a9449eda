"""What assigning and ending watches decide."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import partial

import pytest

from kit.errors import ChaupalError, InvalidInput
from services.hierarchy.domain.appointing import decide_appoint
from services.hierarchy.domain.errors import UnitNotFound
from services.hierarchy.domain.events import WatchChange, WatchesChanged
from services.hierarchy.domain.people import Person
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
from services.hierarchy.domain.teams import Watch, WatchId
from services.hierarchy.domain.watch_changes import (
    AssignWatch,
    EndWatch,
    WatchAssigned,
    decide_assign_watch,
    decide_end_watch,
)
from tests.builders_hierarchy import BEGINNING, a_request_id, a_small_tree
from tests.builders_people import DAY, a_person, a_staffed_blueprint, a_watching, an_appointing
from tests.unit.hierarchy.deciding import Deciding, only

ASHA, BELA, CHARU, DIPA = (a_person(number) for number in range(1, 5))
SOON, LATER = BEGINNING + 3 * DAY, BEGINNING + 6 * DAY


@pytest.fixture
def tenant() -> Deciding:
    """Asha, Bela and Charu are monitors of the state; Dipa holds another office."""
    tenant = Deciding()
    tenant.start(*a_small_tree(), blueprint=a_staffed_blueprint())
    tenant.put(ASHA, BELA, CHARU, DIPA)
    state = tenant.unit("state", "RJ").id
    for person in (ASHA, BELA, CHARU):
        tenant.write(partial(decide_appoint, an_appointing(state, "monitor", person)))
    tenant.write(partial(decide_appoint, an_appointing(state, "state_convenor", DIPA)))
    tenant.told = []
    return tenant


@pytest.fixture
def unit(tenant: Deciding) -> str:
    return tenant.unit("district", "JPR").id


def write(tenant: Deciding, request: AssignWatch) -> WatchAssigned:
    return tenant.write(partial(decide_assign_watch, request))


def end(tenant: Deciding, watch_id: str, at: datetime | None = None) -> Watch:
    request = EndWatch(a_request_id(), WatchId(watch_id), at)
    return tenant.write(partial(decide_end_watch, request))


def refusal(tenant: Deciding, do: Callable[[], object]) -> ChaupalError:
    before = dict(tenant.records), list(tenant.told), tenant.header
    with pytest.raises(ChaupalError) as refused:
        do()
    assert before == (tenant.records, tenant.told, tenant.header)
    return refused.value


def fault(tenant: Deciding, request: AssignWatch) -> tuple[str, str]:
    refused = refusal(tenant, partial(write, tenant, request))
    assert isinstance(refused, InvalidInput)
    violation = only(refused.violations)
    return violation.field, violation.reason


def test_a_watch_begins_and_is_told_and_changes_no_rights(tenant: Deciding, unit: str) -> None:
    header = tenant.header

    made = write(tenant, a_watching(unit, ASHA))

    watch = made.watch
    assert made == WatchAssigned(
        Watch(watch.id, tenant.unit("district", "JPR").id, ASHA.id, None, BEGINNING, None, 1), ()
    )
    assert tenant.all(Watch) == [watch]
    assert tenant.told == [WatchesChanged((WatchChange(watch.id, ASHA.id, watch.unit_id, None),))]
    assert tenant.header == replace(header, counts=replace(header.counts, watches=1))


def test_the_next_monitor_relieves_the_one_before(tenant: Deciding, unit: str) -> None:
    first = write(tenant, a_watching(unit, ASHA)).watch

    second = write(tenant, a_watching(unit, BELA, valid_from=SOON))

    assert second.ended == (replace(first, valid_to=SOON, revision=2),)
    assert tenant.records[Watch, first.id] == second.ended[0]
    assert second.watch.valid_from == SOON


def test_a_cover_lets_the_watch_go_on(tenant: Deciding, unit: str) -> None:
    own = write(tenant, a_watching(unit, ASHA)).watch

    cover = write(tenant, a_watching(unit, BELA, covers=own.id, valid_from=SOON, valid_to=LATER))

    assert (cover.watch.covers, cover.ended) == (own.id, ())
    assert tenant.records[Watch, own.id] == own


def test_covers_end_with_what_they_cover(tenant: Deciding, unit: str) -> None:
    own = write(tenant, a_watching(unit, ASHA)).watch
    cover = write(tenant, a_watching(unit, BELA, covers=own.id, valid_to=LATER)).watch

    relief = write(tenant, a_watching(unit, CHARU, valid_from=SOON))

    assert [(each.id, each.valid_to) for each in relief.ended] == [(own.id, SOON), (cover.id, SOON)]


def test_a_monitor_holds_the_office_when_the_watch_begins(tenant: Deciding, unit: str) -> None:
    refused = refusal(tenant, partial(write, tenant, a_watching(unit, DIPA)))
    early = a_watching(unit, ASHA, valid_from=BEGINNING - DAY)

    assert isinstance(refused, NotAMonitor)
    assert refused.fields() == {"person_id": DIPA.id, "at": BEGINNING.isoformat()}
    assert isinstance(refusal(tenant, partial(write, tenant, early)), NotAMonitor)


def test_what_is_not_there_is_not_found(tenant: Deciding, unit: str) -> None:
    erased = replace(a_person(5), erased_at=BEGINNING)
    tenant.put(erased)

    for request, kind in (
        (a_watching("nowhere", ASHA), UnitNotFound),
        (a_watching(unit, a_person(9)), PersonNotFound),
        (a_watching(unit, erased), PersonErased),
        (a_watching(unit, ASHA, covers=WatchId("none"), valid_to=SOON), WatchNotFound),
    ):
        assert isinstance(refusal(tenant, partial(write, tenant, request)), kind)


def test_a_cover_is_of_the_same_unit(tenant: Deciding, unit: str) -> None:
    other = write(tenant, a_watching(tenant.unit("district", "AJM").id, ASHA)).watch
    request = a_watching(unit, BELA, covers=other.id, valid_to=SOON)

    assert isinstance(refusal(tenant, partial(write, tenant, request)), WatchNotFound)


def test_what_a_cover_may_be(tenant: Deciding, unit: str) -> None:
    own = write(tenant, a_watching(unit, ASHA, valid_to=LATER)).watch
    cover = write(tenant, a_watching(unit, BELA, covers=own.id, valid_to=SOON)).watch

    def of(watch: Watch, person: Person, **span: datetime) -> tuple[str, str]:
        return fault(tenant, a_watching(unit, person, covers=watch.id, **span))

    assert of(cover, CHARU, valid_to=SOON) == ("covers_watch_id", "COVERS_A_COVER")
    assert of(own, ASHA, valid_to=SOON) == ("person_id", "COVERS_THEMSELF")
    assert of(own, CHARU) == ("valid_to", "MISSING")
    assert of(own, CHARU, valid_to=LATER + DAY) == ("valid_to", "BAD_INTERVAL")
    assert of(own, CHARU, valid_from=SOON, valid_to=SOON) == ("valid_to", "BAD_INTERVAL")
    twice = a_watching(unit, CHARU, covers=own.id, valid_from=BEGINNING + DAY, valid_to=LATER)
    refused = refusal(tenant, partial(write, tenant, twice))
    assert isinstance(refused, AlreadyCovered)
    assert refused.fields() == {"watch_id": cover.id}
    write(tenant, a_watching(unit, CHARU, covers=own.id, valid_from=SOON, valid_to=LATER))


def test_nobody_watches_a_unit_twice_and_plans_are_not_run_over(
    tenant: Deciding, unit: str
) -> None:
    own = write(tenant, a_watching(unit, ASHA, valid_to=SOON)).watch
    planned = write(tenant, a_watching(unit, BELA, valid_from=LATER)).watch

    twice = refusal(tenant, partial(write, tenant, a_watching(unit, ASHA, valid_to=SOON)))
    over = refusal(tenant, partial(write, tenant, a_watching(unit, CHARU)))

    assert isinstance(twice, AlreadyWatching)
    assert twice.fields() == {"watch_id": own.id}
    assert isinstance(over, WatchPlanned)
    assert over.fields() == {"watch_id": planned.id, "begins_at": LATER.isoformat()}
    write(tenant, a_watching(unit, CHARU, valid_from=SOON, valid_to=LATER))


def test_ending_ends_the_covers_too(tenant: Deciding, unit: str) -> None:
    own = write(tenant, a_watching(unit, ASHA)).watch
    cover = write(tenant, a_watching(unit, BELA, covers=own.id, valid_to=LATER)).watch
    tenant.told, tenant.now = [], BEGINNING + DAY

    ended = end(tenant, own.id)

    assert ended == replace(own, valid_to=tenant.now, revision=2)
    assert tenant.told == [
        WatchesChanged(
            tuple(
                WatchChange(each.id, each.person_id, each.unit_id, tenant.now)
                for each in (own, cover)
            )
        )
    ]


def test_an_end_is_not_moved_back_nor_before_the_beginning(tenant: Deciding, unit: str) -> None:
    watch = write(tenant, a_watching(unit, ASHA, valid_to=LATER)).watch

    refused = refusal(tenant, partial(end, tenant, watch.id, LATER + DAY))

    assert isinstance(refused, WatchEnded)
    assert refused.fields() == {"watch_id": watch.id, "ended_at": LATER.isoformat()}
    assert end(tenant, watch.id, LATER) == watch
    early = refusal(tenant, partial(end, tenant, watch.id, BEGINNING - DAY))
    assert isinstance(early, InvalidInput)
    assert [each.reason for each in early.violations] == ["BAD_INTERVAL"]
    assert isinstance(refusal(tenant, partial(end, tenant, "none")), WatchNotFound)
