"""Random organisations and rights over the wire, against a model that walks up the tree."""

import asyncio
import tempfile
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from chaupal.groups.v1 import audience_pb2
from chaupal.groups.v1 import groups_pb2 as pb
from chaupal.hierarchy.v1 import access_pb2
from chaupal.hierarchy.v1 import hierarchy_pb2 as peer_pb
from hypothesis import given
from hypothesis import strategies as st

from kit.errors import Forbidden, InvalidInput, NotFound, Unavailable
from services.groups.domain.access import ScopedGrant
from services.groups.domain.audience import Audience
from services.groups.domain.model import Group, GroupState
from tests.unit.groups import naive
from tests.unit.groups.builders import BLUEPRINT, EXECUTIVE, OWNER, PlainTree, group, unit_id
from tests.unit.groups.messages import a_request_id, a_row, a_term, an_audience, an_import
from tests.unit.groups.platform import Platform, a_platform
from tests.unit.groups.strategies import CATEGORIES, audiences, trees
from tests.unit.groups.test_seen import grants_over, holds, sees_group, sees_unit
from tests.unit.groups.test_service_audience import put_together

SUBJECT = "asha"
NONE: dict[str, Any] = {"subject": SUBJECT, "capabilities": ()}


def granting(*grants: ScopedGrant) -> list[access_pb2.ScopedGrant]:
    return [
        access_pb2.ScopedGrant(
            grant=peer_pb.Grant(
                capability=each.capability, group_kinds=each.kinds, categories=each.categories
            ),
            unit_id=each.unit_id or "",
        )
        for each in grants
    ]


@st.composite
def fitting_groups(draw: st.DrawFn, units: Sequence[str]) -> list[Group]:
    """Groups whose category fits their kind."""
    codes = draw(st.lists(st.from_regex(r"[ab]{1,3}", fullmatch=True), max_size=15, unique=True))
    found = []
    for code in codes:
        category = draw(st.sampled_from(("", *CATEGORIES)))
        plain = draw(st.sampled_from(("internal", "booth_voters")))
        found.append(
            group(
                code,
                draw(st.sampled_from(units)),
                kind="category" if category else plain,
                category=category,
                admins=draw(st.sampled_from([(), (OWNER,), (EXECUTIVE,)])),
                member_count=draw(st.integers(0, 3)),
                state=draw(st.sampled_from(GroupState)),
            )
        )
    return found


def as_row(number: int, tree: PlainTree, each: Group) -> pb.GroupRow:
    said = each.content
    unit = next(unit for unit in tree.units if unit_id(unit.name) == said.unit_id)
    return a_row(
        number,
        said.code,
        unit.name,
        unit.level,
        kind=said.kind,
        category=said.category,
        admins=[pb.Admin(person=a.person, role=int(a.role)) for a in said.admins],  # type: ignore[arg-type]
        member_count=said.member_count,
        state=int(said.state),
    )


def as_message(audience: Audience) -> audience_pb2.Audience:
    def terms(of: Sequence[Any]) -> list[audience_pb2.AudienceTerm]:
        return [
            audience_pb2.AudienceTerm(
                unit_ids=each.unit_ids, kinds=each.kinds, categories=each.categories
            )
            for each in of
        ]

    return audience_pb2.Audience(include=terms(audience.include), exclude=terms(audience.exclude))


@dataclass
class Asked:
    """One random organisation in the service, and what the caller should see of it."""

    platform: Platform
    tenant: str
    tree: PlainTree
    groups: list[Group]
    grants: list[ScopedGrant]
    ids: dict[str, str]

    @property
    def seen(self) -> list[Group]:
        found = [each for each in self.groups if sees_group(self.grants, self.tree, each)]
        return naive.in_tree_order(self.tree, found)

    def sees(self, name: str) -> bool:
        return sees_unit(self.grants, self.tree, unit_id(name))

    def under(self, name: str) -> list[Group]:
        inside = {unit_id(each) for each in self.tree.subtree(name)}
        return [each for each in self.seen if each.content.unit_id in inside]

    async def ask(self, request: Any) -> Any:
        method = type(request).__name__.removesuffix("Request")
        stub = self.platform.stub
        return await self.platform.ask(getattr(stub, method), request, tenant=self.tenant, **NONE)

    async def check_lists(self) -> None:
        listed = await self.ask(pb.ListGroupsRequest())
        assert codes(listed) == [each.content.code for each in self.seen]
        assert listed.total_count == len(self.seen)
        got = await self.ask(pb.BatchGetGroupsRequest(ids=[*self.ids.values(), a_request_id()]))
        told = [each.group.code for each in got.results if each.HasField("group")]
        assert sorted(told) == sorted(each.content.code for each in self.seen)

    async def check_units(self) -> None:
        names = [unit.name for unit in self.tree.units]
        asked = [unit_id(name) for name in names]
        counts = await self.ask(pb.BatchCountGroupsRequest(unit_ids=asked))
        pages = await self.ask(pb.BatchListGroupsRequest(unit_ids=asked))
        for name, count, page in zip(names, counts.results, pages.results, strict=True):
            if not self.sees(name):
                assert (count.status.code, page.status.code) == (5, 5)
                continue
            groups = self.under(name)
            assert codes(page.groups) == [each.content.code for each in groups]
            assert page.groups.total_count == len(groups)
            live = [each for each in groups if each.content.state is not GroupState.RETIRED]
            assert count.counts.group_count == len(live)
            assert count.counts.member_count == sum(each.content.member_count for each in live)
            kinds = Counter(each.content.kind for each in live)
            assert {c.key: c.group_count for c in count.counts.by_kind} == kinds
            categories = Counter(each.content.category for each in live if each.content.category)
            assert {c.key: c.group_count for c in count.counts.by_category} == categories

    async def check_audience(self, audience: Audience) -> None:
        terms = (*audience.include, *audience.exclude)
        named = {unit for term in terms for unit in term.unit_ids}
        request = pb.PreviewAudienceRequest(audience=as_message(audience), split_level="district")
        if not all(sees_unit(self.grants, self.tree, unit) for unit in named):
            with pytest.raises(InvalidInput) as refused:
                await self.ask(request)
            assert refused.value.reason == "UNKNOWN_UNIT"
            return
        outcomes = [naive.outcome(audience, BLUEPRINT, self.tree, each) for each in self.seen]
        sent = [each for each, said in zip(self.seen, outcomes, strict=True) if said == "SEND"]
        preview = await self.ask(request)
        assert preview.group_count == len(sent)
        assert preview.member_count == sum(each.content.member_count for each in sent)
        left_out = Counter(said for said in outcomes if said not in (None, "SEND"))
        assert {each.reason: each.group_count for each in preview.exclusions} == left_out
        inside = {
            unit_id(unit.name): sum(each in sent for each in self.under(unit.name))
            for unit in self.tree.units
            if unit.level == "district" and self.sees(unit.name)
        }
        assert {each.unit_id: each.group_count for each in preview.by_unit} == {
            unit: count for unit, count in inside.items() if count
        }
        parts = await self.platform.stream(
            self.platform.stub.ResolveAudience,
            pb.ResolveAudienceRequest(audience=request.audience),
            tenant=self.tenant,
            **NONE,
        )
        whole = put_together(parts)
        assert whole.targets == [self.ids[each.content.code] for each in sent]
        kept = [u.name for u in self.tree.in_preorder() if self.sees(u.name)]
        assert whole.units == [
            unit_id(name) for name in kept if any(each in sent for each in self.under(name))
        ]

    async def check_import(self, number: int, each: Group) -> None:
        """A group that is there already, and one that would be new, in the same place."""
        said = each.content
        row = as_row(number, self.tree, each)
        fresh = as_row(number, self.tree, each)
        fresh.code = "new"
        facets = (said.unit_id, said.kind, said.category)
        may = holds(self.grants, "administer", self.tree, facets)
        is_seen = sees_unit(self.grants, self.tree, said.unit_id) or any(
            grant.capability == "administer"
            and (grant.unit_id is None or said.unit_id in self._below(grant.unit_id))
            for grant in self.grants
        )
        metadata = self.platform.metadata(self.tenant, **NONE)
        messages = an_import([row, fresh], validate_only=True)
        report = (await self.platform.stub.ImportGroups(messages, metadata=metadata)).report
        expected = set() if may else {"NOT_ALLOWED" if is_seen else "UNKNOWN_UNIT"}
        assert {error.reason for error in report.errors} == expected

    def _below(self, unit: str) -> set[str]:
        found = {u.name for u in self.tree.units if unit_id(u.name) == unit}
        return {unit_id(each) for name in found for each in self.tree.subtree(name)}


def codes(answer: Any) -> list[str]:
    return [each.code for each in answer.groups]


async def in_the_service(
    platform: Platform, tree: PlainTree, groups: list[Group], grants: list[ScopedGrant]
) -> Asked:
    tenant = f"r{uuid.uuid4().hex[:16]}"
    platform.move_in(tenant, tree)
    platform.peer.grant(tenant, SUBJECT, *granting(*grants))
    rows = [as_row(number, tree, each) for number, each in enumerate(groups)]
    metadata = platform.metadata(tenant)
    report = (await platform.stub.ImportGroups(an_import(rows), metadata=metadata)).report
    assert report.applied or not rows
    whole = await platform.ask(platform.stub.ListGroups, pb.ListGroupsRequest(), tenant=tenant)
    assert len(whole.groups) == len(groups)
    ids = {each.code: each.id for each in whole.groups}
    return Asked(platform, tenant, tree, groups, grants, ids)


def test_every_call_answers_what_the_model_says(valkey_url: str) -> None:
    with asyncio.Runner() as runner, tempfile.TemporaryDirectory() as folder:
        opened = a_platform(Path(folder), valkey_url, "unused", confirmed_for=timedelta(seconds=30))
        platform = runner.run(opened.__aenter__())  # one for all examples

        @given(st.data())
        def check(data: st.DataObject) -> None:
            tree = data.draw(trees(8))
            names = [unit.name for unit in tree.units]
            groups = data.draw(fitting_groups(names))
            grants = data.draw(grants_over(names))
            runner.run(check_all(data, tree, groups, grants))

        async def check_all(
            data: st.DataObject,
            tree: PlainTree,
            groups: list[Group],
            grants: list[ScopedGrant],
        ) -> None:
            asked = await in_the_service(platform, tree, groups, grants)
            if not sees_something(grants, "view", tree):
                with pytest.raises(Forbidden):
                    await asked.ask(pb.ListGroupsRequest())
            else:
                await asked.check_lists()
                await asked.check_units()
                await asked.check_audience(data.draw(audiences([unit.name for unit in tree.units])))
            if groups and sees_something(grants, "administer", tree):
                await asked.check_import(1, data.draw(st.sampled_from(groups)))

        try:
            check()
        finally:
            runner.run(opened.__aexit__(None, None, None))


def sees_something(grants: Sequence[ScopedGrant], capability: str, tree: PlainTree) -> bool:
    there = {None, *(unit_id(unit.name) for unit in tree.units)}
    return any(each.capability == capability and each.unit_id in there for each in grants)


class TestAsking:
    """How often hierarchy is asked, and for whom."""

    async def test_whoever_may_everywhere_is_not_asked_about(self, platform: Platform) -> None:
        term = an_audience(a_term("raj"))
        for who in (
            {"capabilities": ("view", "administer")},
            {"subject": "service:messaging"},
        ):
            await platform.ask(platform.stub.ListGroups, pb.ListGroupsRequest(), **who)
            request = pb.PreviewAudienceRequest(audience=term)
            await platform.ask(platform.stub.PreviewAudience, request, **who)
            rows = an_import([a_row(2, "g-1")])
            await platform.stub.ImportGroups(rows, metadata=platform.metadata(**who))
            get = pb.GetGroupRequest(id=a_request_id())
            with pytest.raises(NotFound):
                await platform.ask(platform.stub.GetGroup, get, **who)
        assert platform.peer.calls["GetViewer"] == platform.peer.calls["GetAccessVersion"] == 0

    async def test_while_it_is_confirmed_nobody_is_asked(
        self, tmp_path: Path, valkey_url: str, unique: str
    ) -> None:
        long = timedelta(seconds=30)
        async with a_platform(tmp_path, valkey_url, unique, confirmed_for=long) as platform:
            view = ScopedGrant("view", unit_id("alwar"))
            platform.peer.grant(unique, SUBJECT, *granting(view))
            request = pb.PreviewAudienceRequest(audience=an_audience(a_term("alwar")))
            await platform.ask(platform.stub.PreviewAudience, request, **NONE)
            platform.peer.calls.clear()
            for _ in range(20):
                await platform.ask(platform.stub.PreviewAudience, request, **NONE)
            assert platform.peer.calls == {}

    async def test_it_is_asked_as_ourselves_and_fails_closed(self, platform: Platform) -> None:
        platform.peer.grant(platform.tenant, SUBJECT, *granting(ScopedGrant("view", None)))
        await platform.ask(platform.stub.ListGroups, pb.ListGroupsRequest())
        platform.peer.away = True
        with pytest.raises(Unavailable) as refused:
            await platform.ask(platform.stub.ListGroups, pb.ListGroupsRequest(), **NONE)
        assert refused.value.reason == "ACCESS_UNCONFIRMED"
        await platform.ask(platform.stub.ListGroups, pb.ListGroupsRequest())
        assert platform.peer.callers == {"service:groups"}

    async def test_what_is_known_of_a_tenant_is_of_no_other(self, platform: Platform) -> None:
        platform.peer.grant(platform.tenant, SUBJECT, *granting(ScopedGrant("view", None)))
        await platform.ask(platform.stub.ListGroups, pb.ListGroupsRequest(), **NONE)
        other = f"{platform.tenant}-x"
        with pytest.raises(Forbidden):
            await platform.ask(
                platform.stub.ListGroups, pb.ListGroupsRequest(), tenant=other, **NONE
            )
