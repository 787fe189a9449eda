"""What pages of rows decide: the rules of the single calls, for many at once."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

import pytest

from services.hierarchy.domain.areas import Area, AreaLink
from services.hierarchy.domain.errors import BlueprintNotFound, QuotaExceeded
from services.hierarchy.domain.events import AccessChanged, AppointmentsChanged, WatchesChanged
from services.hierarchy.domain.model import UnitId, UnitKey
from services.hierarchy.domain.operations import Moment, Steps
from services.hierarchy.domain.people import Appointment, Person
from services.hierarchy.domain.people_errors import SecretsChanged
from services.hierarchy.domain.teams import Membership, Team, TeamId, Watch
from services.hierarchy.domain.transfers import (
    NOBODY,
    AppointmentRow,
    AreaRow,
    Numbers,
    PageReport,
    PersonRef,
    PersonRow,
    Rights,
    Row,
    TeamRow,
    decide_appointment_rows,
    decide_area_rows,
    decide_person_rows,
    decide_team_rows,
    phones_of,
)
from services.hierarchy.domain.watch_changes import decide_assign_watch
from tests.builders_hierarchy import a_small_tree, an_id, text
from tests.builders_people import DAY, a_person, a_staffed_blueprint, a_watching, some_keys
from tests.unit.hierarchy.deciding import Deciding, only

JPR, AJM, RJ, M1, B1 = (
    UnitKey("district", "JPR"),
    UnitKey("district", "AJM"),
    UnitKey("state", "RJ"),
    UnitKey("mandal", "M1"),
    UnitKey("booth", "B1"),
)
ASHA, BELA = a_person(1), a_person(2)
ANYWHERE = Rights(lambda _: True, lambda _: True)
PHONE = "+919876500001"


@pytest.fixture
def tenant() -> Deciding:
    tenant = Deciding()
    tenant.start(*a_small_tree(), blueprint=a_staffed_blueprint())
    tenant.put(ASHA, BELA)
    tenant.told = []
    return tenant


def ref(
    person: Person | None = None, *, of: str = "", phone: str = "", name: str = ""
) -> PersonRef:
    return PersonRef(person.id if person else of, phone, text(name) if name else None)


def an_office(
    unit: UnitKey,
    position: str,
    person: PersonRef,
    valid_from: datetime | None = None,
    valid_to: datetime | None = None,
    *,
    verified_at: datetime | None = None,
) -> AppointmentRow:
    return AppointmentRow(0, unit, position, person, valid_from, valid_to, verified_at)


def a_member(
    person: PersonRef,
    unit: UnitKey = JPR,
    *,
    name: str = "Cell",
    role: str = "lead",
    kind: str = "it_cell",
    hindi: str = "",
) -> TeamRow:
    return TeamRow(0, unit, kind, text(name, hindi), person, role)


def an_area(code: str, *units: UnitKey, name: str = "Area", sets: bool = True) -> AreaRow:
    return AreaRow(0, "polling_area", code, text(name), units if sets else None)


def numbers(rows: Sequence[Row]) -> Numbers:
    """Under the secrets of a tenant that has none yet."""
    none: frozenset[int] = frozenset()
    return Numbers.read(phones_of(rows), some_keys(), (none, none), lambda: bytes(12))


def put(tenant: Deciding, *rows: Row, rights: Rights = ANYWHERE) -> PageReport:
    """Write a page whose first row is row 2."""
    page = [replace(row, row=line) for line, row in enumerate(rows, start=2)]
    before = dict(tenant.records), tenant.header
    report = tenant.write(_decide(page, rights))
    assert report.row_count == len(rows)
    if report.error_count:
        assert before == (tenant.records, tenant.header)
        assert report.created_count + report.updated_count + report.unchanged_count == 0
    else:
        assert report.created_count + report.updated_count + report.unchanged_count == len(rows)
    return report


def _decide(page: Any, rights: Rights) -> Callable[[Moment], Steps[PageReport]]:
    match page[0]:
        case AreaRow():
            return partial(decide_area_rows, page)
        case PersonRow():
            return partial(decide_person_rows, page, numbers(page))
        case AppointmentRow():
            return partial(decide_appointment_rows, page, numbers(page), rights)
        case _:
            return partial(decide_team_rows, page, numbers(page), rights)


def wrong(tenant: Deciding, *rows: Row, rights: Rights = ANYWHERE) -> list[tuple[int, str, str]]:
    """Row, field and reason of all that is wrong with a page."""
    report = put(tenant, *rows, rights=rights)
    assert report.error_count == len(report.errors) > 0
    return [(each.row, each.field, each.reason) for each in report.errors]


def counts(report: PageReport) -> tuple[int, int, int]:
    assert report.errors == ()
    return report.created_count, report.updated_count, report.unchanged_count


class TestPersons:
    def test_persons_are_made_found_and_changed(self, tenant: Deciding) -> None:
        new = PersonRow(0, ref(of=an_id("person", 9), phone=PHONE, name="Charu"), "charu")
        old = PersonRow(0, ref(ASHA, name="Asha Devi"), "")

        assert counts(put(tenant, new, old)) == (1, 1, 0)

        charu = only(each for each in tenant.all(Person) if each.id == an_id("person", 9))
        assert charu.phone is not None
        assert (charu.names, charu.subject, charu.phone.masked) == (
            text("Charu"), "charu", "+91 ••••••0001",
        )  # fmt: skip
        assert tenant.header.counts.persons == 1
        assert tenant.told == [AccessChanged(tenant.header.access_version)]
        assert tenant.records[Person, ASHA.id] == replace(ASHA, names=text("Asha Devi"), revision=2)

    def test_the_same_again_changes_nothing(self, tenant: Deciding) -> None:
        rows = [
            PersonRow(0, ref(phone=PHONE, name="Charu"), "charu"),
            PersonRow(0, ref(name="Only a login"), "login"),
            PersonRow(0, ref(ASHA), ""),
        ]
        put(tenant, *rows)
        before = dict(tenant.records), tenant.header

        assert counts(put(tenant, *rows)) == (0, 0, 3)

        assert before == (tenant.records, tenant.header)

    def test_what_is_empty_stays(self, tenant: Deciding) -> None:
        put(tenant, PersonRow(0, ref(ASHA, phone=PHONE), "asha"))
        before = tenant.records[Person, ASHA.id]

        assert counts(put(tenant, PersonRow(0, ref(phone=PHONE), ""))) == (0, 0, 1)
        assert counts(put(tenant, PersonRow(0, ref(), "asha"))) == (0, 0, 1)

        assert tenant.records[Person, ASHA.id] == before

    def test_a_number_and_a_login_are_one_persons_also_within_a_page(
        self, tenant: Deciding
    ) -> None:
        put(tenant, PersonRow(0, ref(ASHA, phone=PHONE), "asha"))

        assert wrong(
            tenant,
            PersonRow(0, ref(BELA, phone=PHONE), ""),
            PersonRow(0, ref(BELA), "asha"),
            PersonRow(0, ref(of=an_id("person", 8), phone="+919876500002", name="Dev"), "dev"),
            PersonRow(0, ref(of=an_id("person", 9), phone="+919876500002", name="Esha"), ""),
            PersonRow(0, ref(of=an_id("person", 9), name="Esha"), "dev"),
        ) == [
            (2, "phone", "PHONE_IN_USE"),
            (3, "subject", "SUBJECT_IN_USE"),
            (5, "phone", "PHONE_IN_USE"),
            (6, "subject", "SUBJECT_IN_USE"),
        ]

    def test_all_that_is_wrong_is_told_by_row(self, tenant: Deciding) -> None:
        tenant.put(replace(BELA, names=None, erased_at=tenant.now))

        assert wrong(
            tenant,
            PersonRow(0, ref(of="7", phone="98765", name=" "), " x"),
            PersonRow(0, ref(phone=PHONE), ""),
            PersonRow(0, ref(BELA, name="Bela"), ""),
            PersonRow(0, ref(), ""),
        ) == [
            (2, "id", "BAD_ID"),
            (2, "phone", "BAD_PHONE"),
            (2, "names.en", "MISSING"),
            (2, "subject", "BAD_SUBJECT"),
            (3, "names.en", "MISSING"),
            (4, "id", "PERSON_ERASED"),
            (5, "", "MISSING"),
        ]

    def test_a_quota_and_a_rotation_refuse_the_whole_page(self, tenant: Deciding) -> None:
        tenant.quota(persons=1)
        rows = [PersonRow(0, ref(phone=f"+91987650000{each}", name="X"), "") for each in (1, 2)]

        with pytest.raises(QuotaExceeded):
            put(tenant, *rows)
        versions = (frozenset({1}), frozenset({1}))
        sealed = Numbers.read([PHONE], some_keys(), versions, lambda: bytes(12))
        with pytest.raises(SecretsChanged):
            tenant.decide(partial(decide_person_rows, rows, sealed))


class TestAppointments:
    def test_offices_are_given_and_their_holders_made(self, tenant: Deciding) -> None:
        begins = tenant.now - 9 * DAY
        rows = [
            an_office(JPR, "secretary", ref(ASHA), begins, verified_at=tenant.now - DAY),
            an_office(JPR, "secretary", ref(phone=PHONE, name="Charu")),
            an_office(M1, "secretary", ref(phone=PHONE, name="Charu again"), begins, begins + DAY),
        ]
        before = tenant.header

        assert counts(put(tenant, *rows)) == (3, 0, 0)

        charu = only(each for each in tenant.all(Person) if each not in (ASHA, BELA))
        assert charu.names == text("Charu")
        held = tenant.all(Appointment)
        assert [
            (x.person_id, x.valid_from, x.valid_to, x.verified_at, x.revision) for x in held
        ] == [
            (ASHA.id, begins, None, tenant.now - DAY, 1),
            (charu.id, tenant.now, None, None, 1),
            (charu.id, begins, begins + DAY, None, 1),
        ]
        counted = tenant.header.counts
        assert (counted.appointments, counted.persons) == (3, 1)
        assert tenant.header.access_version == before.access_version + 1
        first, last = tenant.told
        assert isinstance(first, AppointmentsChanged)
        assert [each.appointment_id for each in first.changes] == [each.id for each in held]
        assert last == AccessChanged(tenant.header.access_version)

    def test_the_same_again_changes_nothing(self, tenant: Deciding) -> None:
        rows = [
            an_office(JPR, "secretary", ref(ASHA), tenant.now - DAY),
            an_office(JPR, "secretary", ref(phone=PHONE, name="Charu")),
        ]
        put(tenant, *rows)
        before = dict(tenant.records), tenant.header
        tenant.now += DAY

        assert counts(put(tenant, *rows)) == (0, 0, 2)

        assert before == (tenant.records, tenant.header)

    def test_an_end_and_a_look_are_changes_and_only_an_end_one_of_access(
        self, tenant: Deciding
    ) -> None:
        begins = tenant.now - 9 * DAY
        put(tenant, an_office(JPR, "secretary", ref(ASHA), begins))
        first = only(tenant.all(Appointment))
        version = tenant.header.access_version

        seen = an_office(JPR, "secretary", ref(ASHA), begins, verified_at=tenant.now)
        assert counts(put(tenant, seen)) == (0, 1, 0)
        looked = replace(first, verified_at=tenant.now, revision=2)
        assert only(tenant.all(Appointment)) == looked
        assert tenant.header.access_version == version

        ended = an_office(JPR, "secretary", ref(ASHA), begins, begins + DAY)
        assert counts(put(tenant, ended)) == (0, 1, 0)
        assert only(tenant.all(Appointment)) == replace(looked, valid_to=begins + DAY, revision=3)
        assert tenant.header.access_version == version + 1
        assert tenant.header.counts.appointments == 1

    def test_seats_are_counted_over_what_stands_and_what_rows_put(self, tenant: Deciding) -> None:
        put(tenant, an_office(JPR, "secretary", ref(ASHA), tenant.now))

        assert wrong(
            tenant,
            an_office(JPR, "secretary", ref(phone=PHONE, name="Charu"), tenant.now),
            an_office(JPR, "secretary", ref(BELA), tenant.now + DAY),
            an_office(JPR, "secretary", ref(ASHA), tenant.now + DAY),
        ) == [(3, "position", "SEATS_TAKEN"), (4, "person", "ALREADY_APPOINTED")]

    def test_a_longer_tenure_needs_a_free_seat(self, tenant: Deciding) -> None:
        begins = tenant.now
        put(
            tenant,
            an_office(JPR, "district_convenor", ref(ASHA), begins, begins + DAY),
            an_office(JPR, "district_convenor", ref(BELA), begins + DAY),
        )

        longer = an_office(JPR, "district_convenor", ref(ASHA), begins, begins + 2 * DAY)
        assert wrong(tenant, longer) == [(2, "position", "SEATS_TAKEN")]

    def test_who_is_no_monitor_any_more_watches_nothing_any_more(self, tenant: Deciding) -> None:
        begins = tenant.now - DAY
        put(tenant, an_office(RJ, "monitor", ref(ASHA), begins))
        tenant.write(partial(decide_assign_watch, a_watching(tenant.unit(*JPR).id, ASHA)))
        tenant.told = []
        ends = tenant.now + DAY

        put(tenant, an_office(RJ, "monitor", ref(ASHA), begins, ends))

        assert only(tenant.all(Watch)).valid_to == ends
        assert [type(each) for each in tenant.told] == [
            AppointmentsChanged, WatchesChanged, AccessChanged,
        ]  # fmt: skip

    def test_who_goes_on_as_a_monitor_elsewhere_watches_on(self, tenant: Deciding) -> None:
        begins, ends = tenant.now - DAY, tenant.now + DAY
        put(tenant, an_office(RJ, "monitor", ref(ASHA), begins))
        tenant.write(partial(decide_assign_watch, a_watching(tenant.unit(*JPR).id, ASHA)))

        put(
            tenant,
            an_office(RJ, "monitor", ref(ASHA), begins, ends),
            an_office(RJ, "monitor", ref(ASHA), ends),
        )

        assert only(tenant.all(Watch)).valid_to is None

    def test_all_that_is_wrong_is_told_by_row(self, tenant: Deciding) -> None:
        begins = tenant.now
        tenant.put(replace(BELA, names=None, erased_at=tenant.now))

        assert wrong(
            tenant,
            an_office(UnitKey("", "?"), "", ref(of="7", phone="1")),
            an_office(UnitKey("district", "XXX"), "secretary", ref(ASHA)),
            an_office(JPR, "president", ref(ASHA)),
            an_office(JPR, "gardener", ref(ASHA)),
            an_office(JPR, "secretary", ref()),
            an_office(JPR, "secretary", ref(BELA)),
            an_office(JPR, "secretary", ref(of=an_id("person", 9))),
            an_office(JPR, "secretary", ref(phone=PHONE)),
            an_office(JPR, "secretary", ref(ASHA), begins, begins),
            an_office(JPR, "secretary", ref(ASHA), verified_at=tenant.now + DAY),
        ) == [
            (2, "unit.level", "MISSING"),
            (2, "unit.code", "BAD_CODE"),
            (2, "position", "MISSING"),
            (2, "person.id", "BAD_ID"),
            (2, "person.phone", "BAD_PHONE"),
            (3, "unit.code", "UNKNOWN_UNIT"),
            (4, "position", "POSITION_NOT_AT_LEVEL"),
            (5, "position", "UNKNOWN_POSITION"),
            (6, "person.phone", "MISSING"),
            (7, "person.id", "PERSON_ERASED"),
            (8, "person.id", "PERSON_NOT_FOUND"),
            (9, "person.names.en", "MISSING"),
            (10, "valid_to", "BAD_INTERVAL"),
            (11, "verified_at", "IN_FUTURE"),
        ]

    def test_units_out_of_sight_are_unknown_and_others_not_allowed(self, tenant: Deciding) -> None:
        seen = {tenant.unit(*each).id for each in (JPR, AJM)}
        mine = tenant.unit(*JPR).id
        rights = Rights(seen.__contains__, lambda unit: unit == mine)

        assert wrong(
            tenant,
            an_office(JPR, "secretary", ref(ASHA)),
            an_office(AJM, "secretary", ref(ASHA)),
            an_office(M1, "secretary", ref(ASHA)),
            rights=rights,
        ) == [(3, "unit.code", "NOT_ALLOWED"), (4, "unit.code", "UNKNOWN_UNIT")]

    def test_nobody_elses_number_beside_an_id(self, tenant: Deciding) -> None:
        put(tenant, PersonRow(0, ref(ASHA, phone=PHONE), ""))

        found = wrong(tenant, an_office(JPR, "secretary", ref(BELA, phone=PHONE)))

        assert found == [(2, "person.phone", "PHONE_IN_USE")]

    @pytest.mark.parametrize("quota", ["persons", "appointments"])
    def test_a_quota_refuses_the_whole_page(self, tenant: Deciding, quota: str) -> None:
        tenant.quota(**{quota: 1})
        rows = [
            an_office(JPR, "secretary", ref(phone=f"+91987650000{each}", name="X"))
            for each in (1, 2)
        ]

        with pytest.raises(QuotaExceeded):
            put(tenant, *rows)

        assert tenant.all(Appointment) == []

    def test_before_the_blueprint_there_are_no_offices(self) -> None:
        with pytest.raises(BlueprintNotFound):
            put(Deciding(), an_office(JPR, "secretary", ref(ASHA)))


class TestTeams:
    def test_a_team_has_the_members_of_its_rows(self, tenant: Deciding) -> None:
        first = [a_member(ref(ASHA)), a_member(ref(phone=PHONE, name="Charu"), role="member")]

        assert counts(put(tenant, *first)) == (2, 0, 0)

        team = only(tenant.all(Team))
        assert (team.kind, team.names, team.revision) == ("it_cell", text("Cell"), 1)
        assert tenant.header.used_team_kinds == {"it_cell/district": 1}
        assert counts(put(tenant, *first)) == (0, 0, 2)
        assert only(tenant.all(Team)).revision == 1

        tenant.now += DAY
        assert counts(put(tenant, a_member(ref(BELA)), a_member(ref(ASHA)))) == (0, 2, 0)
        assert only(tenant.all(Team)).revision == 2
        assert sorted(x.person_id for x in tenant.all(Membership) if x.valid_to is None) == sorted(
            [ASHA.id, BELA.id]
        )
        assert tenant.header.used_team_kinds == {"it_cell/district": 1}

    def test_a_team_may_have_nobody_and_other_names_make_another(self, tenant: Deciding) -> None:
        put(tenant, a_member(ref(ASHA)))

        report = put(tenant, a_member(NOBODY, role=""), a_member(NOBODY, name="Other", role=""))

        assert counts(report) == (1, 1, 0)
        assert only(tenant.all(Membership)).valid_to == tenant.now
        assert tenant.header.used_team_kinds == {"it_cell/district": 2}

    def test_all_that_is_wrong_is_told_by_row(self, tenant: Deciding) -> None:
        assert wrong(
            tenant,
            a_member(ref(ASHA), UnitKey("", ""), name=" ", kind="It", role="Lead"),
            a_member(ref(ASHA), name="No role", role=""),
            a_member(NOBODY, name="No person", role="lead"),
            a_member(ref(ASHA), name="Twice"),
            a_member(ref(ASHA), name="Twice", role="member"),
            a_member(ref(ASHA), name="Names"),
            a_member(ref(BELA), name="Names", hindi="नाम"),
            a_member(ref(ASHA), RJ),
            a_member(ref(ASHA), kind="choir"),
            a_member(ref(phone="+919876500002", name="D"), name="Full"),
            a_member(ref(ASHA), name="Full"),
            a_member(ref(BELA), name="Full"),
        ) == [
            (2, "unit.level", "MISSING"),
            (2, "unit.code", "MISSING"),
            (2, "kind", "BAD_KEY"),
            (2, "names.en", "MISSING"),
            (2, "role", "BAD_KEY"),
            (3, "role", "MISSING"),
            (4, "role", "CONTRADICTION"),
            (6, "person", "DUPLICATE_MEMBER"),
            (8, "names", "NAMES_DIFFER"),
            (9, "kind", "TEAM_KIND_NOT_AT_LEVEL"),
            (10, "kind", "UNKNOWN_TEAM_KIND"),
            (11, "person", "TOO_MANY"),
        ]

    def test_units_are_those_that_the_caller_may_change(self, tenant: Deciding) -> None:
        rights = Rights(lambda _: True, lambda unit: unit == tenant.unit(*JPR).id)

        found = wrong(tenant, a_member(ref(ASHA)), a_member(ref(ASHA), AJM), rights=rights)

        assert found == [(3, "unit.code", "NOT_ALLOWED")]

    def test_two_teams_of_one_name_cannot_be_told_apart(self, tenant: Deciding) -> None:
        put(tenant, a_member(ref(ASHA)))
        team = only(tenant.all(Team))
        tenant.put(replace(team, id=TeamId(an_id("team", 2))))

        assert wrong(tenant, a_member(ref(ASHA))) == [(2, "names.en", "AMBIGUOUS_TEAM")]


class TestAreas:
    def test_areas_are_made_renamed_and_filled(self, tenant: Deciding) -> None:
        report = put(tenant, an_area("1", JPR, AJM), an_area("2"))

        assert counts(report) == (2, 0, 0)
        assert tenant.header.counts.areas == 2
        jpr, ajm = tenant.unit(*JPR).id, tenant.unit(*AJM).id
        assert _inside(tenant, "1") == {jpr, ajm}

        again = [an_area("1", sets=False, name="New"), an_area("2", AJM)]
        assert counts(put(tenant, *again)) == (0, 2, 0)
        assert _inside(tenant, "1") == {jpr, ajm}
        assert _inside(tenant, "2") == {ajm}
        assert counts(put(tenant, *again)) == (0, 0, 2)

        assert counts(put(tenant, an_area("1", JPR, name="New"))) == (0, 1, 0)
        assert _inside(tenant, "1") == {jpr}

    def test_all_that_is_wrong_is_told_by_row(self, tenant: Deciding) -> None:
        assert wrong(
            tenant,
            an_area("1"),
            an_area("1", name=" "),
            an_area("?", UnitKey("district", "XXX")),
        ) == [
            (3, "names.en", "MISSING"),
            (3, "code", "DUPLICATE_CODE"),
            (4, "code", "BAD_CODE"),
            (4, "units[0]", "UNKNOWN_UNIT"),
        ]


def _inside(tenant: Deciding, code: str) -> set[UnitId]:
    area = only(each for each in tenant.all(Area) if each.code == code)
    return {
        each.unit_id
        for each in tenant.all(AreaLink)
        if each.area_id == area.id and each.valid_to is None
    }


def test_errors_are_counted_all_and_told_in_part(tenant: Deciding) -> None:
    rows = [an_office(JPR, "gardener", ref(ASHA)) for _ in range(1_500)]

    report = tenant.decide(partial(decide_appointment_rows, rows, Numbers(), ANYWHERE)).answer

    assert (report.error_count, len(report.errors)) == (1_500, 1_000)
