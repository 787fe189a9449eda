"""People with offices ask groups, beside a real hierarchy: what they see, may do, and how long."""

from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from chaupal.groups.v1 import groups_pb2 as pb
from google.protobuf.message import Message

from kit import confirmed
from kit.errors import (
    AlreadyExists,
    Forbidden,
    InvalidInput,
    NotFound,
    Unavailable,
)
from services.groups.bootstrap import open_groups
from tests.access_server import PEER, access_of
from tests.builders_hierarchy import a_row as a_unit_row
from tests.hierarchy_server import Caller, a_caller, running
from tests.servers.valkey.server import ValkeyServer
from tests.timing import wait_until
from tests.unit.groups.messages import a_request_id
from tests.unit.groups.scoped import BOUND, EXECUTIVE, WHOLE, Scoped, group_row, scoped

ALMOST = BOUND - timedelta(milliseconds=1)
ENOUGH = timedelta(milliseconds=1)
EVERY = ["rj-far", "rj-int", "ajm-int", "c1-far", "jpr-far", "jpr-int", "b1-int"]
JAIPURS = ["jpr-far", "jpr-int", "b1-int"]
FARMERS = ["rj-far", "c1-far", "jpr-far"]


@pytest.fixture
async def world(tmp_path: Path, own_valkey: ValkeyServer) -> AsyncIterator[Scoped]:
    async with scoped(tmp_path, own_valkey.url) as one:
        yield one


@pytest.fixture
async def convenor(world: Scoped) -> Caller:
    """Asha convenes the district JPR."""
    return (await world.office("asha", "district", "JPR", "district_convenor"))[0]


@pytest.fixture
async def in_charge(world: Scoped) -> Caller:
    """Babu is in charge of the farmers of the state."""
    return (await world.office("babu", "state", "RJ", "farmers_in_charge"))[0]


def a_group(code: str, unit_id: str, category: str = "") -> pb.Group:
    return pb.Group(
        code=code,
        names={"en": code},
        kind="category" if category else "internal",
        category=category,
        unit_id=unit_id,
        admins=[EXECUTIVE],
        language="hi",
        capacity=100,
        state=pb.GROUP_STATE_ACTIVE,
    )


def registering(group: pb.Group) -> pb.RegisterGroupRequest:
    return pb.RegisterGroupRequest(group=group, request_id=a_request_id())


async def told(world: Scoped, caller: Caller, seen: list[str], unseen: list[str]) -> None:
    """Ask for every group and unit in every way: there is what is seen, and nothing else."""
    ids = await world.ids()
    batch = await world.ask(pb.BatchGetGroupsRequest(ids=list(ids.values())), caller)
    assert {each.group.code for each in batch.results if each.HasField("group")} == set(seen)
    missing = [each.status.code for each in batch.results if each.HasField("status")]
    assert missing == [5] * (len(ids) - len(seen))
    for code, group_id in ids.items():
        get = pb.GetGroupRequest(id=group_id)
        if code in seen:
            assert (await world.ask(get, caller)).group.code == code
        else:
            with pytest.raises(NotFound) as refused:
                await world.ask(get, caller)
            assert refused.value.reason == "GROUP_NOT_FOUND"
    assert await world.listed(caller) == seen
    for unit in [await world.unit(each) for each in unseen]:
        with pytest.raises(NotFound) as refused:
            await world.listed(caller, unit)
        assert (refused.value.reason, refused.value.fields()) == (
            "UNIT_NOT_FOUND",
            {"unit_id": unit},
        )
        for ask in (world.preview, world.resolved):
            with pytest.raises(InvalidInput) as unknown:
                await ask(caller, unit)
            assert unknown.value.reason == "UNKNOWN_UNIT"
        for request in (
            pb.BatchCountGroupsRequest(unit_ids=[unit]),
            pb.BatchListGroupsRequest(unit_ids=[unit]),
        ):
            [result] = (await world.ask(request, caller)).results
            assert result.status.code == 5


class TestSeen:
    async def test_a_convenor_sees_exactly_their_district(
        self, world: Scoped, convenor: Caller
    ) -> None:
        jaipur, booth = await world.unit("JPR"), await world.unit("B1")
        await told(world, convenor, JAIPURS, ["RJ", "AJM", "C1"])

        counts = await world.ask(pb.BatchCountGroupsRequest(unit_ids=[jaipur, booth]), convenor)
        assert counts.results[0].counts == pb.GroupCounts(
            group_count=3,
            member_count=28,
            by_kind=[
                pb.FacetCount(key="category", group_count=1, member_count=8),
                pb.FacetCount(key="internal", group_count=2, member_count=20),
            ],
            by_category=[pb.FacetCount(key="farmers", group_count=1, member_count=8)],
        )
        assert counts.results[1].counts.group_count == 1
        preview = await world.preview(convenor, jaipur, split="district")
        assert (preview.group_count, preview.member_count) == (3, 28)
        assert [each.unit_id for each in preview.by_unit] == [jaipur]
        assert list((await world.preview(convenor, jaipur, split="state")).by_unit) == []
        groups, frame = await world.resolved(convenor, jaipur)
        ids = await world.ids()
        assert groups == [ids[code] for code in JAIPURS]
        # The state above is not theirs to see, so the district is a root.
        assert frame == [jaipur, await world.unit("M1"), booth]

    async def test_who_is_in_charge_of_a_category_sees_it_alone(
        self, world: Scoped, in_charge: Caller
    ) -> None:
        state, jaipur = await world.unit("RJ"), await world.unit("JPR")
        await told(world, in_charge, FARMERS, [])

        counts = await world.ask(pb.BatchCountGroupsRequest(unit_ids=[state, jaipur]), in_charge)
        by_kind = [pb.FacetCount(key="category", group_count=3, member_count=74)]
        by_category = [pb.FacetCount(key="farmers", group_count=3, member_count=74)]
        assert counts.results[0].counts == pb.GroupCounts(
            group_count=3, member_count=74, by_kind=by_kind, by_category=by_category
        )
        assert counts.results[1].counts.group_count == 1
        pages = await world.ask(pb.BatchListGroupsRequest(unit_ids=[jaipur]), in_charge)
        assert [each.code for each in pages.results[0].groups.groups] == ["jpr-far"]
        assert pages.results[0].groups.total_count == 1
        preview = await world.preview(in_charge, state, split="district")
        assert (preview.group_count, preview.member_count) == (3, 74)
        assert [(each.unit_id, each.group_count) for each in preview.by_unit] == [
            (await world.unit("AJM"), 1),
            (jaipur, 1),
        ]
        assert list(preview.by_kind) == by_kind
        groups, _ = await world.resolved(in_charge, state)
        ids = await world.ids()
        assert groups == [ids[code] for code in FARMERS]

    async def test_two_offices_show_what_either_shows(self, world: Scoped) -> None:
        chand, _ = await world.office("chand", "booth", "C1", "president")
        [held] = await world.people.get((await person_of(world, "chand")).id)
        await world.people.appoint("booth", "B1", "president", held.person)
        await world.relay()
        await told(world, chand, ["c1-far", "b1-int"], ["RJ", "AJM", "JPR", "M1", "B2"])

    async def test_services_and_whole_tokens_see_everything(self, world: Scoped) -> None:
        for caller in (WHOLE, PEER):
            await told(world, caller, EVERY, [])
            groups, _ = await world.resolved(caller, await world.unit("RJ"))
            assert len(groups) == 7

    async def test_whoever_has_no_office_may_do_nothing(self, world: Scoped) -> None:
        nobody = a_caller(capabilities=["compose"], subject="nobody")
        unit = await world.unit("JPR")
        for request, needed in (
            (pb.ListGroupsRequest(), "view"),
            (pb.BatchCountGroupsRequest(unit_ids=[unit]), "view"),
            (registering(a_group("new", unit)), "administer"),
        ):
            with pytest.raises(Forbidden) as refused:
                await world.ask(request, nobody)
            assert refused.value.reason == "CAPABILITY_MISSING"
            assert refused.value.fields() == {"capability": needed}
        with pytest.raises(Forbidden):
            await world.bring_in(nobody, group_row(2, "new", "district", "JPR"))

    async def test_a_right_in_one_tenant_is_none_in_another(
        self, world: Scoped, convenor: Caller
    ) -> None:
        assert await world.listed(convenor) == JAIPURS
        stranger = a_caller("oak", capabilities=(), subject="asha")
        with pytest.raises(Forbidden):
            await world.listed(stranger)


class TestChanged:
    async def test_a_convenor_registers_in_their_district_and_nowhere_else(
        self, world: Scoped, convenor: Caller
    ) -> None:
        there, elsewhere = await world.unit("B1"), await world.unit("AJM")
        await world.ask(registering(a_group("new", there)), convenor)
        with pytest.raises(InvalidInput) as unknown:
            await world.ask(registering(a_group("other", elsewhere)), convenor)
        assert [(each.field, each.reason) for each in unknown.value.violations] == [
            ("group.unit_id", "UNKNOWN_UNIT")
        ]
        assert await world.listed(WHOLE) == [*EVERY[:-1], "b1-int", "new"]

    async def test_a_category_is_all_that_its_in_charge_registers(
        self, world: Scoped, in_charge: Caller
    ) -> None:
        unit = await world.unit("JPR")
        with pytest.raises(Forbidden) as refused:
            await world.ask(registering(a_group("new", unit)), in_charge)
        assert refused.value.fields() == {"capability": "administer", "unit_id": unit}
        await world.ask(registering(a_group("more-far", unit, "farmers")), in_charge)
        assert "more-far" in await world.listed(in_charge)
        assert "new" not in await world.listed(WHOLE)

    async def test_a_code_that_is_taken_elsewhere_is_not_said_by_whom(
        self, world: Scoped, convenor: Caller
    ) -> None:
        unit, ids = await world.unit("JPR"), await world.ids()
        for code, expected in (
            ("ajm-int", {"code": "ajm-int"}),
            ("b1-int", {"code": "b1-int", "group_id": ids["b1-int"]}),
        ):
            with pytest.raises(AlreadyExists) as taken:
                await world.ask(registering(a_group(code, unit)), convenor)
            assert taken.value.fields() == expected

    @pytest.mark.parametrize("validate_only", [True, False])
    async def test_an_import_needs_the_right_over_every_unit_and_group(
        self, world: Scoped, convenor: Caller, in_charge: Caller, *, validate_only: bool
    ) -> None:
        rows = [
            group_row(2, "new", "district", "JPR"),
            group_row(3, "far", "district", "AJM"),
            group_row(4, "b1-int", "booth", "B1"),
        ]
        report = await world.bring_in(convenor, *rows, validate_only=validate_only)
        assert errors(report) == [(3, "unit_code", "UNKNOWN_UNIT")]
        report = await world.bring_in(in_charge, *rows, validate_only=validate_only)
        assert errors(report) == [(n, "unit_code", "NOT_ALLOWED") for n in (2, 3, 4)]
        # Nor may a group that is elsewhere be brought here.
        taken = group_row(5, "ajm-int", "district", "JPR")
        report = await world.bring_in(convenor, rows[0], taken, validate_only=validate_only)
        assert errors(report) == [(5, "code", "NOT_ALLOWED")]
        assert await world.listed(WHOLE) == EVERY

        report = await world.bring_in(convenor, rows[0], rows[2], validate_only=validate_only)
        assert (report.applied, report.error_count) == (not validate_only, 0)
        assert (report.created_count, report.updated_count) == (1, 1)


def errors(report: pb.GroupImportReport) -> list[tuple[int, str, str]]:
    assert not report.applied
    return [(each.row, each.field, each.reason) for each in report.errors]


class TestTime:
    def test_the_bound_is_a_second(self) -> None:
        assert timedelta(seconds=1) == confirmed.BOUND
        defaults = open_groups.__wrapped__.__kwdefaults__  # type: ignore[attr-defined]  # wraps
        assert defaults == {"confirmed_for": confirmed.BOUND}

    async def test_without_its_event_a_revocation_is_in_force_within_the_bound(
        self, world: Scoped
    ) -> None:
        asha, office = await world.office("asha", "district", "JPR", "district_convenor")
        await world.relay()
        assert await world.listed(asha) == JAIPURS
        await world.end(office)
        world.clock.advance(ALMOST)
        assert await world.listed(asha) == JAIPURS  # nobody has told us
        world.clock.advance(ENOUGH)
        for request in await every_request(world):
            with pytest.raises(Forbidden):
                await world.ask(request, asha)

    async def test_with_its_event_it_is_in_force_at_once(self, world: Scoped) -> None:
        asha, office = await world.office("asha", "district", "JPR", "district_convenor")
        await world.relay()
        assert await world.listed(asha) == JAIPURS
        await world.end(office)
        await world.relay()
        for request in await every_request(world):
            with pytest.raises(Forbidden):
                await world.ask(request, asha)

    async def test_an_event_behind_others_is_seen(self, world: Scoped) -> None:
        asha, office = await world.office("asha", "district", "JPR", "district_convenor")
        await world.relay()
        assert await world.listed(asha) == JAIPURS
        await world.end(office)
        await world.relay()
        for _ in range(70):  # more than are read at once
            await world.events.xadd("events:hierarchy:{neem}", {"event": b""})
        with pytest.raises(Forbidden):
            await world.listed(asha)

    async def test_a_right_that_was_just_given_is_not_refused(self, world: Scoped) -> None:
        """No event has told of it, and what was told before is still confirmed."""
        asha, _ = await world.office("asha", "booth", "B1", "president")
        await world.relay()
        assert await world.listed(asha) == ["b1-int"]
        jaipur, ids = await world.unit("JPR"), await world.ids()
        [held] = await world.people.get((await person_of(world, "asha")).id)
        await world.people.appoint("district", "JPR", "district_convenor", held.person)

        assert (await world.ask(registering(a_group("new", jaipur)), asha)).group.code == "new"
        group = await world.ask(pb.GetGroupRequest(id=ids["jpr-int"]), asha)
        assert group.group.code == "jpr-int"

    async def test_nor_one_that_is_the_first(self, world: Scoped) -> None:
        asha = a_caller(capabilities=(), subject="asha")
        with pytest.raises(Forbidden):
            await world.listed(asha)
        await world.office("asha", "district", "JPR", "district_convenor")
        assert await world.listed(asha) == JAIPURS

    async def test_a_unit_that_was_moved_away_is_gone_with_its_right(
        self, world: Scoped, convenor: Caller
    ) -> None:
        await world.relay()
        assert await world.listed(convenor) == JAIPURS
        moved = a_unit_row("booth", "B1", under=("mandal", "N1"))
        assert (await world.people.hierarchy.import_rows(moved)).error_count == 0
        world.clock.advance(BOUND)  # no event, but the version has moved
        assert await world.listed(convenor) == ["jpr-far", "jpr-int"]

    async def test_a_unit_that_was_just_made_is_there(
        self, world: Scoped, convenor: Caller
    ) -> None:
        assert await world.listed(convenor) == JAIPURS
        new = a_unit_row("booth", "B9", under=("mandal", "M1"))
        assert (await world.people.hierarchy.import_rows(new)).error_count == 0
        unit = await world.unit("B9")
        assert (await world.preview(convenor, unit)).group_count == 0
        await world.ask(registering(a_group("new", unit)), convenor)
        assert await world.listed(convenor, unit) == ["new"]

    async def test_when_hierarchy_stops_only_those_fail_who_need_it(
        self, world: Scoped, convenor: Caller, tmp_path: Path
    ) -> None:
        asked = await every_request(world)
        assert await world.listed(convenor) == JAIPURS
        jaipur = await world.unit("JPR")
        await world.hierarchy.aclose()

        world.clock.advance(ALMOST)
        assert await world.listed(convenor) == JAIPURS
        world.clock.advance(ENOUGH)
        for request in asked:
            with pytest.raises(Unavailable) as refused:
                await world.ask(request, convenor)
            assert refused.value.reason == "ACCESS_UNCONFIRMED"
        with pytest.raises(Unavailable):
            await world.bring_in(convenor, group_row(2, "new", "district", "JPR"))
        with pytest.raises(Unavailable):
            await world.resolved(convenor, jaipur)
        for caller in (WHOLE, PEER):
            assert await world.listed(caller) == EVERY
            assert (await world.preview(caller, jaipur)).group_count == 3
        report = await world.bring_in(WHOLE, group_row(2, "new", "district", "JPR"))
        assert report.applied

        async with running(tmp_path):
            assert await wait_until(partial(served, world, convenor), 30)


async def served(world: Scoped, caller: Caller) -> bool:
    """Whether they are, once the connection is up again."""
    with suppress(Unavailable):
        return "new" in await world.listed(caller)
    return False


async def person_of(world: Scoped, subject: str) -> Any:
    """Who it is, as hierarchy knows them."""

    async with access_of(world.people.folder) as access:
        return (await access.viewer(PEER, subject)).person


async def every_request(world: Scoped) -> list[Message]:
    """One request of each kind, about the district JPR."""
    jaipur, ids = await world.unit("JPR"), await world.ids()
    preview = pb.PreviewAudienceRequest()
    preview.audience.include.add(unit_ids=[jaipur])
    return [
        pb.ListGroupsRequest(),
        pb.GetGroupRequest(id=ids["jpr-int"]),
        pb.BatchGetGroupsRequest(ids=[ids["jpr-int"]]),
        pb.BatchListGroupsRequest(unit_ids=[jaipur]),
        pb.BatchCountGroupsRequest(unit_ids=[jaipur]),
        registering(a_group("new", jaipur)),
        preview,
    ]
