"""Groups beside the real hierarchy and its relay: two services and nothing between them."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from chaupal.groups.v1 import groups_pb2 as pb
from chaupal.groups.v1.groups_pb2_grpc import GroupsServiceStub
from chaupal.hierarchy.v1 import hierarchy_pb2 as peer_pb
from chaupal.hierarchy.v1.hierarchy_pb2_grpc import HierarchyServiceStub

from kit.channel import call_metadata, translate_rpc_errors
from kit.errors import InvalidInput
from services.groups.bootstrap import open_groups
from services.hierarchy.bootstrap import run_server, run_worker
from services.hierarchy.config import Settings, WorkerSettings
from tests.channels import plain_channel
from tests.timing import wait_until
from tests.unit.groups.messages import a_request_id, a_row, an_audience, an_import
from tests.unit.groups.platform import ISSUER, a_token, settings_for

if TYPE_CHECKING:
    from chaupal.groups.v1.groups_pb2_grpc import GroupsServiceAsyncStub
    from chaupal.hierarchy.v1.hierarchy_pb2_grpc import HierarchyServiceAsyncStub

LEVELS = ("state", "district", "booth")


@dataclass
class Both:
    """Stubs of both services, and who calls."""

    hierarchy: "HierarchyServiceAsyncStub"
    groups: "GroupsServiceAsyncStub"
    metadata: Any

    async def put_blueprint(self, kinds: Sequence[tuple[str, bool]]) -> None:
        def names(text: str) -> peer_pb.LocalizedText:
            return peer_pb.LocalizedText(by_language={"en": text})

        blueprint = peer_pb.Blueprint(
            style="party",
            names=names("Neem"),
            levels=[peer_pb.Level(key=key, names=names(key)) for key in LEVELS],
            group_kinds=[
                peer_pb.GroupKind(key=key, names=names(key), has_category=has) for key, has in kinds
            ],
            categories=[peer_pb.Category(key="farmers", names=names("Farmers"))],
        )
        request = peer_pb.PutBlueprintRequest(blueprint=blueprint)
        await self.hierarchy.PutBlueprint(request, metadata=self.metadata)

    async def import_units(self, *units: tuple[str, str, str, str]) -> None:
        """Level, code, and the parent's level and code of each."""
        rows = [
            peer_pb.UnitRow(
                row=number,
                level=level,
                code=code,
                names=peer_pb.LocalizedText(by_language={"en": code}),
                parent_level=parent_level,
                parent_code=parent_code,
            )
            for number, (level, code, parent_level, parent_code) in enumerate(units)
        ]

        async def messages() -> AsyncIterator[peer_pb.ImportUnitsRequest]:
            header = peer_pb.ImportUnitsHeader(request_id=a_request_id())
            yield peer_pb.ImportUnitsRequest(header=header)
            yield peer_pb.ImportUnitsRequest(page=peer_pb.ImportUnitsPage(rows=rows))

        answer = await self.hierarchy.ImportUnits(messages(), metadata=self.metadata)
        assert answer.report.applied, answer.report

    async def unit_id(self, level: str, code: str) -> str:
        request = peer_pb.GetUnitRequest(key=peer_pb.UnitKey(level=level, code=code))
        return (await self.hierarchy.GetUnit(request, metadata=self.metadata)).unit.id

    async def import_groups(self, *rows: pb.GroupRow) -> pb.GroupImportReport:
        return (await self.groups.ImportGroups(an_import(rows), metadata=self.metadata)).report

    async def preview(self, unit_id: str, split_level: str = "") -> pb.PreviewAudienceResponse:
        term = {"unit_ids": [unit_id]}
        request = pb.PreviewAudienceRequest(split_level=split_level, audience=an_audience())
        request.audience.include.add(**term)
        with translate_rpc_errors():
            return await self.groups.PreviewAudience(request, metadata=self.metadata)


@pytest.fixture
async def both(tmp_path: Path, valkey_url: str, unique: str) -> AsyncIterator[Both]:
    async with AsyncExitStack() as stack:
        settings_for(tmp_path, valkey_url, "")  # leaves keys in the folder
        common: dict[str, Any] = {
            "port": 0,
            "oidc_issuer": ISSUER,
            "oidc_jwks_file": tmp_path / "jwks.json",
            "service_subjects": frozenset({"service:groups"}),
            "database_file": tmp_path / "hierarchy.sqlite3",
            "drain": timedelta(0),
        }
        peer = await stack.enter_async_context(
            running(lambda **on: run_server(Settings(**common, implicit_tenants=True), **on))
        )
        relay = WorkerSettings(
            **common, redis_url=valkey_url, relay_interval=timedelta(milliseconds=5)
        )
        await stack.enter_async_context(running(lambda **on: run_worker(relay, **on)))
        # So long that nothing but an event, or a question, tells of a change.
        settings = settings_for(tmp_path, valkey_url, peer, organisation_oldest=timedelta(hours=1))
        server = await stack.enter_async_context(open_groups(settings))
        port = await server.start("127.0.0.1:0")
        stack.push_async_callback(server.drain, timedelta(0))
        there = await stack.enter_async_context(plain_channel(peer))
        here = await stack.enter_async_context(plain_channel(f"127.0.0.1:{port}"))
        token = a_token("somebody", tenant=unique, capabilities=["view", "administer"])
        yield Both(HierarchyServiceStub(there), GroupsServiceStub(here), call_metadata(token))


@asynccontextmanager
async def running(run: Callable[..., Coroutine[Any, Any, None]]) -> AsyncIterator[str]:
    """Run it inside the block; tells where it listens."""
    stop, port = asyncio.Event(), asyncio.get_running_loop().create_future()
    task = asyncio.create_task(run(ready=port.set_result, stop=stop))
    try:
        await wait_until(lambda: port.done() or task.done(), 20)
        yield f"127.0.0.1:{port.result()}"
    finally:
        stop.set()
        await task


async def test_what_hierarchy_imports_groups_can_use_at_once(both: Both) -> None:
    await both.put_blueprint([("internal", False), ("category", True)])
    await both.import_units(
        ("state", "RJ", "", ""),
        ("district", "alwar", "state", "RJ"),
        ("district", "dausa", "state", "RJ"),
        ("booth", "1", "district", "alwar"),
        ("booth", "2", "district", "dausa"),
    )

    report = await both.import_groups(
        a_row(2, "g-1", "1", "booth", kind="internal", member_count=10),
        a_row(3, "g-2", "2", "booth", kind="internal", member_count=20),
        a_row(4, "g-3", "alwar", "district", kind="category", category="farmers"),
    )
    preview = await both.preview(await both.unit_id("state", "RJ"), "district")

    assert (report.applied, report.created_count) == (True, 3)
    assert (preview.group_count, preview.member_count) == (2, 30)
    assert [(each.unit_id, each.group_count) for each in preview.by_unit] == [
        (await both.unit_id("district", "alwar"), 1),
        (await both.unit_id("district", "dausa"), 1),
    ]
    assert [(each.reason, each.group_count) for each in preview.exclusions] == [("INCOMPLETE", 1)]


async def test_a_move_is_seen_when_it_was_relayed(both: Both) -> None:
    await both.put_blueprint([("internal", False)])
    await both.import_units(
        ("state", "RJ", "", ""),
        ("district", "alwar", "state", "RJ"),
        ("district", "dausa", "state", "RJ"),
        ("booth", "1", "district", "alwar"),
    )
    await both.import_groups(a_row(2, "g-1", "1", "booth", kind="internal"))
    alwar, dausa = await both.unit_id("district", "alwar"), await both.unit_id("district", "dausa")
    assert (await both.preview(alwar)).group_count == 1

    await both.import_units(("booth", "1", "district", "dausa"))

    async def moved() -> bool:
        return (await both.preview(dausa)).group_count == 1

    await wait_until(moved, 10)
    assert (await both.preview(alwar)).group_count == 0


async def test_a_new_kind_is_known_before_it_was_relayed(both: Both) -> None:
    await both.put_blueprint([("internal", False)])
    await both.import_units(("state", "RJ", "", ""))
    row = a_row(2, "g-1", "RJ", "state", kind="street")
    assert [each.reason for each in (await both.import_groups(row)).errors] == ["UNKNOWN_KIND"]
    await both.put_blueprint([("internal", False), ("street", False)])
    assert (await both.import_groups(row)).applied


async def test_a_tenant_without_anything_has_no_units(both: Both) -> None:
    with pytest.raises(InvalidInput) as refused:
        await both.preview(a_request_id())
    assert [each.reason for each in refused.value.violations] == ["UNKNOWN_UNIT"]
