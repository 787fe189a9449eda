"""Rows over gRPC: pages that are one write each, who may, and what is read out again."""

import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from chaupal.hierarchy.v1 import transfers_pb2 as pb
from google.protobuf.timestamp_pb2 import Timestamp

from kit.channel import translate_rpc_errors
from kit.errors import Conflict, Forbidden, InvalidInput, NotFound
from services.hierarchy.domain.model import UnitKey
from services.hierarchy.domain.people import Appointment, Person
from services.hierarchy.domain.teams import Membership
from services.hierarchy.domain.transfers import (
    NOBODY,
    AppointmentRow,
    AreaRow,
    PersonRef,
    PersonRow,
    RowKind,
    TeamRow,
)
from services.hierarchy.translate.values import timestamp
from tests.builders_hierarchy import BEGINNING, a_request_id, a_small_tree, an_id, text
from tests.hierarchy_server import Caller, a_caller
from tests.transfers import Transfers, a_page, transferring

JPR, AJM, M1 = UnitKey("district", "JPR"), UnitKey("district", "AJM"), UnitKey("mandal", "M1")
PHONE = "+919876500001"
APPOINTMENTS, PERSONS, TEAMS, AREAS = (
    RowKind.APPOINTMENTS,
    RowKind.PERSONS,
    RowKind.TEAMS,
    RowKind.AREAS,
)


@pytest.fixture
async def transfers(tmp_path: Path) -> AsyncIterator[Transfers]:
    async with transferring(tmp_path) as server:
        await server.hierarchy.import_rows(*a_small_tree())
        yield server


def a_ref(number: int = 1, *, phone: str = "") -> PersonRef:
    return PersonRef(an_id("person", number), phone, text(f"Person {number}"))


def a_person_row(number: int = 1, *, phone: str = "", subject: str = "") -> PersonRow:
    return PersonRow(number + 1, a_ref(number, phone=phone), subject)


def an_office(
    number: int = 1, unit: UnitKey = JPR, position: str = "secretary", *, row: int = 0
) -> AppointmentRow:
    return AppointmentRow(row, unit, position, a_ref(number), BEGINNING, None, None)


def a_header(kind: RowKind, /, **fields: Any) -> pb.ImportRowsRequest:
    number = pb.RowKind.Value(f"ROW_KIND_{kind.name}")
    header = {"request_id": a_request_id(), "kind": number, **fields}
    return pb.ImportRowsRequest(header=pb.ImportRowsHeader(**header))


def in_page(*rows: Any) -> pb.ImportRowsRequest:
    return pb.ImportRowsRequest(page=a_page(rows))


async def everything(transfers: Transfers) -> tuple[object, ...]:
    return await transfers.header(), await transfers.graph()


class TestPages:
    async def test_each_page_is_answered_and_the_report_is_of_all(
        self, transfers: Transfers
    ) -> None:
        header = a_header(PERSONS)
        pages = [in_page(a_person_row(1), a_person_row(2)), in_page(a_person_row(3))]

        progress, report = await transfers.send(header, *pages)

        assert [(each.row_count, each.error_count) for each in progress] == [(2, 0), (3, 0)]
        assert report == pb.RowsReport(
            row_count=3, created_count=3, applied_row_count=3, applied=True
        )
        assert (await transfers.header()).counts.persons == 3

    async def test_the_same_messages_again_change_nothing_and_answer_the_same(
        self, transfers: Transfers
    ) -> None:
        messages = [a_header(APPOINTMENTS), in_page(an_office(1)), in_page(an_office(2))]
        # Cut off after the first page.
        await transfers.send(*messages[:2])
        _, report = await transfers.send(*messages)
        before = await everything(transfers)

        _, again = await transfers.send(*messages)

        assert again == report
        assert (report.created_count, report.applied) == (2, True)
        assert await everything(transfers) == before

    async def test_other_rows_under_the_same_id_are_refused(self, transfers: Transfers) -> None:
        header = a_header(PERSONS)
        first = a_person_row(1, phone=PHONE)
        await transfers.send(header, in_page(first))
        before = await everything(transfers)

        other = replace(first, person=replace(first.person, phone="+919876500002"))
        with pytest.raises(Conflict) as refused:
            await transfers.send(header, in_page(other))

        assert refused.value.reason == "REQUEST_ID_REUSED"
        assert await everything(transfers) == before

    async def test_a_wrong_page_changes_nothing_and_later_ones_are_only_checked(
        self, transfers: Transfers
    ) -> None:
        wrong = replace(an_office(9, row=7), position="gardener")

        progress, report = await transfers.send(
            a_header(APPOINTMENTS),
            in_page(an_office(1, row=2)),
            in_page(an_office(2, AJM, row=3), wrong),
            in_page(an_office(3, M1, row=4), replace(wrong, row=8)),
        )

        assert [(each.row_count, each.error_count) for each in progress] == [(1, 0), (3, 1), (5, 2)]
        assert [(each.row, each.field, each.reason) for each in report.errors] == [
            (7, "position", "UNKNOWN_POSITION"),
            (8, "position", "UNKNOWN_POSITION"),
        ]
        assert (report.row_count, report.error_count) == (5, 2)
        assert (report.created_count, report.applied_row_count, report.applied) == (1, 1, True)
        assert (await transfers.header()).counts.appointments == 1

    async def test_a_trial_changes_nothing_and_says_what_would_be(
        self, transfers: Transfers
    ) -> None:
        before = await everything(transfers)
        rows = [PersonRow(2, PersonRef("", PHONE, text("Asha")), "asha")]

        report = await transfers.put(PERSONS, rows, validate_only=True)

        assert (report.created_count, report.applied_row_count, report.applied) == (1, 0, False)
        assert await everything(transfers) == before
        assert (await transfers.header()).secrets.data_keys == ()

    async def test_no_more_than_a_thousand_problems_are_told(self, transfers: Transfers) -> None:
        rows = [replace(an_office(1, row=row), position="gardener") for row in range(2, 802)]

        report = await transfers.put(APPOINTMENTS, rows, rows)

        assert (report.error_count, len(report.errors)) == (1_600, 1_000)


class TestMessages:
    @pytest.mark.parametrize(
        ("messages", "field", "reason"),
        [
            ([], "header", "HEADER_EXPECTED"),
            ([pb.ImportRowsRequest()], "header", "HEADER_EXPECTED"),
            ([in_page(a_person_row())], "header", "HEADER_EXPECTED"),
            ([a_header(PERSONS, request_id="7")], "header.request_id", "BAD_ID"),
            ([a_header(PERSONS, kind=0)], "header.kind", "MISSING"),
            ([a_header(PERSONS, kind=99)], "header.kind", "UNKNOWN_KIND"),
            ([a_header(RowKind.UNITS)], "header.kind", "UNKNOWN_KIND"),
            ([a_header(PERSONS), a_header(PERSONS)], "header", "HEADER_REPEATED"),
            ([a_header(PERSONS), pb.ImportRowsRequest()], "part", "MISSING"),
            ([a_header(PERSONS), in_page(an_office())], "page.appointments", "WRONG_KIND"),
            ([a_header(PERSONS), in_page(*[a_person_row()] * 5_001)], "page.persons", "TOO_MANY"),
            (
                [a_header(TEAMS), in_page(*[TeamRow(0, JPR, "x", text("x"), NOBODY, "")] * 10_001)],
                "page.teams",
                "TOO_MANY",
            ),
            (
                [a_header(AREAS), in_page(AreaRow(0, "ac", "1", text("x"), (JPR,) * 50_001))],
                "page.areas[0].units",
                "TOO_MANY",
            ),
        ],
    )
    async def test_what_is_out_of_place_is_refused(
        self, transfers: Transfers, messages: list[pb.ImportRowsRequest], field: str, reason: str
    ) -> None:
        before = await everything(transfers)

        with pytest.raises(InvalidInput) as refused:
            await transfers.send(*messages)

        assert [(x.field, x.reason) for x in refused.value.violations] == [(field, reason)]
        assert await everything(transfers) == before

    async def test_an_instant_out_of_range_is_refused(self, transfers: Transfers) -> None:
        page = in_page(an_office())
        page.page.appointments[0].valid_from.CopyFrom(Timestamp(seconds=10**15))

        with pytest.raises(InvalidInput) as refused:
            await transfers.send(a_header(APPOINTMENTS), page)

        (violation,) = refused.value.violations
        assert (violation.field, violation.reason) == (
            "page.appointments[0].valid_from",
            "OUT_OF_RANGE",
        )

    @pytest.mark.parametrize(
        ("fields", "field", "reason"),
        [
            ({}, "kind", "MISSING"),
            ({"kind": 99}, "kind", "UNKNOWN_KIND"),
            ({"kind": pb.ROW_KIND_UNITS, "within_unit_id": "7"}, "within_unit_id", "BAD_ID"),
            (
                {"kind": pb.ROW_KIND_UNITS, "as_of": Timestamp(seconds=10**15)},
                "as_of",
                "OUT_OF_RANGE",
            ),
        ],
    )
    async def test_an_export_that_cannot_be_is_refused(
        self, transfers: Transfers, fields: dict[str, Any], field: str, reason: str
    ) -> None:
        with pytest.raises(InvalidInput) as refused:
            await transfers.export(**fields)

        assert [(x.field, x.reason) for x in refused.value.violations] == [(field, reason)]


class TestRights:
    async def convenor(self, transfers: Transfers) -> Caller:
        """Somebody who administers one district."""
        unit = await transfers.hierarchy.unit(*JPR)
        return await transfers.hierarchy.appoint("bela", "district_convenor", unit)

    async def test_areas_and_persons_need_everything(self, transfers: Transfers) -> None:
        caller = await self.convenor(transfers)
        before = await everything(transfers)

        for kind in (AREAS, PERSONS):
            with pytest.raises(Forbidden) as refused:
                await transfers.send(a_header(kind), caller=caller)
            assert refused.value.reason == "CAPABILITY_MISSING"

        assert await everything(transfers) == before

    async def test_who_administers_nothing_imports_nothing(self, transfers: Transfers) -> None:
        for kind in (APPOINTMENTS, TEAMS):
            with pytest.raises(Forbidden):
                await transfers.send(a_header(kind), caller=a_caller(capabilities=["view"]))

    @pytest.mark.parametrize("kind", [APPOINTMENTS, TEAMS])
    async def test_offices_and_teams_need_the_unit(
        self, transfers: Transfers, kind: RowKind
    ) -> None:
        caller = await self.convenor(transfers)

        def row(number: int, unit: UnitKey) -> AppointmentRow | TeamRow:
            if kind is APPOINTMENTS:
                return an_office(number, unit, row=number)
            return TeamRow(number, unit, "it_cell", text("Cell"), a_ref(number), "lead")

        report = await transfers.put(kind, [row(2, JPR), row(3, AJM)], caller=caller)
        assert [(each.row, each.reason) for each in report.errors] == [(3, "UNKNOWN_UNIT")]
        report = await transfers.put(kind, [row(2, JPR), row(4, M1)], caller=caller)

        assert (report.created_count, report.error_count) == (2, 0)

    async def test_a_right_that_is_revoked_is_gone_with_the_next_page(
        self, transfers: Transfers
    ) -> None:
        caller = await self.convenor(transfers)
        stub: Any = transfers.stub
        appointment = (
            await transfers.hierarchy.store.graph.page(
                (await transfers.header()).tenant, Appointment, limit=1
            )
        )[0]
        async with transfers.around("ImportRows", caller) as options:
            stream = stub.ImportRows(**options)
            await stream.write(a_header(APPOINTMENTS))
            await stream.write(in_page(an_office(1)))
            assert (await stream.read()).progress.row_count == 1
            await transfers.hierarchy.keep(replace(appointment, valid_to=BEGINNING))
            await stream.write(in_page(an_office(2)))
            with pytest.raises(Forbidden), translate_rpc_errors():
                await stream.read()

        assert (await transfers.header()).counts.appointments == 1

    async def test_an_import_of_one_tenant_leaves_another_alone(self, transfers: Transfers) -> None:
        before = await everything(transfers)

        with pytest.raises(NotFound):
            await transfers.put(APPOINTMENTS, [an_office()], caller=a_caller("peepal"))
        await transfers.put(PERSONS, [a_person_row(phone=PHONE)], caller=a_caller("peepal"))

        assert await everything(transfers) == before


class TestExports:
    async def fill(self, transfers: Transfers) -> None:
        await transfers.put(
            PERSONS, [a_person_row(1, phone=PHONE, subject="asha"), a_person_row(2)]
        )
        await transfers.put(
            APPOINTMENTS,
            [an_office(1), an_office(2, AJM), an_office(2, M1)],
        )
        await transfers.put(TEAMS, [TeamRow(2, JPR, "it_cell", text("Cell"), a_ref(2), "lead")])
        await transfers.put(
            AREAS,
            [
                AreaRow(2, "ac", "2", text("Two"), (AJM,)),
                AreaRow(3, "ac", "1", text("One"), (M1, JPR, AJM)),
            ],
        )

    async def test_all_of_it_comes_in_order_and_whole(
        self, transfers: Transfers, caplog: pytest.LogCaptureFixture
    ) -> None:
        await self.fill(transfers)
        with caplog.at_level(logging.INFO):
            header, units = await transfers.export(kind=pb.ROW_KIND_UNITS)
            assert "phone numbers exported" not in caplog.text
            _, persons = await transfers.export(kind=pb.ROW_KIND_PERSONS)
            assert "phone numbers exported" in caplog.text
        _, areas = await transfers.export(kind=pb.ROW_KIND_AREAS)
        _, appointments = await transfers.export(kind=pb.ROW_KIND_APPOINTMENTS)
        _, teams = await transfers.export(kind=pb.ROW_KIND_TEAMS)

        assert header == pb.ExportHeader()
        assert [(x.level, x.code, x.parent_code) for x in units.units] == [
            ("state", "RJ", ""),
            ("district", "AJM", "RJ"),
            ("district", "JPR", "RJ"),
            ("mandal", "M1", "JPR"),
            ("booth", "B1", "M1"),
            ("booth", "B2", "M1"),
            ("mandal", "M2", "JPR"),
        ]
        assert sorted((x.id, x.phone, x.subject) for x in persons.persons) == sorted(
            [(an_id("person", 1), PHONE, "asha"), (an_id("person", 2), "", "")]
        )
        assert [(x.code, [unit.code for unit in x.units]) for x in areas.areas] == [
            ("1", ["AJM", "JPR", "M1"]),
            ("2", ["AJM"]),
        ]
        assert [(x.unit.code, x.person.id, x.person.phone) for x in appointments.appointments] == [
            ("AJM", an_id("person", 2), ""),
            ("JPR", an_id("person", 1), PHONE),
            ("M1", an_id("person", 2), ""),
        ]
        assert [(x.unit.code, x.role, x.person.id) for x in teams.teams] == [
            ("JPR", "lead", an_id("person", 2))
        ]

    async def test_others_get_what_they_see_without_numbers(self, transfers: Transfers) -> None:
        await self.fill(transfers)
        unit = await transfers.hierarchy.unit(*JPR)
        caller = await transfers.hierarchy.appoint("bela", "district_convenor", unit)
        part = pb.ExportHeader(partial=True, phones_left_out=True)

        header, units = await transfers.export(caller, kind=pb.ROW_KIND_UNITS)
        assert header == part
        assert [(x.code, x.parent_code) for x in units.units] == [
            ("JPR", ""), ("M1", "JPR"), ("B1", "M1"), ("B2", "M1"), ("M2", "JPR"),
        ]  # fmt: skip
        header, persons = await transfers.export(caller, kind=pb.ROW_KIND_PERSONS)
        assert header == part
        assert {an_id("person", 1), an_id("person", 2)} < {x.id for x in persons.persons}
        assert {(x.phone, x.subject) for x in persons.persons} == {("", "")}
        _, areas = await transfers.export(caller, kind=pb.ROW_KIND_AREAS)
        assert [(x.code, [each.code for each in x.units]) for x in areas.areas] == [
            ("1", ["JPR", "M1"]),
            ("2", []),
        ]
        _, appointments = await transfers.export(caller, kind=pb.ROW_KIND_APPOINTMENTS)
        assert {x.person.phone for x in appointments.appointments} == {""}
        assert {x.unit.code for x in appointments.appointments} == {"JPR", "M1"}

    async def test_a_subtree_is_its_own_tree(self, transfers: Transfers) -> None:
        await self.fill(transfers)
        within = (await transfers.hierarchy.unit(*M1)).id

        header, units = await transfers.export(kind=pb.ROW_KIND_UNITS, within_unit_id=within)
        _, areas = await transfers.export(kind=pb.ROW_KIND_AREAS, within_unit_id=within)
        _, persons = await transfers.export(kind=pb.ROW_KIND_PERSONS, within_unit_id=within)

        assert header == pb.ExportHeader(partial=True)
        assert [(x.code, x.parent_code) for x in units.units] == [
            ("M1", ""), ("B1", "M1"), ("B2", "M1"),
        ]  # fmt: skip
        assert [x.code for x in areas.areas] == ["1"]
        assert [x.id for x in persons.persons] == [an_id("person", 2)]
        with pytest.raises(NotFound):
            await transfers.export(kind=pb.ROW_KIND_UNITS, within_unit_id=an_id("unit", 1))

    async def test_what_stood_at_an_instant_and_what_ended(self, transfers: Transfers) -> None:
        now = transfers.hierarchy.store.clock.now()
        ended = replace(an_office(1), valid_to=now - timedelta(days=1))
        early = replace(ended, valid_from=now - timedelta(days=9))
        await transfers.put(APPOINTMENTS, [early, replace(an_office(2), valid_from=now)])

        async def found(**fields: Any) -> list[str]:
            _, rows = await transfers.export(kind=pb.ROW_KIND_APPOINTMENTS, **fields)
            return [each.person.id for each in rows.appointments]

        assert await found() == [an_id("person", 2)]
        assert await found(with_ended=True) == [an_id("person", 1), an_id("person", 2)]
        as_of = timestamp(now - timedelta(days=2))
        # The units were not there yet.
        assert await found(as_of=as_of) == []

    async def test_those_who_were_erased_are_left_out_with_what_they_held(
        self, transfers: Transfers
    ) -> None:
        await self.fill(transfers)
        graph, tenant = transfers.hierarchy.store.graph, (await transfers.header()).tenant
        asha = next(
            each
            for each in await graph.page(tenant, Person, limit=9)
            if each.id == an_id("person", 2)
        )
        await transfers.hierarchy.keep(replace(asha, names=None, erased_at=BEGINNING))

        _, persons = await transfers.export(kind=pb.ROW_KIND_PERSONS)
        _, appointments = await transfers.export(kind=pb.ROW_KIND_APPOINTMENTS)
        _, teams = await transfers.export(kind=pb.ROW_KIND_TEAMS)

        assert [each.id for each in persons.persons] == [an_id("person", 1)]
        assert [each.person.id for each in appointments.appointments] == [an_id("person", 1)]
        assert [(each.unit.code, each.HasField("person")) for each in teams.teams] == [
            ("JPR", False)
        ]
        assert len(await graph.page(tenant, Membership, limit=9)) == 1

    async def test_who_sees_nothing_gets_nothing(self, transfers: Transfers) -> None:
        with pytest.raises(Forbidden):
            await transfers.export(a_caller(capabilities=[]), kind=pb.ROW_KIND_UNITS)

    async def test_long_names_make_more_pages_not_larger_ones(self, transfers: Transfers) -> None:
        names = text("x" * 200, "ह" * 200)
        rows = [PersonRow(0, PersonRef(an_id("person", n), "", names), "") for n in range(4_000)]
        await transfers.put(PERSONS, rows[:2_000], rows[2_000:])

        _, persons = await transfers.export(kind=pb.ROW_KIND_PERSONS)

        assert len(persons.persons) == 4_000
