"""Which callers every method of a tenant turns away, whatever they ask."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc.aio
import pytest

from kit.channel import open_channel
from services.hierarchy.domain.model import TenantId
from services.hierarchy.domain.operations import Decision, Moment, Operation, Steps, Want
from services.hierarchy.domain.tenants import TenantHeader, TenantStatus
from tests.builders_hierarchy import a_request_id, a_row
from tests.hierarchy_server import SERVICE_SUBJECT, Hierarchy, a_caller, running
from tests.unit.hierarchy.every_method import METHODS, outcomes
from tests.unit.hierarchy.good_requests import REQUESTS

OPERATOR = a_caller(tenant=None, capabilities=["operate"], subject="operator")
USER = a_caller(capabilities=["view", "compose", "approve", "administer", "relay", "monitor"])
SERVICE = a_caller(tenant=None, subject=SERVICE_SUBJECT, named_tenant="neem")


@pytest.fixture
async def hierarchy(tmp_path: Path) -> AsyncIterator[Hierarchy]:
    async with running(tmp_path) as server:
        await server.start(a_row("state", "RJ"))
        yield server


@pytest.fixture
async def channel(hierarchy: Hierarchy, tmp_path: Path) -> AsyncIterator[grpc.aio.Channel]:
    async with open_channel(f"unix:{tmp_path}/grpc.sock", service="any") as channel:
        yield channel


async def become(hierarchy: Hierarchy, status: TenantStatus) -> TenantHeader:
    def decide(moment: Moment) -> Steps[None]:
        yield Want({})
        return Decision(None, header=replace(moment.header, status=status))

    operation = Operation("become", a_request_id(), "", "", type(None), decide)
    await hierarchy.store.graph.write(TenantId("neem"), operation)
    return await hierarchy.store.graph.header(TenantId("neem"))


def test_there_is_a_request_for_every_method() -> None:
    assert set(REQUESTS) == set(METHODS)


@pytest.mark.parametrize("caller", [USER, SERVICE], ids=["user", "service"])
@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (TenantStatus.SUSPENDED, "TENANT_SUSPENDED"),
        (TenantStatus.DELETING, "TENANT_UNKNOWN"),
        (TenantStatus.DELETED, "TENANT_UNKNOWN"),
    ],
)
async def test_a_tenant_that_may_not_work_is_turned_away_everywhere(
    hierarchy: Hierarchy, channel: Any, status: TenantStatus, reason: str, caller: Any
) -> None:
    before = await become(hierarchy, status)

    assert await outcomes(channel, caller) == dict.fromkeys(METHODS, reason)
    assert await hierarchy.store.graph.header(TenantId("neem")) == before


async def test_an_operator_opens_nothing_of_a_tenant(hierarchy: Hierarchy, channel: Any) -> None:
    named = replace(OPERATOR, named_tenant="neem")

    assert await outcomes(channel, OPERATOR) == dict.fromkeys(METHODS, "TENANT_REQUIRED")
    assert await outcomes(channel, named) == dict.fromkeys(METHODS, "TENANT_REQUIRED")


async def test_an_operator_of_a_tenant_opens_nothing_at_all(
    hierarchy: Hierarchy, channel: Any
) -> None:
    both = a_caller(capabilities=["operate", "administer", "view"])

    assert await outcomes(channel, both) == dict.fromkeys(METHODS, "TOKEN_INVALID")


async def test_a_tenant_that_nobody_created_is_turned_away_everywhere(tmp_path: Path) -> None:
    async with running(tmp_path, implicit_tenants=False) as server:
        async with open_channel(f"unix:{tmp_path}/grpc.sock", service="any") as channel:
            assert await outcomes(channel, USER) == dict.fromkeys(METHODS, "TENANT_UNKNOWN")
        assert await server.store.graph.tenants(limit=10) == []
