"""Teams of units: put, and listed with who is in them."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import partial

from kit.clock import Clock
from services.hierarchy.domain.access import Viewer, require_both
from services.hierarchy.domain.fingerprints import fingerprint
from services.hierarchy.domain.model import Blueprint, UnitId
from services.hierarchy.domain.operations import Operation
from services.hierarchy.domain.people_errors import TeamNotFound
from services.hierarchy.domain.records import MEMBERSHIPS_BY_TEAM, TEAMS_BY_ID, TEAMS_BY_UNIT
from services.hierarchy.domain.team_changes import (
    PutTeam,
    TeamWithMembers,
    by_coming,
    decide_put_team,
)
from services.hierarchy.domain.teams import Team
from services.hierarchy.ports import Caller, OrgGraph
from services.hierarchy.use_cases.access import Access


class Teams:
    """Teams of the caller's tenant; those of units out of sight do not exist."""

    def __init__(self, graph: OrgGraph, access: Access, clock: Clock) -> None:
        self._graph = graph
        self._access = access
        self._clock = clock

    async def put(self, caller: Caller, request: PutTeam) -> TeamWithMembers:
        """Begin, change or close a team. Needs `administer` over its unit.

        Raises:
            TeamNotFound, TeamEnded, UnitNotFound, TooManyTeams, InvalidInput, RequestIdReused:
                see `decide_put_team`.
        """
        viewer = await self._access.enter(caller)
        await self._require_may_put(viewer, request)
        operation = Operation(
            name="put team",
            request_id=request.request_id,
            asked_by=viewer.subject,
            fingerprint=fingerprint(request),
            answer_type=TeamWithMembers,
            decide=partial(decide_put_team, request),
            validate_only=request.validate_only,
        )
        return await self._graph.write(viewer.tenant, operation)

    async def of_units(
        self, caller: Caller, unit_ids: Collection[UnitId], at: datetime | None = None
    ) -> Mapping[UnitId, Sequence[TeamWithMembers]]:
        """The teams of those of these units that the caller may see, as they stood at an instant.

        Ordered by kind as in the blueprint, then by beginning.
        """
        viewer = await self._access.enter(caller)
        viewer.require_somewhere("view")
        scope = await self._access.scope(viewer, "view", at)
        seen = [each for each in unit_ids if each in scope]
        instant = at or self._clock.now()
        read = await self._graph.find(viewer.tenant, TEAMS_BY_UNIT, seen, at=instant)
        teams = [each for run in read.value.values() for each in run]
        listed: dict[UnitId, list[TeamWithMembers]] = {each: [] for each in seen}
        for team in _in_order(teams, viewer.header.blueprint):
            listed[team.unit_id].append(TeamWithMembers(team, ()))
        return await self._with_members(viewer, listed, instant)

    async def _with_members(
        self,
        viewer: Viewer,
        listed: Mapping[UnitId, Sequence[TeamWithMembers]],
        instant: datetime,
    ) -> Mapping[UnitId, Sequence[TeamWithMembers]]:
        ids = [each.team.id for teams in listed.values() for each in teams]
        if not ids:
            return listed
        read = await self._graph.find(viewer.tenant, MEMBERSHIPS_BY_TEAM, ids, at=instant)
        return {
            unit: [
                TeamWithMembers(each.team, by_coming(read.value.get(each.team.id, ())))
                for each in teams
            ]
            for unit, teams in listed.items()
        }

    async def _require_may_put(self, viewer: Viewer, request: PutTeam) -> None:
        view = await self._access.scope(viewer, "view")
        administer = await self._access.scope(viewer, "administer")
        if request.id is None:
            if request.unit_id is not None:
                require_both(view, administer, [request.unit_id])
            return
        read = await self._graph.find(viewer.tenant, TEAMS_BY_ID, [request.id])
        team = next(iter(read.value.get(request.id, ())), None)
        if team is None or team.unit_id not in view:
            raise TeamNotFound(request.id)
        require_both(view, administer, [team.unit_id])


def _in_order(teams: Collection[Team], blueprint: Blueprint | None) -> Sequence[Team]:
    kinds = blueprint.team_kinds if blueprint else ()
    places = {each.key: place for place, each in enumerate(kinds)}
    return sorted(
        teams, key=lambda each: (places.get(each.kind, len(places)), each.valid_from, each.id)
    )
