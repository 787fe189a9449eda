"""Several writers at once, in one process and in two."""

import asyncio
from dataclasses import dataclass
from typing import cast

import pytest
from chaupal.groups.v1 import groups_pb2 as pb

from kit.clock import FakeClock
from kit.deadline import Deadline
from kit.errors import AlreadyExists, Conflict, RequestIdReused
from services.groups.domain.errors import RegisterBusy, RegisterMoved
from services.groups.domain.model import TenantId
from services.groups.ports import Answer, Change, GroupRegistry, Organisation, RequestKey
from services.groups.use_cases.call import Call
from services.groups.use_cases.views import Standing, Views
from services.groups.use_cases.writer import ATTEMPTS, Writer
from tests.timing import wait_until
from tests.unit.groups.builders import BLUEPRINT, TENANT, a_state, register_of
from tests.unit.groups.messages import a_group, a_request_id, a_row, an_import
from tests.unit.groups.platform import Platform

Outcome = pb.Group | BaseException


async def register_all(
    platform: Platform, requests: list[pb.RegisterGroupRequest]
) -> list[Outcome]:
    """All at once, by turns through the siblings."""

    async def one(index: int, request: pb.RegisterGroupRequest) -> pb.Group:
        stub = platform.stubs[index % len(platform.stubs)]
        return (await platform.ask(stub.RegisterGroup, request)).group

    return await asyncio.gather(
        *(one(index, request) for index, request in enumerate(requests)), return_exceptions=True
    )


async def codes(platform: Platform) -> list[str]:
    request = pb.ListGroupsRequest(page_size=1_000)
    return [each.code for each in (await platform.ask(platform.stub.ListGroups, request)).groups]


async def test_what_was_answered_is_there_and_nothing_else(siblings: Platform) -> None:
    requests = [
        pb.RegisterGroupRequest(group=a_group(f"g-{n:02}"), request_id=a_request_id())
        for n in range(40)
    ]
    outcomes = await register_all(siblings, requests)
    registered = [each.code for each in outcomes if isinstance(each, pb.Group)]
    lost = [each for each in outcomes if not isinstance(each, pb.Group)]
    assert await codes(siblings) == sorted(registered)
    assert all(isinstance(each, Conflict) and each.reason == "REGISTER_BUSY" for each in lost)
    # Each lost attempt is another's success, so half of them come through at the very least.
    assert len(registered) >= 20


async def test_one_code_is_registered_once(siblings: Platform) -> None:
    requests = [
        pb.RegisterGroupRequest(group=a_group("g-1"), request_id=a_request_id()) for _ in range(8)
    ]
    outcomes = await register_all(siblings, requests)
    [group] = [each for each in outcomes if isinstance(each, pb.Group)]
    taken = [each for each in outcomes if isinstance(each, AlreadyExists)]
    assert len(taken) == 7
    assert {each.fields()["group_id"] for each in taken} == {group.id}
    assert await codes(siblings) == ["g-1"]


async def test_one_request_sent_many_times_is_applied_once(siblings: Platform) -> None:
    request = pb.RegisterGroupRequest(group=a_group("g-1"), request_id=a_request_id())
    outcomes = await register_all(siblings, [request] * 8)
    assert [each for each in outcomes if isinstance(each, BaseException)] == []
    assert {cast("pb.Group", each).id for each in outcomes} == {cast("pb.Group", outcomes[0]).id}
    assert await codes(siblings) == ["g-1"]


async def test_one_import_sent_through_both_is_applied_once(siblings: Platform) -> None:
    request_id = a_request_id()
    rows = [a_row(n, f"g-{n:04}") for n in range(900)]
    reports = await asyncio.gather(
        *(
            stub.ImportGroups(an_import(rows, request_id), metadata=siblings.metadata())
            for stub in siblings.stubs
        )
    )
    assert reports[0] == reports[1]
    assert (reports[0].report.created_count, reports[0].report.applied) == (900, True)
    request = pb.ListGroupsRequest()
    assert (await siblings.ask(siblings.stub.ListGroups, request)).total_count == 900


class Contended:
    """A store where somebody else always, or sometimes, comes first."""

    def __init__(self, lost: int, stored: Answer | None = None) -> None:
        self.lost = lost
        self.stored = stored
        self.attempts = 0

    async def answer(self, tenant: TenantId, request_id: str) -> Answer | None:
        """None: the commit itself is where it is found."""
        assert (tenant, request_id) == (TENANT, REQUEST.request_id)
        return None

    async def commit(self, change: Change) -> Answer | None:
        self.attempts += 1
        if self.attempts <= self.lost:
            raise RegisterMoved(change.base.version, change.base.version + 1)
        return self.stored


class Present:
    """Views that stand still."""

    async def standing(self, tenant: TenantId, _deadline: Deadline) -> Standing:
        register, tree = register_of([], tenant=tenant), a_state().snapshot()
        organisation = Organisation(tree, BLUEPRINT, "", 0.0)
        return Standing(register, organisation)


@dataclass(frozen=True)
class Somebody:
    tenant_id: str = str(TENANT)
    subject: str = "somebody"
    is_service: bool = False
    capabilities: frozenset[str] = frozenset({"administer"})


REQUEST = RequestKey(a_request_id(), "hash")


async def commit(store: Contended) -> str:
    clock = FakeClock()
    writer = Writer(cast(Views, Present()), cast(GroupRegistry, store), clock)

    async def work_out(standing: Standing) -> Change:
        return Change(standing.register, [], [], 1, REQUEST, "mine")

    call = Call(Somebody(), Deadline.after(60))
    task = asyncio.create_task(writer.commit(call, REQUEST, work_out))
    while not task.done():
        await wait_until(lambda: task.done() or clock.sleeping > 0, 10)
        clock.advance(10)
    return await task


@pytest.mark.parametrize("lost", [0, 1, ATTEMPTS - 1])
async def test_it_is_tried_again_while_others_come_first(lost: int) -> None:
    store = Contended(lost)
    assert await commit(store) == "mine"
    assert store.attempts == lost + 1


async def test_after_so_many_attempts_it_gives_up() -> None:
    store = Contended(lost=99)
    with pytest.raises(RegisterBusy) as busy:
        await commit(store)
    assert busy.value.fields() == {"attempt_count": str(ATTEMPTS)}
    assert store.attempts == ATTEMPTS


async def test_an_answer_that_was_stored_meanwhile_is_told() -> None:
    assert await commit(Contended(1, Answer("hash", "theirs"))) == "theirs"


async def test_an_answer_to_something_else_is_refused() -> None:
    with pytest.raises(RequestIdReused):
        await commit(Contended(1, Answer("other", "theirs")))
