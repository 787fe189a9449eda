"""Teams and watches."""

# ruff: noqa: ARG002  # the signatures are the contract's

import asyncio

from chaupal.hierarchy.v1 import people_pb2 as pb
from chaupal.hierarchy.v1 import people_pb2_grpc as stubs

from kit.context import current
from services.hierarchy.domain.errors import UnitNotFound
from services.hierarchy.domain.model import UnitId
from services.hierarchy.servicers.batches import ids_of, one_each
from services.hierarchy.servicers.common import Context
from services.hierarchy.translate import people_queries as queries
from services.hierarchy.translate import people_requests as requests
from services.hierarchy.translate.people_answers import lines_to_proto, teams_to_proto
from services.hierarchy.translate.people_values import team_to_proto, watch_to_proto
from services.hierarchy.translate.values import instant_or_none
from services.hierarchy.use_cases.teams import Teams
from services.hierarchy.use_cases.watch_lines import WatchLines
from services.hierarchy.use_cases.watches import Watches


class TeamCalls(stubs.PeopleServiceServicer):
    """The calls about teams."""

    _teams: Teams

    async def PutTeam(self, request: pb.PutTeamRequest, context: Context) -> pb.PutTeamResponse:
        """Begin, change or close one."""
        team = await self._teams.put(current().caller, requests.put_team_from_proto(request))
        return pb.PutTeamResponse(team=team_to_proto(team))

    async def BatchListTeams(
        self, request: pb.BatchListTeamsRequest, context: Context
    ) -> pb.BatchListTeamsResponse:
        """Those of many units."""
        asked = queries.batch_of(request.unit_ids, "unit_ids", UnitId)
        at = instant_or_none(request, "as_of")
        found = await self._teams.of_units(current().caller, ids_of(asked), at)
        return await asyncio.to_thread(teams_to_proto, one_each(asked, found, UnitNotFound))


class WatchCalls(stubs.PeopleServiceServicer):
    """The calls about watches."""

    _watches: Watches
    _lines: WatchLines

    async def AssignWatch(
        self, request: pb.AssignWatchRequest, context: Context
    ) -> pb.AssignWatchResponse:
        """Begin one."""
        asked = requests.assign_watch_from_proto(request)
        assigned = await self._watches.assign(current().caller, asked)
        return pb.AssignWatchResponse(
            watch=watch_to_proto(assigned.watch), ended=map(watch_to_proto, assigned.ended)
        )

    async def EndWatch(self, request: pb.EndWatchRequest, context: Context) -> pb.EndWatchResponse:
        """End one."""
        watch = await self._watches.end(current().caller, requests.end_watch_from_proto(request))
        return pb.EndWatchResponse(watch=watch_to_proto(watch))

    async def BatchGetWatchLines(
        self, request: pb.BatchGetWatchLinesRequest, context: Context
    ) -> pb.BatchGetWatchLinesResponse:
        """Who answers for many units."""
        asked = queries.batch_of(request.unit_ids, "unit_ids", UnitId)
        at = instant_or_none(request, "as_of")
        found = await self._lines.of_units(current().caller, ids_of(asked), at)
        return await asyncio.to_thread(lines_to_proto, one_each(asked, found, UnitNotFound))

    async def ListWatches(
        self, request: pb.ListWatchesRequest, context: Context
    ) -> pb.ListWatchesResponse:
        """What a monitor watches."""
        caller = current().caller
        person_id, at, page = queries.watches_from_proto(request, caller.tenant_id)
        found = await self._watches.listed(
            caller, person_id, limit=page.limit, at=at, after=page.after
        )
        return pb.ListWatchesResponse(
            watches=map(watch_to_proto, found.watches), next_page_token=page.token(found.next)
        )

    async def ListUnwatched(
        self, request: pb.ListUnwatchedRequest, context: Context
    ) -> pb.ListUnwatchedResponse:
        """What nobody watches."""
        caller = current().caller
        within, page = queries.unwatched_from_proto(request, caller.tenant_id)
        found = await self._watches.unwatched(
            caller, request.level, within, limit=page.limit, after=page.after
        )
        return pb.ListUnwatchedResponse(
            unit_ids=found.unit_ids,
            next_page_token=page.token(found.next),
            total_count=found.total_count,
        )
