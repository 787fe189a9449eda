"""`Organisations` over the gRPC contract of `hierarchy` and the stream of its events."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType
from typing import Any

import numpy as np
from chaupal.hierarchy.v1 import hierarchy_pb2 as pb
from chaupal.hierarchy.v1.hierarchy_pb2_grpc import HierarchyServiceStub

from kit.channel import outgoing
from kit.clock import Clock
from kit.context import request_id
from kit.deadline import Deadline
from kit.errors import DeadlineExceeded, NotFound, Unavailable
from kit.forest import Forest
from kit.redis import RedisClient, redis_errors
from kit.tokens import TokenSource
from services.groups.domain.blueprint import Blueprint
from services.groups.domain.model import TenantId, UnitId
from services.groups.ports import Organisation, Tree

SERVICE = "chaupal.hierarchy.v1.HierarchyService"
# Both only read.
RETRYABLE = ("StreamTree", "GetBlueprint")

# How long a request that needs nothing new waits for a peer that does not answer.
_CONFIRM_SECONDS = 1.0

_log = logging.getLogger(__name__)


class ForestTree:
    """The port's `Tree` over a forest."""

    def __init__(
        self,
        version: int,
        levels: Sequence[str],
        forest: Forest,
        level_numbers: Sequence[int],
        codes: Sequence[str],
    ) -> None:
        self.version = version
        self.levels = tuple(levels)
        self.unit_ids = bytes.fromhex("".join(forest.ids).replace("-", ""))
        self._forest = forest
        self._level_numbers = np.array(level_numbers, dtype="<i4")
        self._by_key = dict(zip(zip(level_numbers, codes, strict=True), forest.ids, strict=True))
        self._numbers = {level: number for number, level in enumerate(levels)}

    @property
    def parents(self) -> memoryview:
        return self._forest.parents.astype("<i4").data

    @property
    def ends(self) -> memoryview:
        return self._forest.ends.astype("<i4").data

    @property
    def level_numbers(self) -> memoryview:
        return self._level_numbers.data

    def find(self, unit_id: UnitId) -> int | None:
        return self._forest.find(unit_id)

    def unit_at(self, level: str, code: str) -> UnitId | None:
        unit_id = self._by_key.get((self._numbers.get(level, -1), code))
        return None if unit_id is None else UnitId(unit_id)


class HierarchyClient:
    """The organisations as `hierarchy` keeps them.

    It announces each change by an event, and the last event's id is read from the tenant's stream
    at every use: one round trip instead of a follower for each tenant, and no moment at which an
    announced change is not seen. The stream is a hint, so the peer is asked again now and then
    although it was silent.

    Args:
        channel: to `hierarchy`.
        tokens: this process's own identity; the tenant is named beside it.
        events: the store of the event streams.
        clock: tells how old an answer is.
        oldest: after so long an answer is confirmed by the peer, even without an event.
    """

    def __init__(
        self,
        channel: Any,
        tokens: TokenSource,
        events: RedisClient,
        clock: Clock,
        oldest: timedelta,
    ) -> None:
        self._stub = HierarchyServiceStub(channel)
        self._tokens = tokens
        self._events = events
        self._clock = clock
        self._oldest = oldest.total_seconds()

    async def organisation(
        self,
        tenant: TenantId,
        known: Organisation | None,
        *,
        deadline: Deadline,
        ask: bool = False,
    ) -> Organisation:
        # First of all, so that what happens while the peer answers is looked at again.
        event_id = await self._last_event(tenant)
        now = self._clock.monotonic()
        if known is None or ask or event_id != known.event_id:
            return await self._asked(tenant, known, event_id, deadline)
        if now - known.confirmed_at < self._oldest:
            return known
        try:
            soon = deadline.at_most(_CONFIRM_SECONDS)
            return await self._asked(tenant, known, event_id, soon)
        except (Unavailable, DeadlineExceeded) as error:
            # Nothing says that it is outdated: go on with it while the peer is away.
            _log.warning("hierarchy is away, its last answer is used", extra={"why": error.reason})
            return replace(known, confirmed_at=now)

    async def _last_event(self, tenant: TenantId) -> str:
        with redis_errors():
            last: Any = await self._events.xrevrange(f"events:hierarchy:{{{tenant}}}", count=1)
        return last[0][0].decode() if last else ""

    async def _asked(
        self, tenant: TenantId, known: Organisation | None, event_id: str, deadline: Deadline
    ) -> Organisation:
        asked_at = self._clock.monotonic()
        tree = await self._tree(tenant, known, deadline)
        blueprint = await self._blueprint(tenant, deadline)
        if known is not None and blueprint == known.blueprint:
            blueprint = known.blueprint
        return Organisation(tree, blueprint, event_id, asked_at)

    async def _tree(self, tenant: TenantId, known: Organisation | None, deadline: Deadline) -> Tree:
        if known is not None:
            header, pages = await self._stream_tree(tenant, known.tree.version, deadline)
            same = header.tree_version == known.tree.version and not pages
            if same and tuple(header.levels) == known.tree.levels:
                return known.tree
            if same:  # the blueprint has other levels now, and the pages that use them are needed
                header, pages = await self._stream_tree(tenant, 0, deadline)
        else:
            header, pages = await self._stream_tree(tenant, 0, deadline)
        return await asyncio.to_thread(_tree_of, header, pages)

    async def _stream_tree(
        self, tenant: TenantId, known_version: int, deadline: Deadline
    ) -> tuple[pb.TreeHeader, Sequence[pb.TreePage]]:
        header = pb.TreeHeader()
        pages: list[pb.TreePage] = []
        async with outgoing(
            f"{SERVICE}/StreamTree",
            deadline=deadline,
            token=await self._tokens.token(),
            request_id=request_id(),
            tenant=tenant,
        ) as options:
            request = pb.StreamTreeRequest(known_version=known_version)
            async for part in self._stub.StreamTree(request, **options):
                if part.WhichOneof("part") == "header":
                    header = part.header
                else:
                    pages.append(part.page)
        return header, pages

    async def _blueprint(self, tenant: TenantId, deadline: Deadline) -> Blueprint:
        try:
            async with outgoing(
                f"{SERVICE}/GetBlueprint",
                deadline=deadline,
                token=await self._tokens.token(),
                request_id=request_id(),
                tenant=tenant,
            ) as options:
                reply = await self._stub.GetBlueprint(pb.GetBlueprintRequest(), **options)
        except NotFound:
            return Blueprint()
        return _blueprint_of(reply.blueprint)


def _tree_of(header: pb.TreeHeader, pages: Sequence[pb.TreePage]) -> ForestTree:
    ids = [each for page in pages for each in page.ids]
    parents = [each for page in pages for each in page.parents]
    return ForestTree(
        version=header.tree_version,
        levels=header.levels,
        forest=Forest(ids, parents),
        level_numbers=[each for page in pages for each in page.levels],
        codes=[each for page in pages for each in page.codes],
    )


def _blueprint_of(message: pb.Blueprint) -> Blueprint:
    return Blueprint(
        version=message.version,
        kinds=MappingProxyType({kind.key: kind.has_category for kind in message.group_kinds}),
        categories=frozenset(category.key for category in message.categories),
    )
