"""`Organisations` over the gRPC contract of `hierarchy` and the stream of its events."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from types import MappingProxyType
from typing import Any, Self

import numpy as np
from chaupal.hierarchy.v1 import hierarchy_pb2 as pb
from chaupal.hierarchy.v1.hierarchy_pb2_grpc import HierarchyServiceStub
from google.protobuf.message import DecodeError

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

# An event has up to 60 KB.
_EVENTS_PAGE = 32
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

    @property
    def unit_count(self) -> int:
        return self._forest.size

    def find(self, unit_id: UnitId) -> int | None:
        return self._forest.find(unit_id)

    def subtree(self, unit_id: UnitId) -> tuple[int, int] | None:
        return self._forest.subtree(unit_id) if unit_id in self._forest else None

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
        at_least: int = 0,
    ) -> Organisation:
        # First of all, so that what happens while the peer answers is looked at again.
        heard = await self._heard(tenant, known)
        # The peer has told of that version before, so what it answers now contains it.
        heard = replace(heard, access_version=max(heard.access_version, at_least))
        now = self._clock.monotonic()
        if known is None or ask or heard != _Heard.by(known):
            return await self._asked(tenant, known, heard, deadline)
        if now - known.confirmed_at < self._oldest:
            return known
        try:
            soon = deadline.at_most(_CONFIRM_SECONDS)
            return await self._asked(tenant, known, heard, soon)
        except (Unavailable, DeadlineExceeded) as error:
            # Nothing says that it is outdated: go on with it while the peer is away.
            _log.warning("hierarchy is away, its last answer is used", extra={"why": error.reason})
            return replace(known, confirmed_at=now)

    async def _heard(self, tenant: TenantId, known: Organisation | None) -> "_Heard":
        """The last event, and the last access version that an event told of."""
        before = _Heard.by(known) if known else _Heard("", 0)
        last = await self._events_before(tenant, "+", 1)
        if not last:
            return _Heard("", before.access_version)
        heard = _Heard(last[0][0].decode(), before.access_version)
        if heard.event_id == before.event_id:
            return before
        # Nearly always this is the event: a change of rights is the last that its write tells of.
        entries = last
        while entries:
            for entry_id, fields in entries:
                if entry_id.decode() == before.event_id:
                    return heard
                if version := _access_version(fields):
                    return replace(heard, access_version=max(version, before.access_version))
            if known is None and entries is not last:
                return heard  # it is no matter of the whole past
            entries = await self._events_before(tenant, entries[-1][0], _EVENTS_PAGE)
        return heard

    async def _events_before(self, tenant: TenantId, before: Any, count: int) -> Any:
        """The newest events before one, or of all, newest first."""
        newest = before if before == "+" else b"(" + before
        with redis_errors():
            return await self._events.xrevrange(
                f"events:hierarchy:{{{tenant}}}", max=newest, count=count
            )

    async def _asked(
        self, tenant: TenantId, known: Organisation | None, heard: "_Heard", deadline: Deadline
    ) -> Organisation:
        asked_at = self._clock.monotonic()
        tree = await self._tree(tenant, known, deadline)
        blueprint = await self._blueprint(tenant, deadline)
        if known is not None and blueprint == known.blueprint:
            blueprint = known.blueprint
        return Organisation(tree, blueprint, heard.event_id, asked_at, heard.access_version)

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


@dataclass(frozen=True, slots=True)
class _Heard:
    """How far the organisation is known to have come."""

    event_id: str
    access_version: int

    @classmethod
    def by(cls, known: Organisation) -> Self:
        return cls(known.event_id, known.access_version)


def _access_version(fields: Any) -> int:
    """The access version that an event tells of; 0 for another event, or one of a later layout."""
    try:
        event = pb.HierarchyEvent.FromString(fields.get(b"event", b""))
    except DecodeError:
        return 0
    return event.access_changed.access_version


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
