"""The wire of `chaupal.groups.v1` over plain data."""
# ruff: noqa: ARG002  # the signatures are the contract's

from collections.abc import Iterable, Sequence
from typing import Any

from chaupal.groups.v1 import audience_pb2
from chaupal.groups.v1 import groups_pb2 as pb
from chaupal.groups.v1.groups_pb2_grpc import GroupsServiceServicer

from kit.errors import NotFound, Violations
from kit.status import error_to_status

from .recording import entered
from .world import World, page

DOMAIN = "groups.chaupal"


class GroupNotFound(NotFound):
    reason = "GROUP_NOT_FOUND"
    group_id: str


class FakeGroups(GroupsServiceServicer):
    def __init__(self, world: World) -> None:
        self._world = world

    async def BatchGetGroups(self, request: pb.BatchGetGroupsRequest, context: Any) -> Any:
        mine = entered(self._world, "BatchGetGroups", len(request.ids))
        return pb.BatchGetGroupsResponse(
            results=[
                pb.GroupResult(group=self._world.groups[each])
                if mine and each in self._world.groups
                else pb.GroupResult(status=error_to_status(GroupNotFound(group_id=each), DOMAIN))
                for each in request.ids
            ]
        )

    async def ListGroups(self, request: pb.ListGroupsRequest, context: Any) -> Any:
        mine = entered(self._world, "ListGroups")
        found = self._filtered(request.filter) if mine else []
        return self._page(found, request.page_size, request.page_token)

    async def BatchListGroups(self, request: pb.BatchListGroupsRequest, context: Any) -> Any:
        entered(self._world, "BatchListGroups", len(request.unit_ids))
        own_only = request.filter.own_only
        return pb.BatchListGroupsResponse(
            results=[
                pb.GroupsResult(
                    groups=self._page(
                        self._world.groups_of(each, own_only=own_only), request.page_size, ""
                    )
                )
                for each in request.unit_ids
            ]
        )

    async def BatchCountGroups(self, request: pb.BatchCountGroupsRequest, context: Any) -> Any:
        entered(self._world, "BatchCountGroups", len(request.unit_ids))
        return pb.BatchCountGroupsResponse(
            results=[
                pb.CountsResult(counts=_counts(self._world.groups_of(each, own_only=False)))
                for each in request.unit_ids
            ]
        )

    async def PreviewAudience(self, request: pb.PreviewAudienceRequest, context: Any) -> Any:
        entered(self._world, "PreviewAudience")
        check_audience(self._world, request.audience, "audience")
        found = selected(self._world, request.audience)
        units = [each for each in self._world.units.values() if each.level == request.split_level]
        return pb.PreviewAudienceResponse(
            group_count=len(found),
            member_count=3_000_000_000 + len(found),
            exclusions=[pb.Exclusion(reason="INCOMPLETE", group_count=2)],
            by_unit=[
                pb.UnitCount(unit_id=each.id, group_count=1, member_count=200) for each in units
            ],
            by_kind=_facets(found, "kind"),
            by_category=_facets(found, "category"),
            snapshot_id="12.7",
        )

    def _page(self, found: Sequence[pb.Group], size: int, token: str) -> pb.ListGroupsResponse:
        by_id = {each.id: each for each in found}
        longest = self._world.longest_page
        size = size if longest is None else min(size, longest)
        ids, next_token = page(list(by_id), token, size, 0 if longest == 0 else 100)
        return pb.ListGroupsResponse(
            groups=[by_id[each] for each in ids],
            next_page_token=next_token,
            total_count=len(found),
        )

    def _filtered(self, wanted: pb.GroupFilter) -> list[pb.Group]:
        world = self._world
        found: Iterable[pb.Group] = (
            world.groups_of(wanted.unit_id, own_only=wanted.own_only)
            if wanted.unit_id
            else world.groups.values()
        )
        return [
            each
            for each in found
            if (not wanted.kinds or each.kind in wanted.kinds)
            and (not wanted.categories or each.category in wanted.categories)
            and (not wanted.flags or set(each.flags) & set(wanted.flags))
            and (not wanted.states or each.state in wanted.states)
        ]


def check_audience(world: World, audience: audience_pb2.Audience, path: str) -> None:
    """Refuse what names an unknown unit, at its path."""
    violations = Violations()
    for at, term in enumerate(audience.include):
        for index, unit_id in enumerate(term.unit_ids):
            if unit_id not in world.units:
                where = f"{path}.include[{at}].unit_ids[{index}]"
                violations.add(where, "UNKNOWN_UNIT", "there is no such unit")
    violations.raise_if_any()


def selected(world: World, audience: audience_pb2.Audience) -> list[pb.Group]:
    found: dict[str, pb.Group] = {}
    for term in audience.include:
        units = {below for unit in term.unit_ids for below in world.descendants(unit)}
        found |= {
            each.id: each
            for each in world.groups.values()
            if each.unit_id in units
            and (not term.kinds or each.kind in term.kinds)
            and (not term.categories or each.category in term.categories)
        }
    return list(found.values())


def _counts(found: Sequence[pb.Group]) -> pb.GroupCounts:
    flagged = sum(pb.GROUP_FLAG_INCOMPLETE in each.flags for each in found)
    return pb.GroupCounts(
        group_count=len(found),
        member_count=sum(each.member_count for each in found),
        by_kind=_facets(found, "kind"),
        by_category=_facets(found, "category"),
        # The last flag is of a newer service than this gateway.
        by_flag=[
            pb.FlagCount(flag=pb.GROUP_FLAG_INCOMPLETE, group_count=flagged),
            pb.FlagCount(flag=99, group_count=1),  # type: ignore[arg-type]
        ],
    )


def _facets(found: Sequence[pb.Group], name: str) -> list[pb.FacetCount]:
    keys = sorted({getattr(each, name) for each in found} - {""})
    return [
        pb.FacetCount(
            key=key,
            group_count=sum(getattr(each, name) == key for each in found),
            member_count=sum(each.member_count for each in found if getattr(each, name) == key),
        )
        for key in keys
    ]
