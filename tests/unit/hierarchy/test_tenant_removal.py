"""What is removed is gone for ever, with a proof; nobody else's is touched."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest
from chaupal.hierarchy.v1 import tenants_pb2 as pb

from kit.deadline import Deadline
from kit.errors import AlreadyExists, Forbidden, NotFound, PreconditionFailed, Unavailable
from services.hierarchy.domain.events import AccessChanged, TenantChanged
from services.hierarchy.domain.model import TenantId
from services.hierarchy.domain.people import Person
from services.hierarchy.domain.people_errors import SecretUnreadable
from services.hierarchy.domain.records import RECORD_TYPES
from services.hierarchy.domain.tenant_changes import DeletionProof
from services.hierarchy.domain.tenants import TenantHeader, TenantSecrets, TenantStatus
from tests.builders_hierarchy import a_blueprint
from tests.hierarchy_server import a_caller
from tests.tenants_server import Operated, Operator, lines_of, operated
from tests.timing import wait_until

NEEM = TenantId("neem")
DELETED = pb.TENANT_STATUS_DELETED


@pytest.fixture
async def platform(tmp_path: Path) -> AsyncIterator[Operated]:
    """Two tenants with the same in them; what they had to tell was told."""
    async with operated(tmp_path) as platform:
        for tenant in ("neem", "peepal"):
            await platform.create(tenant)
            await platform.fill(tenant)
        await platform.relay()
        yield platform


async def header(platform: Operated) -> TenantHeader:
    return await platform.hierarchy.store.graph.header(NEEM)


async def removed(platform: Operated) -> pb.DeleteTenantResponse:
    """The tenant suspended and deleted, while a worker relays."""
    await platform.suspend("neem")
    deleting = asyncio.create_task(platform.delete("neem"))

    async def is_done() -> bool:
        await platform.relay()
        return deleting.done()

    await wait_until(is_done, 30)
    return await deleting


def rows_of(path: Path, tenant: str) -> dict[str, int]:
    """How many rows of each table of the store name a tenant."""
    with sqlite3.connect(path) as connection:
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        names = [name for (name,) in tables if not name.startswith("sqlite_")]
        counts = {}
        for name in names:
            key = "id" if name == "tenant" else "tenant"
            query = f"SELECT count(*) FROM {name} WHERE {key} = ?"
            counts[name] = connection.execute(query, (tenant,)).fetchone()[0]
    connection.close()
    return counts


async def test_nothing_is_left_but_the_name(platform: Operated, tmp_path: Path) -> None:
    before = rows_of(tmp_path / "hierarchy.sqlite3", "neem")
    assert min(before.values()) > 0

    reply = await removed(platform)

    after = rows_of(tmp_path / "hierarchy.sqlite3", "neem")
    assert after == dict.fromkeys(before, 0) | {"tenant": 1}
    # A version of the tree and one of access, which say nothing of anybody.
    left = await header(platform)
    assert left == TenantHeader(
        NEEM,
        tree_version=1,
        access_version=left.access_version,
        status=TenantStatus.DELETED,
    )
    assert reply.removed_count >= sum(before.values()) - 1
    assert reply.proof.remaining_count == 0


async def test_a_proof_can_be_checked_and_made_again(platform: Operated) -> None:
    first = (await removed(platform)).proof

    again = await platform.delete("neem")

    assert again.removed_count == 0
    for proof in (first, again.proof):
        at = proof.deleted_at.ToDatetime(UTC)
        assert (proof.tenant_id, proof.remaining_count) == ("neem", 0)
        assert proof.digest == DeletionProof(NEEM, at, 0).digest
    assert (await platform.get("neem")).status == DELETED


async def test_another_tenant_is_as_it_was(platform: Operated, tmp_path: Path) -> None:
    before = lines_of(await platform.export("peepal"))
    rows = rows_of(tmp_path / "hierarchy.sqlite3", "peepal")
    backlogs = platform.hierarchy.store.outbox
    events = await backlogs.events(TenantId("peepal"), after=0, limit=100)

    await removed(platform)

    after = lines_of(await platform.export("peepal"))
    assert after[1:-1] == before[1:-1]
    assert {**after[0], "exported_at": ""} == {**before[0], "exported_at": ""}
    assert rows_of(tmp_path / "hierarchy.sqlite3", "peepal") == rows
    assert await backlogs.events(TenantId("peepal"), after=0, limit=100) == events
    await platform.hierarchy.unit("state", "RJ", a_caller(tenant="peepal"))


async def test_a_tenant_at_work_is_not_removed(platform: Operated) -> None:
    before = await header(platform)
    with pytest.raises(PreconditionFailed) as refused:
        await platform.delete("neem")
    assert refused.value.reason == "TENANT_NOT_SUSPENDED"
    assert await header(platform) == before


async def test_a_tenant_that_never_was_is_not_found(platform: Operated) -> None:
    with pytest.raises(NotFound) as refused:
        await platform.delete("mango")
    assert refused.value.reason == "TENANT_NOT_FOUND"
    assert [each.tenant for each in await platform.hierarchy.store.graph.tenants(limit=9)] == [
        "neem", "peepal",
    ]  # fmt: skip


async def test_an_id_is_not_given_again(platform: Operated) -> None:
    await removed(platform)
    with pytest.raises(AlreadyExists) as refused:
        await platform.create("neem")
    assert refused.value.fields() == {"tenant_id": "neem", "status": "deleted"}
    with pytest.raises(PreconditionFailed):
        await platform.update("neem", pb.TENANT_STATUS_ACTIVE)


class TestPeers:
    async def test_until_peers_were_told_only_the_keys_go(
        self, platform: Operated, tmp_path: Path
    ) -> None:
        await platform.suspend("neem")
        before = rows_of(tmp_path / "hierarchy.sqlite3", "neem")

        with pytest.raises(Unavailable) as refused:
            await platform.removal().run(Operator(), NEEM, Deadline.after(0))

        assert refused.value.reason == "PEERS_NOT_TOLD"
        assert refused.value.fields() == {"tenant_id": "neem"}
        now = await header(platform)
        assert (now.status, now.secrets) == (TenantStatus.DELETING, TenantSecrets())
        after = rows_of(tmp_path / "hierarchy.sqlite3", "neem")
        # Two events more, and the answer to the write that told them.
        more = {"event": before["event"] + 2, "answer": before["answer"] + 1}
        assert after == before | more

    async def test_they_are_told_before_what_tells_them_goes(self, platform: Operated) -> None:
        await platform.suspend("neem")
        await platform.relay()
        outbox = platform.hierarchy.store.outbox
        deleting = asyncio.create_task(platform.delete("neem"))

        async def waiting() -> Any:
            return [backlog for backlog in await outbox.backlogs(limit=9) if backlog.tenant == NEEM]

        [backlog] = await wait_until(waiting, 30)
        events = await outbox.events(NEEM, after=backlog.relayed_through, limit=9)
        now = await header(platform)
        assert [event.change for event in events] == [
            TenantChanged(TenantStatus.DELETING),
            AccessChanged(now.access_version),
        ]
        assert not deleting.done()
        await platform.relay()

        assert (await deleting).proof.remaining_count == 0


class TestKeys:
    async def test_numbers_cannot_be_read_once_it_has_begun(self, platform: Operated) -> None:
        people = [
            each for each in await platform.records("neem", Person) if isinstance(each, Person)
        ]
        await platform.begin_to_delete("neem")

        # The records are there; what opens them is not, for this process and any other.
        assert len(await platform.records("neem", Person)) == len(people) == 2
        secrets = platform.secrets()
        with pytest.raises(SecretUnreadable):
            await secrets.open(await header(platform), people)

    async def test_no_new_ones_are_made(self, platform: Operated) -> None:
        await removed(platform)
        with pytest.raises(PreconditionFailed) as refused:
            await platform.call(pb.RotateTenantKeysRequest(id="neem", new_secrets=True))
        assert refused.value.reason == "TENANT_DELETING"
        assert (await header(platform)).secrets == TenantSecrets()


class TestLate:
    async def test_an_upload_that_began_before_leaves_nothing(
        self, platform: Operated, tmp_path: Path
    ) -> None:
        with pytest.raises(Forbidden) as refused:
            await platform.import_around(lambda: removed(platform))

        assert refused.value.reason == "TENANT_UNKNOWN"
        counts = rows_of(tmp_path / "hierarchy.sqlite3", "neem")
        assert counts == dict.fromkeys(counts, 0) | {"tenant": 1}

    async def test_a_token_that_still_holds_makes_nothing_new(self, platform: Operated) -> None:
        await removed(platform)
        with pytest.raises(Forbidden) as refused:
            await platform.hierarchy.put(a_blueprint())
        assert refused.value.reason == "TENANT_UNKNOWN"
        assert (await header(platform)).blueprint is None


class TestLittleByLittle:
    async def test_a_call_removes_something_and_the_last_one_proves_it(
        self, platform: Operated
    ) -> None:
        await platform.begin_to_delete("neem")
        removal, operator = platform.removal(per_write=10), Operator()
        await platform.relay()
        left = await self.left(platform)

        counts = []
        while (reply := await removal.run(operator, NEEM, Deadline.after(0))).proof is None:
            counts.append(reply.removed_count)
            assert await self.left(platform) == max(0, left - sum(counts))

        # Without any time left, each call makes one write: ten things, the last one fewer.
        assert set(counts[:-1]) == {10}
        assert 0 < counts[-1] <= 10
        assert len(counts) > 2
        assert reply.proof.remaining_count == 0

    async def left(self, platform: Operated) -> int:
        """How many records there are; what is left after them is not looked at."""
        records = [len(await platform.records("neem", of)) for of in RECORD_TYPES]
        return sum(records)


async def test_tenants_that_are_gone_are_listed_as_such(platform: Operated) -> None:
    await removed(platform)
    reply: pb.ListTenantsResponse = await platform.call(pb.ListTenantsRequest())
    assert {each.id: each.status for each in reply.tenants} == {
        "neem": DELETED,
        "peepal": pb.TENANT_STATUS_ACTIVE,
    }
