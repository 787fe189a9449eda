"""ImportGroups over the wire: all rows or none, and a report that names what is wrong."""

from collections.abc import Sequence
from typing import Any

import pytest
from chaupal.groups.v1 import groups_pb2 as pb

from kit import errors
from kit.channel import translate_rpc_errors
from tests.timing import wait_until
from tests.unit.groups.messages import a_request_id, a_row, an_import, as_stream
from tests.unit.groups.platform import Platform


async def send(platform: Platform, messages: Any, **who: Any) -> pb.GroupImportReport:
    with translate_rpc_errors():
        answer = await platform.stub.ImportGroups(
            messages, timeout=30, metadata=platform.metadata(**who)
        )
    return answer.report


async def bring_in(
    platform: Platform, rows: Sequence[pb.GroupRow], **more: Any
) -> pb.GroupImportReport:
    return await send(platform, an_import(rows, **more))


async def listed(platform: Platform, **who: Any) -> list[pb.Group]:
    request = pb.ListGroupsRequest(page_size=1_000)
    return list((await platform.ask(platform.stub.ListGroups, request, **who)).groups)


def counts(report: pb.GroupImportReport) -> tuple[int, int, int, int, bool]:
    return (
        report.row_count,
        report.created_count,
        report.updated_count,
        report.unchanged_count,
        report.applied,
    )


def told(report: pb.GroupImportReport) -> list[tuple[int, str, str]]:
    return [(each.row, each.field, each.reason) for each in report.errors]


class TestApplied:
    async def test_groups_are_registered_then_updated_then_left_alone(
        self, platform: Platform
    ) -> None:
        rows = [a_row(2, "g-1"), a_row(3, "g-2", "b-3"), a_row(4, "g-3", "alwar", "district")]
        assert counts(await bring_in(platform, rows)) == (3, 3, 0, 0, True)
        first = await listed(platform)
        assert [each.code for each in first] == ["g-3", "g-1", "g-2"]

        rows[1] = a_row(3, "g-2", "b-3", member_count=1_024)
        rows.append(a_row(5, "g-4"))
        assert counts(await bring_in(platform, rows)) == (4, 1, 1, 2, True)
        second = await listed(platform)
        assert counts(await bring_in(platform, rows)) == (4, 0, 0, 4, True)

        assert await listed(platform) == second
        by_code = {each.code: each for each in second}
        before = {each.code: each for each in first}
        assert by_code["g-1"] == before["g-1"]
        assert by_code["g-2"].id == before["g-2"].id
        assert by_code["g-2"].registered_at == before["g-2"].registered_at
        assert by_code["g-2"].etag != before["g-2"].etag
        assert list(by_code["g-2"].flags) == [pb.GROUP_FLAG_FULL]

    async def test_what_a_row_leaves_out_has_its_default(self, platform: Platform) -> None:
        await bring_in(platform, [a_row(2, "g-1", language="", capacity=0, state=0)])
        [group] = await listed(platform)
        assert (group.language, group.capacity, group.state) == (
            "hi",
            1_024,
            pb.GROUP_STATE_UNVERIFIED,
        )

    async def test_an_import_of_many_pages_is_one(self, platform: Platform) -> None:
        rows = [a_row(n, f"g-{n:04}") for n in range(1_700)]
        assert counts(await bring_in(platform, rows, page=333)) == (1_700, 1_700, 0, 0, True)
        answer = await platform.ask(platform.stub.ListGroups, pb.ListGroupsRequest())
        assert answer.total_count == 1_700

    async def test_an_import_without_rows_changes_nothing(self, platform: Platform) -> None:
        assert counts(await bring_in(platform, [])) == (0, 0, 0, 0, True)

    async def test_validating_says_what_would_be_done(self, platform: Platform) -> None:
        await bring_in(platform, [a_row(2, "g-1"), a_row(3, "g-2")])
        before = await listed(platform)
        rows = [a_row(2, "g-1"), a_row(3, "g-2", language="en"), a_row(4, "g-3")]
        report = await bring_in(platform, rows, validate_only=True)
        assert counts(report) == (3, 1, 1, 1, False)
        assert await listed(platform) == before

    async def test_a_unit_that_was_made_a_moment_ago_is_known(self, platform: Platform) -> None:
        await bring_in(platform, [a_row(2, "g-1")])
        platform.peer.trees[platform.tenant].add("b-9", "booth", "dausa").version = 2
        assert counts(await bring_in(platform, [a_row(2, "g-9", "b-9")])) == (1, 1, 0, 0, True)


class TestRequestId:
    async def test_a_repeat_is_told_the_first_report(self, platform: Platform) -> None:
        request_id, rows = a_request_id(), [a_row(2, "g-1")]
        first = await bring_in(platform, rows, request_id=request_id)
        await bring_in(platform, [a_row(2, "g-1", language="en")])
        before = await listed(platform)
        assert await bring_in(platform, rows, request_id=request_id) == first
        assert await listed(platform) == before

    async def test_other_rows_under_the_same_id_are_refused(self, platform: Platform) -> None:
        request_id = a_request_id()
        await bring_in(platform, [a_row(2, "g-1")], request_id=request_id)
        with pytest.raises(errors.Conflict) as refused:
            await bring_in(platform, [a_row(2, "g-2")], request_id=request_id)
        assert refused.value.reason == "REQUEST_ID_REUSED"
        assert len(await listed(platform)) == 1

    async def test_a_refused_import_is_looked_at_afresh(self, platform: Platform) -> None:
        request_id, rows = a_request_id(), [a_row(2, "g-1", "b-9")]
        assert (await bring_in(platform, rows, request_id=request_id)).error_count == 1
        platform.peer.trees[platform.tenant].add("b-9", "booth", "dausa").version = 2
        report = await bring_in(platform, rows, request_id=request_id)
        assert counts(report) == (1, 1, 0, 0, True)


class TestRefused:
    async def test_every_wrong_row_is_named_and_nothing_is_applied(
        self, platform: Platform
    ) -> None:
        await bring_in(platform, [a_row(2, "g-1")])
        before = await listed(platform)
        admin = pb.Admin(person="p-1", role=pb.ADMIN_ROLE_OWNER)
        rows = [
            a_row(2, "g-1", member_count=5),
            a_row(3, "g-3", "nowhere"),
            a_row(4, "g-4", "b-1", "district"),
            a_row(5, "g-5", kind="unheard_of"),
            a_row(6, "g-6", kind="category", category="fishers"),
            a_row(7, "g-7", kind="category"),
            a_row(8, "g-8", category="farmers"),
            a_row(9, "g-1"),
            a_row(10, "g 10"),
            a_row(11, "g-11", names={"hi": "समूह"}),
            a_row(12, "g-12", names={"en": "x" * 201}),
            a_row(13, "g-13", member_count=-1),
            a_row(14, "g-14", capacity=2_000_001),
            a_row(15, "g-15", language="Hindi please"),
            a_row(16, "g-16", admins=[admin, admin]),
            a_row(17, "g-17", admins=[pb.Admin(person="p-1")]),
            a_row(18, "", unit="", level=""),
            a_row(19, "g-19", unit=""),
            a_row(20, "g-20", admins=[admin] * 21),
            a_row(21, "g-21"),
        ]

        report = await bring_in(platform, rows)

        assert told(report) == [
            (3, "unit_code", "UNKNOWN_UNIT"),
            (4, "unit_code", "UNKNOWN_UNIT"),
            (5, "kind", "UNKNOWN_KIND"),
            (6, "category", "UNKNOWN_CATEGORY"),
            (7, "category", "CATEGORY_NEEDED"),
            (8, "category", "CATEGORY_NOT_ALLOWED"),
            (9, "code", "DUPLICATE_CODE"),
            (10, "code", "BAD_CODE"),
            (11, "names", "MISSING"),
            (12, "names", "BAD_NAME"),
            (13, "member_count", "BAD_NUMBER"),
            (14, "capacity", "BAD_NUMBER"),
            (15, "language", "BAD_LANGUAGE"),
            (16, "admins", "BAD_ADMIN"),
            (17, "admins", "BAD_ADMIN"),
            (18, "code", "MISSING"),
            (18, "unit_level", "MISSING"),
            (19, "unit_code", "MISSING"),
            (20, "admins", "BAD_ADMIN"),
            (20, "admins", "BAD_ADMIN"),
        ]
        assert counts(report) == (20, 0, 0, 0, False)
        assert report.error_count == 20
        assert report.errors[6].description == "row 2 has the same code"
        assert await listed(platform) == before

    async def test_the_first_thousand_problems_are_told_by_row_and_all_are_counted(
        self, platform: Platform
    ) -> None:
        rows = [a_row(5_000 - n, f"g-{n}", "nowhere", member_count=-1) for n in range(2_500)]
        report = await bring_in(platform, rows)
        assert (report.error_count, len(report.errors)) == (5_000, 1_000)
        assert [each.row for each in report.errors] == [2_501 + n // 2 for n in range(1_000)]

    async def test_the_same_code_twice_is_seen_without_row_numbers(
        self, platform: Platform
    ) -> None:
        report = await bring_in(platform, [a_row(0, "g-1"), a_row(0, "g-1", "b-2")])
        assert told(report) == [(0, "code", "DUPLICATE_CODE")]
        assert await listed(platform) == []

    async def test_without_a_blueprint_every_kind_is_unknown(self, platform: Platform) -> None:
        del platform.peer.blueprints[platform.tenant]
        report = await bring_in(platform, [a_row(2, "g-1")])
        assert told(report) == [(2, "kind", "UNKNOWN_KIND")]


class TestTheStream:
    @pytest.mark.parametrize(
        ("messages", "field", "reason"),
        [
            ([], "header", "HEADER_EXPECTED"),
            ([pb.ImportGroupsRequest(page=pb.ImportGroupsPage())], "header", "HEADER_EXPECTED"),
            ([pb.ImportGroupsRequest()], "header", "HEADER_EXPECTED"),
            (
                [pb.ImportGroupsRequest(header=pb.ImportGroupsHeader())],
                "header.request_id",
                "MISSING",
            ),
            (
                [pb.ImportGroupsRequest(header=pb.ImportGroupsHeader(request_id="7"))],
                "header.request_id",
                "BAD_ID",
            ),
        ],
    )
    async def test_it_begins_with_a_header(
        self, platform: Platform, messages: list[pb.ImportGroupsRequest], field: str, reason: str
    ) -> None:
        with pytest.raises(errors.InvalidInput) as refused:
            await send(platform, as_stream(messages))
        [violation] = refused.value.violations
        assert (violation.field, violation.reason) == (field, reason)

    @pytest.mark.parametrize(
        ("later", "field", "reason"),
        [
            (
                pb.ImportGroupsRequest(header=pb.ImportGroupsHeader(request_id=a_request_id())),
                "header",
                "HEADER_REPEATED",
            ),
            (pb.ImportGroupsRequest(), "part", "MISSING"),
            (
                pb.ImportGroupsRequest(page=pb.ImportGroupsPage(rows=[pb.GroupRow()] * 5_001)),
                "page.rows",
                "TOO_MANY",
            ),
            (
                pb.ImportGroupsRequest(
                    page=pb.ImportGroupsPage(rows=[a_row(1, "a"), a_row(2, "b", state=99)])
                ),
                "page.rows[1].state",
                "BAD_STATE",
            ),
        ],
    )
    async def test_what_follows_are_pages(
        self, platform: Platform, later: pb.ImportGroupsRequest, field: str, reason: str
    ) -> None:
        header = pb.ImportGroupsRequest(header=pb.ImportGroupsHeader(request_id=a_request_id()))
        page = pb.ImportGroupsRequest(page=pb.ImportGroupsPage(rows=[a_row(1, "g-1")]))
        with pytest.raises(errors.InvalidInput) as refused:
            await send(platform, as_stream([header, page, later]))
        [violation] = refused.value.violations
        assert (violation.field, violation.reason) == (field, reason)
        assert await listed(platform) == []

    async def test_without_the_right_nothing_is_read(self, platform: Platform) -> None:
        with pytest.raises(errors.Forbidden) as refused:
            await send(platform, an_import([a_row(1, "g-1")]), capabilities=["view", "compose"])
        assert refused.value.fields() == {"capability": "administer"}
        assert await listed(platform) == []

    async def test_a_third_import_of_one_tenant_is_told_to_come_back(
        self, platform: Platform
    ) -> None:
        """Two streams that say nothing more hold both places."""
        header = pb.ImportGroupsRequest(header=pb.ImportGroupsHeader(request_id=a_request_id()))
        held = [
            platform.stub.ImportGroups(timeout=30, metadata=platform.metadata()) for _ in range(2)
        ]
        for call in held:
            await call.write(header)
            await call.write(
                pb.ImportGroupsRequest(page=pb.ImportGroupsPage(rows=[a_row(1, "g-1")]))
            )

        async def refused() -> errors.LimitExceeded | None:
            try:
                await bring_in(platform, [])
            except errors.LimitExceeded as error:
                return error
            return None

        # Once the server has noticed both.
        error = await wait_until(refused, 10)
        assert error is not None
        assert error.reason == "TOO_MANY_IMPORTS"
        assert error.retry_after is not None
        assert counts(await send(platform, an_import([]), tenant=f"{platform.tenant}-x")) == (
            *(0, 0, 0, 0),
            True,
        )
        for call in held:
            call.cancel()
