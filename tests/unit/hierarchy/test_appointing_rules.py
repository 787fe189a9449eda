"""What appointing, ending and verifying decide."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.errors import ChaupalError, InvalidInput
from services.hierarchy.domain.appointing import (
    EndAppointments,
    VerifyAppointments,
    decide_appoint,
    decide_end_appointments,
    decide_verify_appointments,
)
from services.hierarchy.domain.errors import QuotaExceeded, UnitNotFound
from services.hierarchy.domain.events import (
    AccessChanged,
    AppointmentChange,
    AppointmentsChanged,
    WatchChange,
    WatchesChanged,
)
from services.hierarchy.domain.operations import Moment, Steps
from services.hierarchy.domain.people import Appointment, AppointmentId, Person, Verification
from services.hierarchy.domain.people_errors import (
    AlreadyAppointed,
    AppointmentEnded,
    AppointmentNotFound,
    AppointmentNotInForce,
    PersonErased,
    PersonNotFound,
    SeatsTaken,
)
from services.hierarchy.domain.teams import Watch
from services.hierarchy.domain.watch_changes import decide_assign_watch
from tests.builders_hierarchy import BEGINNING, a_request_id, a_small_tree
from tests.builders_people import DAY, a_person, a_staffed_blueprint, a_watching, an_appointing
from tests.unit.hierarchy.deciding import Deciding, only

ASHA, BELA, CHARU = a_person(1), a_person(2), a_person(3)


@pytest.fixture
def tenant() -> Deciding:
    return a_tenant()


def a_tenant() -> Deciding:
    tenant = Deciding()
    tenant.start(*a_small_tree(), blueprint=a_staffed_blueprint())
    tenant.put(ASHA, BELA, CHARU)
    tenant.told = []
    return tenant


def appoint(  # noqa: PLR0917  # read as a sentence
    tenant: Deciding,
    level: str,
    code: str,
    position: str,
    person: Person = ASHA,
    begins: datetime | None = None,
    ends: datetime | None = None,
) -> Appointment:
    unit = tenant.unit(level, code)
    return tenant.write(
        partial(decide_appoint, an_appointing(unit.id, position, person, begins, ends))
    )


def end(tenant: Deciding, *ids: str, at: datetime | None = None) -> tuple[Appointment, ...]:
    request = EndAppointments(a_request_id(), tuple(map(AppointmentId, ids)), at)
    return tenant.write(partial(decide_end_appointments, request)).appointments


def verify(tenant: Deciding, *ids: str) -> tuple[Appointment, ...]:
    request = VerifyAppointments(a_request_id(), tuple(map(AppointmentId, ids)))
    return tenant.write(partial(decide_verify_appointments, request)).appointments


def refusal(tenant: Deciding, do: Callable[[], object]) -> ChaupalError:
    before = dict(tenant.records), list(tenant.told), tenant.header
    with pytest.raises(ChaupalError) as refused:
        do()
    assert before == (tenant.records, tenant.told, tenant.header)
    return refused.value


def test_an_appointment_begins_now_is_counted_and_told(tenant: Deciding) -> None:
    version = tenant.header.access_version
    made = appoint(tenant, "district", "JPR", "district_convenor")

    district = tenant.unit("district", "JPR").id
    assert made == Appointment(
        made.id, district, "district_convenor", ASHA.id, BEGINNING, None, None, 1
    )
    assert only(tenant.all(Appointment)) == made
    assert tenant.header.counts.appointments == 1
    assert tenant.told == [
        AppointmentsChanged(
            (AppointmentChange(made.id, ASHA.id, district, "district_convenor", None),)
        ),
        AccessChanged(version + 1),
    ]


@pytest.mark.parametrize(
    ("level", "code", "position", "reason"),
    [
        ("district", "JPR", "treasurer", "UNKNOWN_POSITION"),
        ("mandal", "M1", "district_convenor", "POSITION_NOT_AT_LEVEL"),
    ],
)
def test_a_unit_has_the_positions_of_its_level(
    tenant: Deciding, level: str, code: str, position: str, reason: str
) -> None:
    refused = refusal(tenant, lambda: appoint(tenant, level, code, position))

    assert isinstance(refused, InvalidInput)
    assert [(each.field, each.reason) for each in refused.violations] == [("position", reason)]


def test_unit_and_person_must_be_there(tenant: Deciding) -> None:
    erased = replace(a_person(4), erased_at=BEGINNING)
    tenant.put(erased)
    unit = tenant.unit("state", "RJ").id

    def asked(unit_id: str, person: Person) -> Callable[[Moment], Steps[Appointment]]:
        return partial(decide_appoint, an_appointing(unit_id, "monitor", person))

    for unit_id, person, kind in (
        ("nowhere", ASHA, UnitNotFound),
        (unit, a_person(9), PersonNotFound),
        (unit, erased, PersonErased),
    ):
        decide = asked(unit_id, person)
        assert isinstance(refusal(tenant, partial(tenant.write, decide)), kind)


@pytest.mark.parametrize("days", [0, -1])
def test_a_tenure_ends_after_it_begins(tenant: Deciding, days: int) -> None:
    ends = BEGINNING + days * DAY

    refused = refusal(tenant, lambda: appoint(tenant, "state", "RJ", "monitor", ends=ends))

    assert isinstance(refused, InvalidInput)
    assert [(each.field, each.reason) for each in refused.violations] == [
        ("valid_to", "BAD_INTERVAL")
    ]


def test_seats_are_taken_at_any_instant_of_the_tenure(tenant: Deciding) -> None:
    """Two seats: one is always held, another only for two days in between."""
    later, end_of_it = BEGINNING + 5 * DAY, BEGINNING + 7 * DAY
    appoint(tenant, "mandal", "M1", "secretary", ASHA)
    appoint(tenant, "mandal", "M1", "secretary", BELA, later, end_of_it)

    refused = refusal(tenant, lambda: appoint(tenant, "mandal", "M1", "secretary", CHARU))

    assert isinstance(refused, SeatsTaken)
    assert refused.fields() == {
        "unit_id": tenant.unit("mandal", "M1").id,
        "position": "secretary",
        "seats": "2",
        "at": later.isoformat(),
    }
    appoint(tenant, "mandal", "M1", "secretary", CHARU, ends=later)
    appoint(tenant, "mandal", "M1", "secretary", CHARU, begins=end_of_it)
    appoint(tenant, "mandal", "M2", "secretary", CHARU, begins=later)


def test_a_seat_is_free_once_its_holder_has_ended(tenant: Deciding) -> None:
    first = appoint(tenant, "booth", "B1", "president", ASHA)
    assert isinstance(
        refusal(tenant, lambda: appoint(tenant, "booth", "B1", "president", BELA)), SeatsTaken
    )
    end(tenant, first.id)

    assert appoint(tenant, "booth", "B1", "president", BELA).person_id == BELA.id


def test_no_seats_are_no_limit(tenant: Deciding) -> None:
    for person in (ASHA, BELA, CHARU):
        appoint(tenant, "state", "RJ", "monitor", person)
    assert len(tenant.all(Appointment)) == 3


def test_nobody_holds_an_office_twice_at_a_time(tenant: Deciding) -> None:
    first = appoint(tenant, "state", "RJ", "monitor", ends=BEGINNING + DAY)

    refused = refusal(tenant, lambda: appoint(tenant, "state", "RJ", "monitor"))

    assert isinstance(refused, AlreadyAppointed)
    assert refused.fields() == {"appointment_id": first.id}
    appoint(tenant, "state", "RJ", "monitor", begins=BEGINNING + DAY)
    appoint(tenant, "state", "RJ", "state_convenor")


def test_a_tenant_has_as_many_appointments_as_it_may(tenant: Deciding) -> None:
    tenant.quota(appointments=1)
    first = appoint(tenant, "state", "RJ", "monitor")
    end(tenant, first.id)

    refused = refusal(tenant, lambda: appoint(tenant, "state", "RJ", "monitor"))

    assert isinstance(refused, QuotaExceeded)
    assert refused.fields() == {"quota": "appointments", "limit": "1"}


def test_appointments_end_all_or_none(tenant: Deciding) -> None:
    one = appoint(tenant, "state", "RJ", "monitor", ASHA)
    other = appoint(tenant, "booth", "B1", "president", BELA)
    tenant.told, version, tenant.now = [], tenant.header.access_version, BEGINNING + DAY

    missing = refusal(tenant, lambda: end(tenant, one.id, "nothing"))
    ended = end(tenant, other.id, one.id, other.id)

    assert isinstance(missing, AppointmentNotFound)
    assert [each.id for each in ended] == [other.id, one.id, other.id]
    assert {(each.valid_to, each.revision) for each in ended} == {(tenant.now, 2)}
    (told, access) = tenant.told
    assert isinstance(told, AppointmentsChanged)
    assert [each.ends_at for each in told.changes] == [tenant.now] * 2
    assert access == AccessChanged(version + 1)


def test_an_end_may_be_told_early_moved_forward_and_not_back(tenant: Deciding) -> None:
    made = appoint(tenant, "state", "RJ", "monitor")
    for days in (9, 5):
        assert end(tenant, made.id, at=BEGINNING + days * DAY)[0].valid_to == BEGINNING + days * DAY
    version = tenant.header.access_version

    again = end(tenant, made.id, at=BEGINNING + 5 * DAY)
    refused = refusal(tenant, lambda: end(tenant, made.id, at=BEGINNING + 6 * DAY))

    assert again == (only(tenant.all(Appointment)),)
    assert tenant.header.access_version == version
    assert isinstance(refused, AppointmentEnded)
    assert refused.ended_at == BEGINNING + 5 * DAY


def test_an_end_is_not_before_the_beginning(tenant: Deciding) -> None:
    planned = appoint(tenant, "state", "RJ", "monitor", begins=BEGINNING + DAY)

    refused = refusal(tenant, lambda: end(tenant, planned.id))
    cancelled = end(tenant, planned.id, at=planned.valid_from)

    assert isinstance(refused, InvalidInput)
    assert [each.field for each in refused.violations] == ["valid_to"]
    assert cancelled[0].valid_to == planned.valid_from
    appoint(tenant, "state", "RJ", "monitor")


def test_who_is_no_monitor_any_more_watches_nothing_any_more(tenant: Deciding) -> None:
    desk = appoint(tenant, "state", "RJ", "monitor", ASHA)
    second = appoint(tenant, "state", "RJ", "monitor", ASHA, begins=BEGINNING - 9 * DAY,
                     ends=BEGINNING - 8 * DAY)  # fmt: skip
    appoint(tenant, "state", "RJ", "monitor", BELA)
    other_desk = appoint(tenant, "state", "RJ", "state_convenor", ASHA)
    unit = tenant.unit("district", "JPR").id
    own = tenant.write(partial(decide_assign_watch, a_watching(unit, ASHA))).watch
    cover = tenant.write(
        partial(
            decide_assign_watch,
            a_watching(unit, BELA, covers=own.id, valid_to=BEGINNING + 9 * DAY),
        )
    ).watch
    tenant.told, tenant.now = [], BEGINNING + DAY

    end(tenant, other_desk.id)
    assert {each.valid_to for each in tenant.all(Watch)} == {None, BEGINNING + 9 * DAY}
    tenant.told = []
    end(tenant, desk.id)

    assert second.valid_to == BEGINNING - 8 * DAY
    assert {each.valid_to for each in tenant.all(Watch)} == {tenant.now}
    assert (
        WatchesChanged(
            (
                WatchChange(own.id, ASHA.id, unit, tenant.now),
                WatchChange(cover.id, BELA.id, unit, tenant.now),
            )
        )
        in tenant.told
    )


def test_verifying_notes_the_instant_and_changes_no_rights(tenant: Deciding) -> None:
    made = appoint(tenant, "state", "RJ", "monitor")
    tenant.told, header, tenant.now = [], tenant.header, BEGINNING + DAY
    good_for = 30 * DAY
    assert made.verification(tenant.now, good_for) is Verification.UNVERIFIED

    (verified,) = verify(tenant, made.id)

    assert verified == replace(made, verified_at=tenant.now, revision=2)
    assert verified.verification(tenant.now + good_for / 2, good_for) is Verification.VERIFIED
    assert verified.verification(tenant.now + good_for, good_for) is Verification.STALE
    assert tenant.header == header
    assert [type(each) for each in tenant.told] == [AppointmentsChanged]


def test_only_what_is_in_force_is_found_true(tenant: Deciding) -> None:
    ended = appoint(tenant, "state", "RJ", "monitor", ends=BEGINNING + DAY)
    planned = appoint(tenant, "state", "RJ", "state_convenor", begins=BEGINNING + 3 * DAY)
    tenant.now = BEGINNING + DAY

    for each in (ended, planned):
        refused = refusal(tenant, partial(verify, tenant, each.id))
        assert isinstance(refused, AppointmentNotInForce)
        assert refused.fields() == {"appointment_id": each.id}
    assert isinstance(refusal(tenant, lambda: verify(tenant, "nothing")), AppointmentNotFound)


def test_a_large_change_is_told_in_several_events() -> None:
    tenant = a_tenant()
    persons = [a_person(number) for number in range(10, 613)]
    tenant.put(*persons)
    ids = [appoint(tenant, "state", "RJ", "monitor", each).id for each in persons]
    tenant.told = []

    end(tenant, *ids)

    sizes = [len(each.changes) for each in tenant.told if isinstance(each, AppointmentsChanged)]
    assert sizes == [500, 103]
    assert len([each for each in tenant.told if isinstance(each, AccessChanged)]) == 1


@given(
    tenures=st.lists(
        st.tuples(st.integers(0, 12), st.one_of(st.none(), st.integers(1, 12))), max_size=12
    )
)
def test_never_more_than_the_seats_hold_an_office(tenures: list[tuple[int, int | None]]) -> None:
    """Against a count at each of the days."""
    tenant = a_tenant()
    days = [0] * 26
    for number, (begins, length) in enumerate(tenures):
        person = a_person(100 + number)
        tenant.put(person)
        last = 26 if length is None else begins + length
        fits = all(days[day] < 2 for day in range(begins, last))
        ends = None if length is None else BEGINNING + last * DAY
        try:
            appoint(tenant, "mandal", "M1", "secretary", person, BEGINNING + begins * DAY, ends)
        except SeatsTaken:
            assert not fits
        else:
            assert fits
            for day in range(begins, last):
                days[day] += 1
