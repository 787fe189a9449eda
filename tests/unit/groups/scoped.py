"""Groups over a real hierarchy on loopback: people with offices, and every question to groups.

Time is the test's, so the bound is one that no slow machine meets by chance; that it is a second in
operation is asserted on its own. Events reach groups when the test relays them, and not before.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from chaupal.groups.v1 import groups_pb2 as pb
from chaupal.groups.v1.groups_pb2_grpc import GroupsServiceStub
from chaupal.hierarchy.v1 import people_pb2

from kit.channel import call_metadata, translate_rpc_errors
from kit.clock import FakeClock, SystemClock
from kit.redis import RedisClient, open_redis
from services.groups.adapters.redis.rows import id_text
from services.groups.bootstrap import open_groups
from services.groups.config import Settings
from services.hierarchy.adapters.event_streams import RedisEventStreams
from services.hierarchy.domain.model import Grant
from services.hierarchy.translate.events import event_to_bytes
from services.hierarchy.use_cases.relay import relay_events
from tests.access_server import PEER
from tests.builders_people import a_position, a_staffed_blueprint
from tests.channels import plain_channel
from tests.hierarchy_server import ISSUER, SERVICE_SUBJECT, Caller, a_caller
from tests.people_server import PeopleServer, staffed
from tests.unit.groups.messages import a_request_id, a_row, an_audience, an_import

BOUND = timedelta(seconds=30)
EXECUTIVE = pb.Admin(person="p-9", role=pb.ADMIN_ROLE_STATE_EXECUTIVE)
WHOLE = a_caller()
# Code, level and code of the unit, category, members.
GROUPS = (
    ("rj-int", "state", "RJ", "", 1),
    ("rj-far", "state", "RJ", "farmers", 2),
    ("jpr-int", "district", "JPR", "", 4),
    ("jpr-far", "district", "JPR", "farmers", 8),
    ("b1-int", "booth", "B1", "", 16),
    ("ajm-int", "district", "AJM", "", 32),
    ("c1-far", "booth", "C1", "farmers", 64),
)


@dataclass
class Scoped:
    """Both services, and the time of groups."""

    people: PeopleServer
    stub: Any
    clock: FakeClock
    events: RedisClient
    hierarchy: AsyncExitStack

    async def office(
        self, subject: str, level: str, code: str, position: str
    ) -> tuple[Caller, people_pb2.Appointment]:
        """Somebody with nothing but this office."""
        person = await self.people.person(subject.title(), subject=subject)
        appointment = await self.people.appoint(level, code, position, person)
        return a_caller(capabilities=(), subject=subject), appointment

    async def end(self, appointment: people_pb2.Appointment) -> None:
        await self.people.call(
            people_pb2.EndAppointmentsRequest(ids=[appointment.id], request_id=a_request_id())
        )

    async def relay(self) -> None:
        """Let groups hear what happened."""
        streams = RedisEventStreams(self.events, event_to_bytes)
        await relay_events(self.people.hierarchy.store.outbox, streams)

    async def unit(self, code: str) -> str:
        levels = {"RJ": "state", "JPR": "district", "AJM": "district", "M1": "mandal"}
        return await self.people.unit_id(levels.get(code, "booth"), code)

    async def ask(self, request: Any, caller: Caller) -> Any:
        method = getattr(self.stub, type(request).__name__.removesuffix("Request"))
        with translate_rpc_errors():
            return await method(request, metadata=_metadata(caller), timeout=30)

    async def bring_in(
        self, caller: Caller, *rows: pb.GroupRow, validate_only: bool = False
    ) -> pb.GroupImportReport:
        messages = an_import(rows, validate_only=validate_only)
        with translate_rpc_errors():
            answer = await self.stub.ImportGroups(messages, metadata=_metadata(caller), timeout=30)
        report: pb.GroupImportReport = answer.report
        return report

    async def listed(self, caller: Caller, unit_id: str = "") -> list[str]:
        request = pb.ListGroupsRequest(filter=pb.GroupFilter(unit_id=unit_id))
        answer = await self.ask(request, caller)
        assert answer.total_count == len(answer.groups)
        return [each.code for each in answer.groups]

    async def preview(self, caller: Caller, *units: str, split: str = "") -> Any:
        return await self.ask(
            pb.PreviewAudienceRequest(audience=_rule(units), split_level=split), caller
        )

    async def resolved(self, caller: Caller, *units: str) -> tuple[list[str], list[str]]:
        """Ids of the groups, and of the units of the frame."""
        request = pb.ResolveAudienceRequest(audience=_rule(units))
        call = self.stub.ResolveAudience(request, metadata=_metadata(caller), timeout=30)
        with translate_rpc_errors():
            parts = [part async for part in call]
        targets = b"".join(part.targets.group_ids for part in parts)
        frame = b"".join(part.frame.unit_ids for part in parts)
        return _ids(targets), _ids(frame)

    async def ids(self) -> dict[str, str]:
        """The id of every group by its code."""
        answer = await self.ask(pb.ListGroupsRequest(), WHOLE)
        return {each.code: each.id for each in answer.groups}


def _ids(packed: bytes) -> list[str]:
    return [id_text(packed[start : start + 16]) for start in range(0, len(packed), 16)]


def _rule(units: Sequence[str]) -> Any:
    rule = an_audience()
    rule.include.add(unit_ids=units)
    return rule


def _metadata(caller: Caller) -> Any:
    return call_metadata(caller.token, tenant=caller.named_tenant)


def group_row(number: int, code: str, level: str, unit: str, category: str = "") -> pb.GroupRow:
    kind = "category" if category else "internal"
    return a_row(number, code, unit, level, kind=kind, category=category, admins=[EXECUTIVE])


@asynccontextmanager
async def scoped(folder: Path, redis_url: str) -> AsyncIterator[Scoped]:
    """A staffed organisation with `GROUPS`; what became so was relayed."""
    async with AsyncExitStack() as stack:
        hierarchy = await stack.enter_async_context(AsyncExitStack())
        people = await hierarchy.enter_async_context(staffed(folder))
        blueprint = a_staffed_blueprint()
        for_farmers = [Grant(each, ("farmers",)) for each in ("view", "administer")]
        in_charge = replace(a_position("farmers_in_charge", "state"), grants=tuple(for_farmers))
        await people.hierarchy.put(replace(blueprint, positions=(*blueprint.positions, in_charge)))
        (folder / "token").write_text(PEER.token)
        settings = Settings(
            oidc_issuer=ISSUER,
            oidc_jwks_file=folder / "jwks.json",
            service_subjects=frozenset({SERVICE_SUBJECT}),
            service_token_file=folder / "token",
            redis_url=redis_url,
            hierarchy_target=f"unix:{folder}/grpc.sock",
            # So long that nothing but an event, or a question, tells of a change.
            organisation_oldest=timedelta(hours=10),
        )
        clock = FakeClock(SystemClock().now())
        server = await stack.enter_async_context(open_groups(settings, clock, confirmed_for=BOUND))
        port = await server.start("127.0.0.1:0")
        stack.push_async_callback(server.drain, timedelta(0))
        channel = await stack.enter_async_context(plain_channel(f"127.0.0.1:{port}"))
        events = open_redis(redis_url)
        stack.push_async_callback(events.aclose)
        one = Scoped(people, GroupsServiceStub(channel), clock, events, hierarchy)
        await one.relay()
        rows = [
            group_row(number, code, level, unit, category)
            for number, (code, level, unit, category, _) in enumerate(GROUPS, 2)
        ]
        for row, (*_, members) in zip(rows, GROUPS, strict=True):
            row.member_count = members
        assert (await one.bring_in(WHOLE, *rows)).applied
        yield one
