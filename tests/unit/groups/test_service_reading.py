"""ListGroups, BatchListGroups and BatchCountGroups over the wire."""

from typing import Any

import pytest
from chaupal.groups.v1 import groups_pb2 as pb

from kit import errors
from tests.unit.groups.builders import unit_id
from tests.unit.groups.messages import a_row, an_import
from tests.unit.groups.platform import Platform

RETIRED = pb.GROUP_STATE_RETIRED


@pytest.fixture
async def filled(platform: Platform) -> Platform:
    """Seven groups over the state of `a_state`."""
    executive = pb.Admin(person="p-9", role=pb.ADMIN_ROLE_STATE_EXECUTIVE)
    rows = [
        a_row(1, "z-alwar", "alwar", "district", kind="internal", member_count=10),
        a_row(2, "a-b1", "b-1", member_count=100),
        a_row(3, "b-b1", "b-1", kind="category", category="farmers", admins=[executive]),
        a_row(4, "c-b1", "b-1", kind="category", category="women", member_count=300),
        a_row(5, "a-b2", "b-2", admins=[], member_count=1_024),
        a_row(6, "a-b3", "b-3", state=RETIRED, member_count=7),
        a_row(7, "a-kota", "kota", "division", kind="internal", member_count=20),
    ]
    await platform.stub.ImportGroups(an_import(rows), metadata=platform.metadata())
    return platform


async def list_groups(
    platform: Platform, narrow: pb.GroupFilter | None = None, **more: Any
) -> pb.ListGroupsResponse:
    request = pb.ListGroupsRequest(filter=narrow, **more)
    return await platform.ask(platform.stub.ListGroups, request)


def codes(answer: pb.ListGroupsResponse) -> list[str]:
    return [each.code for each in answer.groups]


def violation_of(error: errors.InvalidInput) -> tuple[str, str]:
    [violation] = error.violations
    return violation.field, violation.reason


class TestList:
    async def test_all_groups_in_tree_order_then_by_code(self, filled: Platform) -> None:
        answer = await list_groups(filled)
        assert codes(answer) == ["z-alwar", "a-b1", "b-b1", "c-b1", "a-b2", "a-b3", "a-kota"]
        assert (answer.total_count, answer.next_page_token) == (7, "")

    @pytest.mark.parametrize(
        ("said", "expected"),
        [
            ({"unit_id": "jaipur"}, ["z-alwar", "a-b1", "b-b1", "c-b1", "a-b2", "a-b3"]),
            ({"unit_id": "alwar", "own_only": True}, ["z-alwar"]),
            ({"unit_id": "jaipur", "own_only": True}, []),
            ({"kinds": ["internal", "unused"]}, ["z-alwar", "a-kota"]),
            ({"kinds": ["unused"]}, []),
            ({"categories": ["women", "farmers"]}, ["b-b1", "c-b1"]),
            ({"flags": [pb.GROUP_FLAG_INCOMPLETE]}, ["c-b1"]),
            ({"flags": [pb.GROUP_FLAG_ORPHANED, pb.GROUP_FLAG_INCOMPLETE]}, ["c-b1", "a-b2"]),
            ({"states": [RETIRED]}, ["a-b3"]),
            ({"states": [RETIRED], "kinds": ["internal"]}, []),
            ({"unit_id": "b-1", "kinds": ["category"], "categories": ["farmers"]}, ["b-b1"]),
        ],
    )
    async def test_a_filter_narrows(
        self, filled: Platform, said: dict[str, Any], expected: list[str]
    ) -> None:
        if "unit_id" in said:
            said = {**said, "unit_id": unit_id(said["unit_id"])}
        answer = await list_groups(filled, pb.GroupFilter(**said))
        assert (codes(answer), answer.total_count) == (expected, len(expected))

    async def test_pages_follow_each_other(self, filled: Platform) -> None:
        narrow = pb.GroupFilter(unit_id=unit_id("jaipur"))
        first = await list_groups(filled, narrow, page_size=4)
        second = await list_groups(filled, narrow, page_size=4, page_token=first.next_page_token)
        assert codes(first) == ["z-alwar", "a-b1", "b-b1", "c-b1"]
        assert codes(second) == ["a-b2", "a-b3"]
        assert (first.total_count, second.total_count) == (6, 6)
        assert first.next_page_token
        assert second.next_page_token == ""

    async def test_a_page_goes_on_after_groups_came_and_changed(self, filled: Platform) -> None:
        """Nothing is told twice and nothing that stood is left out."""
        first = await list_groups(filled, page_size=3)
        assert codes(first) == ["z-alwar", "a-b1", "b-b1"]
        rows = [
            a_row(1, "aa-b1", "b-1"),
            a_row(2, "bb-b1", "b-1"),
            a_row(3, "b-b1", "b-1", language="en"),
        ]
        await filled.stub.ImportGroups(an_import(rows), metadata=filled.metadata())

        second = await list_groups(filled, page_token=first.next_page_token)

        assert codes(second) == ["bb-b1", "c-b1", "a-b2", "a-b3", "a-kota"]

    async def test_a_token_fits_its_own_query_and_tenant(self, filled: Platform) -> None:
        token = (await list_groups(filled, page_size=3)).next_page_token
        other = pb.GroupFilter(kinds=["internal"])
        for request, tenant in (
            (pb.ListGroupsRequest(filter=other, page_token=token), None),
            (pb.ListGroupsRequest(page_token=token), f"{filled.tenant}-x"),
            (pb.ListGroupsRequest(page_token=token[:-2]), None),
            (pb.ListGroupsRequest(page_token="?"), None),
        ):
            with pytest.raises(errors.InvalidInput) as refused:
                await filled.ask(filled.stub.ListGroups, request, tenant=tenant)
            assert violation_of(refused.value) == ("page_token", "PAGE_TOKEN_INVALID")

    async def test_a_unit_that_is_not_there_is_not_found(self, filled: Platform) -> None:
        stranger = unit_id("nowhere")
        with pytest.raises(errors.NotFound) as refused:
            await list_groups(filled, pb.GroupFilter(unit_id=stranger))
        assert (refused.value.reason, refused.value.fields()) == (
            "UNIT_NOT_FOUND",
            {"unit_id": stranger},
        )

    async def test_a_unit_that_was_made_a_moment_ago_is_known(self, filled: Platform) -> None:
        await list_groups(filled)
        filled.peer.trees[filled.tenant].add("b-9", "booth", "dausa").version = 2
        answer = await list_groups(filled, pb.GroupFilter(unit_id=unit_id("b-9")))
        assert answer.total_count == 0

    @pytest.mark.parametrize(
        ("said", "fault"),
        [
            ({"filter": {"unit_id": "x"}}, ("filter.unit_id", "BAD_ID")),
            ({"filter": {"kinds": ["k"] * 65}}, ("filter.kinds", "TOO_MANY")),
            ({"filter": {"categories": ["k"] * 257}}, ("filter.categories", "TOO_MANY")),
            ({"filter": {"flags": [0]}}, ("filter.flags[0]", "BAD_FLAG")),
            ({"filter": {"flags": [1, 99]}}, ("filter.flags[1]", "BAD_FLAG")),
            ({"filter": {"states": [0]}}, ("filter.states[0]", "BAD_STATE")),
            ({"filter": {"states": [1] * 17}}, ("filter.states", "TOO_MANY")),
            ({"page_size": -1}, ("page_size", "PAGE_SIZE_INVALID")),
        ],
    )
    async def test_what_cannot_be_is_named(
        self, platform: Platform, said: dict[str, Any], fault: tuple[str, str]
    ) -> None:
        narrow = pb.GroupFilter(**said.pop("filter", {}))
        with pytest.raises(errors.InvalidInput) as refused:
            await list_groups(platform, narrow, **said)
        assert violation_of(refused.value) == fault

    async def test_looking_needs_the_right(self, platform: Platform) -> None:
        with pytest.raises(errors.Forbidden) as refused:
            await platform.ask(
                platform.stub.ListGroups, pb.ListGroupsRequest(), capabilities=["administer"]
            )
        assert refused.value.fields() == {"capability": "view"}


class TestBatchList:
    async def test_each_unit_has_its_first_page(self, filled: Platform) -> None:
        asked = [unit_id("b-1"), unit_id("nowhere"), unit_id("raj"), "x", unit_id("b-1")]
        answer = await filled.ask(
            filled.stub.BatchListGroups,
            pb.BatchListGroupsRequest(
                unit_ids=asked,
                page_size=2,
                filter=pb.GroupFilter(unit_id="ignored", kinds=["category", "internal"]),
            ),
        )

        told = [
            codes(each.groups) if each.HasField("groups") else each.status.code
            for each in answer.results
        ]
        assert told == [["b-b1", "c-b1"], 5, ["z-alwar", "b-b1"], 3, ["b-b1", "c-b1"]]
        assert [each.groups.total_count for each in answer.results] == [2, 0, 4, 0, 2]

    async def test_its_token_goes_on_in_a_plain_list(self, filled: Platform) -> None:
        answer = await filled.ask(
            filled.stub.BatchListGroups,
            pb.BatchListGroupsRequest(unit_ids=[unit_id("raj")], page_size=5),
        )
        token = answer.results[0].groups.next_page_token
        rest = await list_groups(filled, pb.GroupFilter(unit_id=unit_id("raj")), page_token=token)
        assert codes(rest) == ["a-b3", "a-kota"]

    @pytest.mark.parametrize(
        ("units", "size", "fault"),
        [
            (0, 0, ("unit_ids", "MISSING")),
            (501, 1, ("unit_ids", "TOO_MANY")),
            (500, 101, ("page_size", "TOO_MANY")),
            (1, -1, ("page_size", "PAGE_SIZE_INVALID")),
        ],
    )
    async def test_it_has_bounds(
        self, platform: Platform, units: int, size: int, fault: tuple[str, str]
    ) -> None:
        request = pb.BatchListGroupsRequest(unit_ids=[unit_id("b-1")] * units, page_size=size)
        with pytest.raises(errors.InvalidInput) as refused:
            await platform.ask(platform.stub.BatchListGroups, request)
        assert violation_of(refused.value) == fault

    async def test_five_hundred_units_of_a_hundred_are_allowed(self, filled: Platform) -> None:
        request = pb.BatchListGroupsRequest(unit_ids=[unit_id("b-1")] * 500)
        answer = await filled.ask(filled.stub.BatchListGroups, request)
        assert {each.groups.total_count for each in answer.results} == {3}


class TestBigAnswers:
    """gRPC takes 4 MiB a message: a list is cut and says where it goes on."""

    @pytest.fixture
    async def big(self, platform: Platform) -> Platform:
        said: dict[str, Any] = {
            "names": dict.fromkeys(("en", "hi", "mr", "gu", "pa", "bn", "ta"), "न" * 200),
            "admins": [pb.Admin(person=f"{n:064}", role=pb.ADMIN_ROLE_ADMIN) for n in range(20)],
        }
        rows = [a_row(n, f"g-{n:04}", ("b-1", "b-2")[n % 2], **said) for n in range(1_000)]
        await platform.stub.ImportGroups(an_import(rows, page=400), metadata=platform.metadata())
        return platform

    async def test_a_page_that_would_not_fit_is_shorter(self, big: Platform) -> None:
        found: list[str] = []
        token, pages = "", 0
        while token or not pages:
            answer = await list_groups(big, page_size=1_000, page_token=token)
            found += codes(answer)
            token, pages = answer.next_page_token, pages + 1
        assert pages > 1
        assert sorted(found) == [f"g-{n:04}" for n in range(1_000)]

    async def test_pages_that_would_not_fit_are_shorter(self, big: Platform) -> None:
        asked = [unit_id("b-1"), unit_id("b-2"), unit_id("raj")]
        answer = await big.ask(
            big.stub.BatchListGroups, pb.BatchListGroupsRequest(unit_ids=asked, page_size=1_000)
        )
        assert [each.groups.total_count for each in answer.results] == [500, 500, 1_000]
        assert [bool(each.groups.next_page_token) for each in answer.results] == [
            False,
            True,
            True,
        ]
        # The last had no room at all, and begins at the beginning.
        last = answer.results[2].groups
        narrow = pb.GroupFilter(unit_id=unit_id("raj"))
        rest = await list_groups(big, narrow, page_size=3, page_token=last.next_page_token)
        assert codes(last) == []
        assert codes(rest) == ["g-0000", "g-0002", "g-0004"]

    async def test_a_batch_that_would_not_fit_is_refused(self, big: Platform) -> None:
        answer = await list_groups(big, page_size=1_000)
        ids = [each.id for each in answer.groups] * 2
        with pytest.raises(errors.InvalidInput) as refused:
            await big.ask(big.stub.BatchGetGroups, pb.BatchGetGroupsRequest(ids=ids[:1_000]))
        assert violation_of(refused.value) == ("ids", "ANSWER_TOO_LARGE")


class TestCounts:
    async def test_each_subtree_is_counted_without_its_retired(self, filled: Platform) -> None:
        asked = [unit_id("raj"), unit_id("b-3"), unit_id("nowhere"), "x", unit_id("alwar")]
        answer = await filled.ask(
            filled.stub.BatchCountGroups, pb.BatchCountGroupsRequest(unit_ids=asked)
        )

        state, booth, stranger, bad, district = answer.results
        assert stranger.status.code == 5
        assert bad.status.code == 3
        assert booth.counts == pb.GroupCounts()
        assert (district.counts.group_count, district.counts.member_count) == (5, 2_334)
        assert state.counts == pb.GroupCounts(
            group_count=6,
            member_count=2_354,
            by_kind=[
                pb.FacetCount(key="booth_voters", group_count=2, member_count=1_124),
                pb.FacetCount(key="category", group_count=2, member_count=1_200),
                pb.FacetCount(key="internal", group_count=2, member_count=30),
            ],
            by_category=[
                pb.FacetCount(key="farmers", group_count=1, member_count=900),
                pb.FacetCount(key="women", group_count=1, member_count=300),
            ],
            by_flag=[
                pb.FlagCount(flag=pb.GROUP_FLAG_INCOMPLETE, group_count=1),
                pb.FlagCount(flag=pb.GROUP_FLAG_ORPHANED, group_count=1),
                pb.FlagCount(flag=pb.GROUP_FLAG_FULL, group_count=1),
            ],
        )

    @pytest.mark.parametrize(("number", "reason"), [(0, "MISSING"), (1_001, "TOO_MANY")])
    async def test_it_has_bounds(self, platform: Platform, number: int, reason: str) -> None:
        request = pb.BatchCountGroupsRequest(unit_ids=[unit_id("raj")] * number)
        with pytest.raises(errors.InvalidInput) as refused:
            await platform.ask(platform.stub.BatchCountGroups, request)
        assert violation_of(refused.value) == ("unit_ids", reason)

    async def test_the_units_of_another_tenant_are_strangers(self, filled: Platform) -> None:
        answer = await filled.ask(
            filled.stub.BatchCountGroups,
            pb.BatchCountGroupsRequest(unit_ids=[unit_id("raj")]),
            tenant=f"{filled.tenant}-x",
        )
        assert [each.status.code for each in answer.results] == [5]
