"""PreviewAudience and ResolveAudience over the wire."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from chaupal.groups.v1 import audience_pb2
from chaupal.groups.v1 import groups_pb2 as pb

from kit import errors
from services.groups.adapters.redis.rows import id_text
from services.groups.domain.blueprint import Blueprint
from tests.unit.groups.builders import BLUEPRINT, PlainTree, unit_id
from tests.unit.groups.messages import a_row, a_term, an_audience, an_import
from tests.unit.groups.platform import Platform

EXECUTIVE = pb.Admin(person="p-9", role=pb.ADMIN_ROLE_STATE_EXECUTIVE)


@pytest.fixture
async def filled(platform: Platform) -> Platform:
    """Nine groups over the state of `a_state`."""
    led: dict[str, Any] = {"kind": "category", "admins": [EXECUTIVE]}
    rows = [
        a_row(1, "alwar", "alwar", "district", kind="internal", member_count=10),
        a_row(2, "b1-v", "b-1", member_count=100),
        a_row(3, "b1-f", "b-1", category="farmers", member_count=200, **led),
        a_row(4, "b1-w", "b-1", kind="category", category="women", member_count=300),
        a_row(5, "b2-o", "b-2", admins=[]),
        a_row(6, "b3-r", "b-3", state=pb.GROUP_STATE_RETIRED, admins=[]),
        a_row(7, "b3-p", "b-3", state=pb.GROUP_STATE_PLANNED),
        a_row(8, "b3-u", "b-3", state=pb.GROUP_STATE_UNVERIFIED, member_count=400),
        a_row(9, "kota", "kota", "division", category="farmers", member_count=500, **led),
    ]
    await platform.stub.ImportGroups(an_import(rows), metadata=platform.metadata())
    return platform


async def preview(
    platform: Platform, audience: audience_pb2.Audience, split_level: str = "", **who: Any
) -> pb.PreviewAudienceResponse:
    request = pb.PreviewAudienceRequest(audience=audience, split_level=split_level)
    return await platform.ask(platform.stub.PreviewAudience, request, **who)


@dataclass
class Resolved:
    """A whole stream, put together."""

    header: pb.ResolvedHeader = field(default_factory=pb.ResolvedHeader)
    targets: list[str] = field(default_factory=list)
    units: list[str] = field(default_factory=list)
    parents: list[int] = field(default_factory=list)
    levels: list[str] = field(default_factory=list)
    ranges: list[tuple[int, int]] = field(default_factory=list)
    pages: list[tuple[str, int]] = field(default_factory=list)


def ids_of(packed: bytes) -> list[str]:
    return [id_text(packed[start : start + 16]) for start in range(0, len(packed), 16)]


def put_together(parts: Sequence[pb.ResolveAudienceResponse]) -> Resolved:
    whole = Resolved(parts[0].header)
    assert parts[0].WhichOneof("part") == "header"
    for part in parts[1:]:
        if part.WhichOneof("part") == "targets":
            ids = ids_of(part.targets.group_ids)
            whole.targets += ids
        else:
            ids = ids_of(part.frame.unit_ids)
            whole.units += ids
            whole.parents += part.frame.parents
            whole.levels += [whole.header.levels[level] for level in part.frame.levels]
            whole.ranges += zip(part.frame.starts, part.frame.ends, strict=True)
        whole.pages.append((part.WhichOneof("part") or "", len(ids)))
    return whole


async def resolve(platform: Platform, audience: audience_pb2.Audience, **who: Any) -> Resolved:
    request = pb.ResolveAudienceRequest(audience=audience)
    return put_together(await platform.stream(platform.stub.ResolveAudience, request, **who))


async def codes(platform: Platform, ids: Sequence[str]) -> list[str]:
    request = pb.BatchGetGroupsRequest(ids=ids)
    answer = await platform.ask(platform.stub.BatchGetGroups, request)
    return [each.group.code for each in answer.results]


class TestPreview:
    async def test_it_counts_what_is_sent_to_and_what_is_not(self, filled: Platform) -> None:
        answer = await preview(filled, an_audience(a_term("raj")), "division")

        version, tree_version = answer.snapshot_id.split(".")
        assert (int(version), int(tree_version)) == (1, 1)
        answer.ClearField("snapshot_id")
        assert answer == pb.PreviewAudienceResponse(
            group_count=5,
            member_count=1_210,
            exclusions=[
                pb.Exclusion(reason="RETIRED", group_count=1),
                pb.Exclusion(reason="PLANNED", group_count=1),
                pb.Exclusion(reason="ORPHANED", group_count=1),
                pb.Exclusion(reason="INCOMPLETE", group_count=1),
            ],
            by_unit=[
                pb.UnitCount(unit_id=unit_id("jaipur"), group_count=4, member_count=710),
                pb.UnitCount(unit_id=unit_id("kota"), group_count=1, member_count=500),
            ],
            by_kind=[
                pb.FacetCount(key="booth_voters", group_count=2, member_count=500),
                pb.FacetCount(key="category", group_count=2, member_count=700),
                pb.FacetCount(key="internal", group_count=1, member_count=10),
            ],
            by_category=[pb.FacetCount(key="farmers", group_count=2, member_count=700)],
        )

    async def test_a_rule_that_selects_nothing_is_a_rule(self, filled: Platform) -> None:
        answer = await preview(filled, an_audience(a_term("kota", kinds=["internal"])))
        assert (answer.group_count, list(answer.exclusions)) == (0, [])

    async def test_excluding_takes_out_with_the_reason_unsaid(self, filled: Platform) -> None:
        """What the rule leaves out itself was not selected, so it is no exclusion."""
        rule = an_audience(a_term("jaipur"), exclude=[a_term("alwar"), a_term(kinds=["category"])])
        answer = await preview(filled, rule)
        assert answer.group_count == 1
        assert [each.reason for each in answer.exclusions] == ["RETIRED", "PLANNED"]

    async def test_a_group_is_incomplete_until_its_kind_carries_no_category(
        self, filled: Platform
    ) -> None:
        plain, named = a_term("b-1"), a_term("b-1", categories=["women"])
        assert (await preview(filled, an_audience(plain))).group_count == 2
        kinds = {**BLUEPRINT.kinds, "category": False}
        filled.peer.blueprints[filled.tenant] = Blueprint(2, kinds, BLUEPRINT.categories)
        await filled.announce()
        assert (await preview(filled, an_audience(plain))).group_count == 3
        assert (await preview(filled, an_audience(named))).group_count == 0

    async def test_another_tenant_does_not_know_the_units(self, filled: Platform) -> None:
        with pytest.raises(errors.InvalidInput) as refused:
            await preview(filled, an_audience(a_term("raj")), tenant=f"{filled.tenant}-x")
        assert [each.reason for each in refused.value.violations] == ["UNKNOWN_UNIT"]

    async def test_looking_needs_the_right(self, filled: Platform) -> None:
        with pytest.raises(errors.Forbidden):
            await preview(filled, an_audience(a_term("raj")), capabilities=["compose"])


class TestWrongRules:
    @pytest.mark.parametrize(
        ("rule", "split", "faults"),
        [
            (an_audience(), "", [("audience.include", "EMPTY_AUDIENCE")]),
            (
                an_audience(exclude=[a_term("raj")]),
                "",
                [("audience.include", "EMPTY_AUDIENCE")],
            ),
            (
                an_audience(a_term("raj"), a_term(kinds=["internal"])),
                "",
                [("audience.include[1].unit_ids", "UNIT_NEEDED")],
            ),
            (
                an_audience(
                    a_term("raj", "nowhere", kinds=["internal", "unheard_of"]),
                    exclude=[a_term("nowhere", categories=["fishers"])],
                ),
                "",
                [
                    ("audience.include[0].unit_ids[1]", "UNKNOWN_UNIT"),
                    ("audience.include[0].kinds[1]", "UNKNOWN_KIND"),
                    ("audience.exclude[0].unit_ids[0]", "UNKNOWN_UNIT"),
                    ("audience.exclude[0].categories[0]", "UNKNOWN_CATEGORY"),
                ],
            ),
            (
                an_audience(audience_pb2.AudienceTerm(unit_ids=["", "x"])),
                "",
                [
                    ("audience.include[0].unit_ids[0]", "UNKNOWN_UNIT"),
                    ("audience.include[0].unit_ids[1]", "UNKNOWN_UNIT"),
                ],
            ),
            (an_audience(*[a_term("raj")] * 51), "", [("audience.include", "TOO_MANY")]),
            (
                an_audience(a_term("raj"), exclude=[a_term("raj")] * 51),
                "",
                [("audience.exclude", "TOO_MANY")],
            ),
            (
                an_audience(
                    a_term(*["raj"] * 1_001, kinds=["internal"] * 65, categories=["women"] * 257)
                ),
                "",
                [
                    ("audience.include[0].unit_ids", "TOO_MANY"),
                    ("audience.include[0].kinds", "TOO_MANY"),
                    ("audience.include[0].categories", "TOO_MANY"),
                ],
            ),
            (an_audience(a_term("raj")), "parish", [("split_level", "UNKNOWN_LEVEL")]),
        ],
    )
    async def test_everything_wrong_is_named(
        self,
        platform: Platform,
        rule: audience_pb2.Audience,
        split: str,
        faults: list[tuple[str, str]],
    ) -> None:
        with pytest.raises(errors.InvalidInput) as refused:
            await preview(platform, rule, split)
        assert [(each.field, each.reason) for each in refused.value.violations] == faults
        if not split:
            with pytest.raises(errors.InvalidInput) as again:
                await resolve(platform, rule)
            assert again.value.violations == refused.value.violations

    async def test_a_unit_that_was_made_a_moment_ago_is_known(self, platform: Platform) -> None:
        await preview(platform, an_audience(a_term("raj")))
        platform.peer.trees[platform.tenant].add("b-9", "booth", "dausa").version = 2
        assert (await preview(platform, an_audience(a_term("b-9")))).snapshot_id == "0.2"

    async def test_a_level_that_was_made_a_moment_ago_is_known(self, platform: Platform) -> None:
        """The tree has not changed, only the list that its levels index into."""
        await preview(platform, an_audience(a_term("raj")), "division")
        tree = platform.peer.trees[platform.tenant]
        tree.levels = ("centre", *tree.levels, "panna")
        await preview(platform, an_audience(a_term("raj")), "panna")


class TestResolve:
    async def test_targets_come_in_tree_order_with_the_units_they_lie_in(
        self, filled: Platform
    ) -> None:
        whole = await resolve(filled, an_audience(a_term("raj")))

        assert await codes(filled, whole.targets) == ["alwar", "b1-f", "b1-v", "b3-u", "kota"]
        assert (whole.header.target_count, whole.header.frame_count) == (5, 7)
        assert list(whole.header.levels) == ["state", "division", "district", "booth"]
        assert [each.reason for each in whole.header.exclusions] == [
            "RETIRED",
            "PLANNED",
            "ORPHANED",
            "INCOMPLETE",
        ]
        names = ["raj", "jaipur", "alwar", "b-1", "dausa", "b-3", "kota"]
        assert whole.units == [unit_id(name) for name in names]
        assert whole.parents == [-1, 0, 1, 2, 1, 4, 0]
        assert whole.levels == [
            *("state", "division", "district", "booth", "district", "booth", "division")
        ]
        assert whole.ranges == [(0, 5), (0, 4), (0, 3), (1, 3), (3, 4), (3, 4), (4, 5)]

    async def test_a_preview_says_the_same(self, filled: Platform) -> None:
        rule = an_audience(a_term("jaipur", categories=["farmers", "women"]), a_term("kota"))
        told, whole = await preview(filled, rule), await resolve(filled, rule)
        assert told.group_count == whole.header.target_count == 2
        assert list(told.exclusions) == list(whole.header.exclusions)
        assert told.snapshot_id == whole.header.snapshot_id

    async def test_nothing_selected_is_a_header_alone(self, filled: Platform) -> None:
        whole = await resolve(filled, an_audience(a_term("kota", kinds=["internal"])))
        assert (whole.header.target_count, whole.header.frame_count, whole.pages) == (0, 0, [])

    async def test_a_service_resolves_for_the_tenant_it_names(self, filled: Platform) -> None:
        whole = await resolve(filled, an_audience(a_term("raj")), subject="service:messaging")
        assert len(whole.targets) == 5

    async def test_long_answers_come_in_pages(self, platform: Platform) -> None:
        tree = PlainTree().add("raj", "state")
        for number in range(5_100):
            tree.add(f"b-{number:04}", "booth", "raj")
        platform.move_in(platform.tenant, tree)
        rows = [a_row(n, f"g-{n:05}", f"b-{n // 2:04}") for n in range(10_100)]
        await platform.stub.ImportGroups(an_import(rows), metadata=platform.metadata(), timeout=60)

        whole = await resolve(platform, an_audience(a_term("raj")))

        assert whole.pages == [
            *[("targets", 5_000), ("targets", 5_000), ("targets", 100)],
            *[("frame", 5_000), ("frame", 51)],
        ]
        assert len(set(whole.targets)) == 10_100
        assert whole.parents == [-1, *[0] * 5_050]
        assert whole.ranges == [(0, 10_100), *((n, n + 2) for n in range(0, 10_100, 2))]

    async def test_a_stream_is_one_state_whatever_happens_meanwhile(
        self, platform: Platform
    ) -> None:
        tree = platform.peer.trees[platform.tenant]
        rows = [a_row(n, f"g-{n:05}", f"b-{n % 3 + 1}") for n in range(12_000)]
        await platform.stub.ImportGroups(an_import(rows), metadata=platform.metadata(), timeout=60)
        request = pb.ResolveAudienceRequest(audience=an_audience(a_term("raj")))
        call = platform.stub.ResolveAudience(request, metadata=platform.metadata(), timeout=60)
        parts = [await anext(aiter(call))]

        # Half of the groups retire and a district moves while the stream is under way.
        retired = [a_row(n, f"g-{n:05}", f"b-{n % 3 + 1}", state=4) for n in range(0, 12_000, 2)]
        await platform.stub.ImportGroups(
            an_import(retired), metadata=platform.metadata(), timeout=60
        )
        tree.units = [each for each in tree.units if each.name != "dausa"]
        tree.add("dausa", "district", "kota").version = 2
        await platform.announce()
        after = await resolve(platform, an_audience(a_term("raj")))
        parts += [part async for part in call]

        before = put_together(parts)
        assert (before.header.snapshot_id, after.header.snapshot_id) == ("1.1", "2.2")
        assert (len(set(before.targets)), len(after.targets)) == (12_000, 6_000)
        assert before.units[-1] == unit_id("b-3")
        assert before.ranges[0] == (0, 12_000)
        assert before.parents[before.units.index(unit_id("dausa"))] == 1


async def test_many_callers_at_once_are_all_answered_rightly(filled: Platform) -> None:
    rules = [an_audience(a_term(name)) for name in ("raj", "jaipur", "kota", "b-1")] * 25
    answers = await asyncio.gather(*(preview(filled, rule) for rule in rules))
    assert [each.group_count for each in answers] == [5, 4, 1, 2] * 25
