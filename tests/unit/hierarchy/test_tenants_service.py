"""Those who operate the platform create, read and change tenants; nobody else does."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from chaupal.hierarchy.v1 import people_pb2
from chaupal.hierarchy.v1 import tenants_pb2 as pb

from kit.errors import (
    AlreadyExists,
    Conflict,
    Forbidden,
    InvalidInput,
    LimitExceeded,
    NotFound,
    Unauthenticated,
)
from services.hierarchy.domain.model import TenantId
from services.hierarchy.domain.tenants import Quotas
from tests.builders_hierarchy import a_blueprint, a_request_id, a_row, a_small_tree
from tests.builders_people import a_staffed_blueprint
from tests.hierarchy_server import SERVICE_SUBJECT, Caller, a_caller
from tests.tenants_server import OPERATOR, Operated, operated

ID = "00000000-0000-4000-8000-000000000001"
ACTIVE, SUSPENDED = pb.TENANT_STATUS_ACTIVE, pb.TENANT_STATUS_SUSPENDED
EVERY = ("view", "compose", "approve", "administer", "relay", "monitor")
REQUESTS: list[Any] = [
    pb.CreateTenantRequest(tenant=pb.Tenant(id="mango"), request_id=ID),
    pb.GetTenantRequest(id="neem"),
    pb.ListTenantsRequest(),
    pb.UpdateTenantRequest(id="neem", status=SUSPENDED, request_id=ID),
    pb.ExportTenantRequest(id="neem"),
    pb.DeleteTenantRequest(id="neem", confirm_id="neem"),
    pb.RotateTenantKeysRequest(id="neem", new_secrets=True),
]


@pytest.fixture
async def platform(tmp_path: Path) -> AsyncIterator[Operated]:
    async with operated(tmp_path) as platform:
        await platform.create("neem")
        yield platform


def test_there_is_a_request_for_every_method() -> None:
    methods = pb.DESCRIPTOR.services_by_name["TenantsService"].methods
    assert [method.input_type.name for method in methods] == [
        type(request).__name__ for request in REQUESTS
    ]


@pytest.mark.parametrize("request_", REQUESTS, ids=lambda it: type(it).__name__)
@pytest.mark.parametrize(
    "caller",
    [
        a_caller(capabilities=EVERY),
        a_caller(tenant=None, capabilities=EVERY),
        a_caller(tenant=None, capabilities=["operate"], subject=SERVICE_SUBJECT),
        a_caller(tenant=None, subject=SERVICE_SUBJECT, named_tenant="neem"),
    ],
    ids=["administrator", "without-tenant", "service", "service-of-a-tenant"],
)
async def test_nobody_else_may(platform: Operated, request_: Any, caller: Caller) -> None:
    before = await platform.hierarchy.store.graph.tenants(limit=10)

    with pytest.raises(Forbidden) as refused:
        await platform.call(request_, caller)

    assert refused.value.reason == "CAPABILITY_MISSING"
    assert refused.value.fields() == {"capability": "operate"}
    assert await platform.hierarchy.store.graph.tenants(limit=10) == before


@pytest.mark.parametrize("request_", REQUESTS, ids=lambda it: type(it).__name__)
async def test_an_operator_of_a_tenant_is_nobody(platform: Operated, request_: Any) -> None:
    with pytest.raises(Unauthenticated) as refused:
        await platform.call(request_, a_caller(capabilities=["operate"]))
    assert refused.value.reason == "TOKEN_INVALID"


class TestCreating:
    async def test_a_new_tenant_works_with_the_quotas_that_it_was_given(
        self, platform: Operated
    ) -> None:
        made = await platform.create("mango", unit_count=50)

        usual = Quotas()
        assert made == pb.Tenant(
            id="mango",
            status=ACTIVE,
            quotas=pb.Quotas(
                unit_count=50,
                person_count=usual.persons,
                appointment_count=usual.appointments,
            ),
            used=pb.Quotas(),
        )
        assert await platform.get("mango") == made
        await platform.hierarchy.start(*a_small_tree(), caller=a_caller(tenant="mango"))
        now = await platform.get("mango")
        assert (now.used.unit_count, now.tree_version) == (7, 1)
        assert now.HasField("changed_at")

    async def test_an_id_is_given_once_and_a_request_answered_once(
        self, platform: Operated
    ) -> None:
        asked = pb.CreateTenantRequest(tenant=pb.Tenant(id="mango"), request_id=ID)
        first = await platform.call(asked)

        assert await platform.call(asked) == first
        with pytest.raises(AlreadyExists) as refused:
            await platform.create("mango")
        assert refused.value.reason == "TENANT_EXISTS"
        asked.tenant.quotas.unit_count = 9
        with pytest.raises(Conflict) as reused:
            await platform.call(asked)
        assert reused.value.reason == "REQUEST_ID_REUSED"

    async def test_a_tenant_that_nobody_created_cannot_begin(self, platform: Operated) -> None:
        with pytest.raises(Forbidden) as refused:
            await platform.hierarchy.put(a_blueprint(), a_caller(tenant="peepal"))
        assert refused.value.reason == "TENANT_UNKNOWN"
        assert refused.value.fields() == {"tenant_id": "peepal"}
        with pytest.raises(NotFound):
            await platform.get("peepal")


class TestReading:
    async def test_pages_hold_every_tenant_once_by_id(self, platform: Operated) -> None:
        for name in ("t3", "t1", "t2", "ashoka"):
            await platform.create(name)

        pages, token = [], ""
        while True:
            request = pb.ListTenantsRequest(page_size=2, page_token=token)
            page: pb.ListTenantsResponse = await platform.call(request)
            pages.append([tenant.id for tenant in page.tenants])
            if not (token := page.next_page_token):
                break

        assert pages == [["ashoka", "neem"], ["t1", "t2"], ["t3"]]

    async def test_a_tenant_that_never_was_is_not_found(self, platform: Operated) -> None:
        with pytest.raises(NotFound) as refused:
            await platform.get("mango")
        assert refused.value.reason == "TENANT_NOT_FOUND"
        assert refused.value.fields() == {"tenant_id": "mango"}


class TestChanging:
    async def test_a_tenant_goes_on_where_it_was_suspended(self, platform: Operated) -> None:
        await platform.hierarchy.start(*a_small_tree())
        before = await platform.hierarchy.stream_tree()

        assert (await platform.suspend("neem")).status == SUSPENDED
        with pytest.raises(Forbidden) as refused:
            await platform.hierarchy.stream_tree()
        assert refused.value.reason == "TENANT_SUSPENDED"
        # What was to be told is told all the same.
        await platform.relay()
        assert await platform.hierarchy.store.outbox.backlogs(limit=10) == []

        assert (await platform.update("neem", ACTIVE)).status == ACTIVE
        assert await platform.hierarchy.stream_tree() == before

    async def test_a_suspended_tenant_is_no_others_matter(self, platform: Operated) -> None:
        await platform.create("peepal")
        await platform.suspend("neem")
        await platform.hierarchy.start(*a_small_tree(), caller=a_caller(tenant="peepal"))

    async def test_a_call_that_entered_before_changes_nothing_afterwards(
        self, platform: Operated
    ) -> None:
        await platform.hierarchy.put(a_blueprint())

        with pytest.raises(Forbidden) as refused:
            await platform.import_around(lambda: platform.suspend("neem"))

        assert refused.value.reason == "TENANT_SUSPENDED"
        assert (await platform.get("neem")).tree_version == 0

    @pytest.mark.parametrize("status", [0, ACTIVE])
    async def test_quotas_change_alone(self, platform: Operated, status: Any) -> None:
        before = await platform.get("neem")
        after = await platform.update("neem", status, person_count=9)
        before.quotas.person_count = 9
        assert after == before == await platform.get("neem")


class TestQuotas:
    async def test_more_units_than_the_quota_are_refused_by_its_name(
        self, platform: Operated
    ) -> None:
        await platform.hierarchy.start(*a_small_tree())
        await platform.update("neem", unit_count=7)

        with pytest.raises(LimitExceeded) as refused:
            await platform.hierarchy.import_rows(a_row("state", "GJ"))

        assert refused.value.reason == "QUOTA_EXCEEDED"
        assert refused.value.fields() == {"quota": "units", "limit": "7"}
        assert (await platform.get("neem")).used.unit_count == 7

    async def test_more_persons_than_the_quota_are_refused_by_its_name(
        self, platform: Operated
    ) -> None:
        await platform.update("neem", person_count=1)
        await platform.put_person("neem", "Asha", "")

        with pytest.raises(LimitExceeded) as refused:
            await platform.put_person("neem", "Bina", "")

        assert refused.value.fields() == {"quota": "persons", "limit": "1"}
        assert (await platform.get("neem")).used.person_count == 1

    async def test_more_appointments_than_the_quota_are_refused_by_its_name(
        self, platform: Operated
    ) -> None:
        await platform.hierarchy.put(a_staffed_blueprint())
        await platform.hierarchy.import_rows(*a_small_tree())
        await platform.update("neem", appointment_count=1)
        person = await platform.put_person("neem", "Asha", "")
        booths = [await platform.hierarchy.unit("booth", code) for code in ("B1", "B2")]
        asked = [
            people_pb2.AppointRequest(
                unit_id=booth.id,
                position="president",
                person_id=person,
                request_id=a_request_id(),
            )
            for booth in booths
        ]
        await platform.call(asked[0], a_caller())

        with pytest.raises(LimitExceeded) as refused:
            await platform.call(asked[1], a_caller())

        assert refused.value.fields() == {"quota": "appointments", "limit": "1"}
        assert (await platform.get("neem")).used.appointment_count == 1

    async def test_one_tenants_quota_is_not_anothers(self, platform: Operated) -> None:
        await platform.create("peepal", unit_count=1)
        await platform.hierarchy.start(*a_small_tree())
        assert (await platform.get("neem")).used.unit_count == 7


class TestKeys:
    async def test_all_numbers_are_carried_over_also_while_suspended(
        self, platform: Operated
    ) -> None:
        graph, neem = platform.hierarchy.store.graph, TenantId("neem")
        await platform.put_person("neem", "Asha", "+919800000001")
        await platform.put_person("neem", "Bina", "+919800000002")
        before = (await graph.header(neem)).secrets
        await platform.suspend("neem")

        reply = await platform.call(pb.RotateTenantKeysRequest(id="neem", new_secrets=True))

        after = (await graph.header(neem)).secrets
        assert (reply.carried_count, reply.done) == (2, True)
        assert [each.version for each in before.data_keys] == [1]
        assert [each.version for each in after.data_keys] == [2]
        await platform.update("neem", ACTIVE)
        found = await platform.call(
            people_pb2.FindPersonByPhoneRequest(phone="+919800000001"), a_caller()
        )
        assert found.person.names.by_language["en"] == "Asha"

    async def test_a_tenant_that_never_was_has_none(self, platform: Operated) -> None:
        with pytest.raises(NotFound) as refused:
            await platform.call(pb.RotateTenantKeysRequest(id="mango", new_secrets=True))
        assert refused.value.reason == "TENANT_NOT_FOUND"


BAD = [
    (
        pb.CreateTenantRequest(
            tenant=pb.Tenant(id="Mango!", quotas=pb.Quotas(unit_count=-1, person_count=10**10))
        ),
        {
            "tenant.id": "BAD_TENANT",
            "tenant.quotas.unit_count": "OUT_OF_RANGE",
            "tenant.quotas.person_count": "OUT_OF_RANGE",
            "request_id": "BAD_ID",
        },
    ),
    (pb.GetTenantRequest(), {"id": "MISSING"}),
    (pb.ListTenantsRequest(page_size=-1), {"page_size": "PAGE_SIZE_INVALID"}),
    (pb.ListTenantsRequest(page_token="x"), {"page_token": "PAGE_TOKEN_INVALID"}),
    (
        pb.UpdateTenantRequest(
            id="-", status=pb.TENANT_STATUS_DELETING, quotas=pb.Quotas(appointment_count=-5)
        ),
        {
            "id": "BAD_TENANT",
            "status": "BAD_STATUS",
            "quotas.appointment_count": "OUT_OF_RANGE",
            "request_id": "BAD_ID",
        },
    ),
    (
        pb.UpdateTenantRequest(id="neem", status=99, request_id=ID),  # type: ignore[arg-type]
        {"status": "BAD_STATUS"},
    ),
    (pb.ExportTenantRequest(id="x" * 64), {"id": "BAD_TENANT"}),
    (pb.DeleteTenantRequest(id="neem"), {"confirm_id": "NOT_CONFIRMED"}),
    (pb.DeleteTenantRequest(id="neem", confirm_id="peepal"), {"confirm_id": "NOT_CONFIRMED"}),
    (pb.RotateTenantKeysRequest(id="neem/x"), {"id": "BAD_TENANT"}),
]


@pytest.mark.parametrize(("request_", "faults"), BAD, ids=[str(at) for at in range(len(BAD))])
async def test_bad_input_is_named_and_changes_nothing(
    platform: Operated, request_: Any, faults: dict[str, str]
) -> None:
    before = await platform.hierarchy.store.graph.tenants(limit=10)

    with pytest.raises(InvalidInput) as refused:
        await platform.call(request_)

    assert {each.field: each.reason for each in refused.value.violations} == faults
    assert await platform.hierarchy.store.graph.tenants(limit=10) == before


async def test_an_operator_who_names_a_tenant_stays_without(platform: Operated) -> None:
    reply = await platform.call(
        pb.GetTenantRequest(id="neem"), replace(OPERATOR, named_tenant="neem")
    )
    assert reply.tenant.id == "neem"
