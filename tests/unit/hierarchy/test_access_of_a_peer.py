"""What a peer goes by: answers of hierarchy, kept while they are confirmed, and no longer.

Over loopback and a real store. Time is the test's, so the bound is one that no slow machine meets
by chance; that it is one second in operation is asserted on its own.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from datetime import UTC, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from chaupal.hierarchy.v1 import access_pb2 as pb
from chaupal.hierarchy.v1 import people_pb2
from chaupal.hierarchy.v1.access_pb2_grpc import AccessServiceStub

from kit.channel import open_channel, outgoing
from kit.clock import FakeClock
from kit.confirmed import BOUND, ConfirmedValues, Dated, Unconfirmed
from kit.deadline import Deadline
from kit.errors import Forbidden
from services.hierarchy.domain.events import AccessChanged
from services.hierarchy.domain.operations import Operation
from services.hierarchy.domain.tenant_changes import QuotaChange, Tenant, decide_update
from services.hierarchy.domain.tenants import TenantStatus
from services.hierarchy.servicers.access import SERVICE_NAME
from tests.access_server import PEER
from tests.builders_hierarchy import a_request_id
from tests.hierarchy_server import running
from tests.people_server import NEEM, PeopleServer, staffed
from tests.timing import wait_until

LONG = timedelta(seconds=30)
ALMOST = LONG - timedelta(milliseconds=1)
ENOUGH = timedelta(milliseconds=1)


class Hierarchy:
    """The source of what a peer keeps: capabilities and where, of a subject."""

    def __init__(self, stub: Any) -> None:
        self._stub = stub
        self.calls: list[str] = []

    async def load(
        self, tenant: str, subject: str, *, deadline: Deadline
    ) -> Dated[frozenset[tuple[str, str]]]:
        self.calls.append("GetViewer")
        async with outgoing(
            f"{SERVICE_NAME}/GetViewer", deadline=deadline, token=PEER.token, tenant=tenant
        ) as options:
            request = pb.GetViewerRequest(subject=subject)
            reply: pb.GetViewerResponse = await self._stub.GetViewer(request, **options)
        ends = reply.valid_until.ToDatetime(UTC) if reply.HasField("valid_until") else None
        rights = frozenset((each.grant.capability, each.unit_id) for each in reply.grants)
        return Dated(reply.access_version, rights, ends)

    async def version(self, tenant: str, *, deadline: Deadline) -> int:
        self.calls.append("GetAccessVersion")
        async with outgoing(
            f"{SERVICE_NAME}/GetAccessVersion", deadline=deadline, token=PEER.token, tenant=tenant
        ) as options:
            reply: pb.GetAccessVersionResponse = await self._stub.GetAccessVersion(
                pb.GetAccessVersionRequest(), **options
            )
        return reply.access_version


@dataclass
class World:
    """A peer, and Asha, who convenes Jaipur."""

    people: PeopleServer
    clock: FakeClock
    source: Hierarchy
    values: ConfirmedValues[frozenset[tuple[str, str]]]
    jaipur: str
    office: people_pb2.Appointment
    stop: AsyncExitStack
    followed: int = 0

    async def may(self, capability: str = "administer") -> bool:
        return (capability, self.jaipur) in await self.values.get(NEEM, "asha")

    async def end(self) -> None:
        await self.people.call(
            people_pb2.EndAppointmentsRequest(ids=[self.office.id], request_id=a_request_id())
        )

    async def appoint(self) -> None:
        (person,) = await self.people.get(self.office.person_id)
        await self.people.appoint("district", "JPR", "district_convenor", person.person)

    async def become(self, status: TenantStatus) -> None:
        decide = partial(decide_update, status, QuotaChange())
        operation = Operation("update", a_request_id(), "", "", Tenant, decide)
        await self.people.hierarchy.store.graph.write(NEEM, operation)

    async def follow(self) -> None:
        """Take note of the events since the last time."""
        outbox = self.people.hierarchy.store.outbox
        events = await outbox.events(NEEM, after=self.followed, limit=1_000)
        for event in events:
            self.followed = event.sequence
            if isinstance(event.change, AccessChanged):
                self.values.at_least(NEEM, event.change.access_version)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with AsyncExitStack() as hierarchy:
        people = await hierarchy.enter_async_context(staffed(tmp_path))
        asha = await people.person("Asha", subject="asha")
        office = await people.appoint("district", "JPR", "district_convenor", asha)
        jaipur = await people.unit_id("district", "JPR")
        async with open_channel(f"unix:{tmp_path}/grpc.sock", service=SERVICE_NAME) as channel:
            source = Hierarchy(AccessServiceStub(channel))
            values = ConfirmedValues(source, people.clock, bound=LONG)
            one = World(people, people.clock, source, values, jaipur, office, hierarchy)
            await one.follow()
            yield one


def test_the_bound_is_a_second() -> None:
    assert timedelta(seconds=1) == BOUND


async def test_while_nothing_happens_a_small_call_for_each_bound_is_all(world: World) -> None:
    for _ in range(4):
        assert await world.may() is True
        world.clock.advance(LONG / 2)
    assert world.source.calls == ["GetViewer", "GetAccessVersion"]


async def test_without_events_a_revocation_is_in_force_within_the_bound(world: World) -> None:
    assert await world.may() is True
    await world.end()
    world.clock.advance(ALMOST)
    assert await world.may() is True  # nobody has told us
    world.clock.advance(ENOUGH)
    assert await world.may() is False


async def test_with_its_event_a_revocation_is_in_force_at_once(world: World) -> None:
    assert await world.may() is True
    await world.end()
    await world.follow()
    assert await world.may() is False


async def test_what_was_just_granted_is_not_refused_once_its_event_was_seen(world: World) -> None:
    await world.end()
    assert await world.may() is False
    await world.appoint()
    await world.follow()
    assert await world.may() is True


async def test_nor_once_the_caller_has_seen_its_version(world: World) -> None:
    await world.end()
    assert await world.may() is False
    await world.appoint()
    seen = await world.source.version(NEEM, deadline=Deadline.after(30))
    world.values.at_least(NEEM, seen)
    assert await world.may() is True


async def test_an_office_that_ends_by_itself_is_over_then(world: World) -> None:
    request = people_pb2.EndAppointmentsRequest(ids=[world.office.id], request_id=a_request_id())
    request.valid_to.FromDatetime(world.clock.now() + LONG / 4)
    await world.people.call(request)
    await world.follow()
    assert await world.may() is True
    world.clock.advance(LONG / 4 - ENOUGH)
    assert await world.may() is True
    world.clock.advance(ENOUGH)
    assert await world.may() is False
    assert world.source.calls == ["GetViewer", "GetViewer"]


async def test_a_suspended_tenant_is_refused_within_the_bound(world: World) -> None:
    assert await world.may() is True
    await world.become(TenantStatus.SUSPENDED)
    world.clock.advance(LONG)
    with pytest.raises(Forbidden) as refused:
        await world.may()
    assert refused.value.reason == "TENANT_SUSPENDED"

    await world.become(TenantStatus.ACTIVE)
    assert await world.may() is True


async def test_a_suspended_tenant_is_refused_at_once_by_its_event(world: World) -> None:
    assert await world.may() is True
    await world.become(TenantStatus.SUSPENDED)
    await world.follow()
    with pytest.raises(Forbidden):
        await world.may()


async def test_when_hierarchy_stops_it_goes_on_to_the_bound_and_then_fails_closed(
    world: World, tmp_path: Path
) -> None:
    assert await world.may() is True
    await world.stop.aclose()

    world.clock.advance(ALMOST)
    assert await world.may() is True
    world.clock.advance(ENOUGH)
    for _ in range(2):
        with pytest.raises(Unconfirmed) as refused:
            await world.may()
        assert refused.value.reason == "ACCESS_UNCONFIRMED"
    with pytest.raises(Unconfirmed):
        await world.values.get(NEEM, "somebody else")

    async with running(tmp_path, world.clock):
        world.source.calls.clear()
        assert await wait_until(partial(confirmed, world), 30) is True
        assert "GetViewer" not in world.source.calls  # it still stood


async def confirmed(world: World) -> bool:
    """Whether she may, once the connection is up again."""
    with suppress(Unconfirmed):
        return await world.may()
    return False
