"""An export has everything of one tenant, readable, and nothing of another."""

import hashlib
from collections.abc import AsyncIterator
from dataclasses import fields
from pathlib import Path

import pytest
from chaupal.hierarchy.v1 import tenants_pb2 as pb

from kit.errors import NotFound, PreconditionFailed
from services.hierarchy.domain.model import TenantId
from services.hierarchy.domain.people import Person
from services.hierarchy.domain.records import RECORD_TYPES
from services.hierarchy.translate import tenant_export
from services.hierarchy.use_cases.tenant_export import TenantExport
from tests.builders_hierarchy import a_row
from tests.tenants_server import Operated, lines_of, operated

TYPES = (
    "unit", "past_unit", "area", "area_link", "person", "appointment", "team", "membership",
    "watch",
)  # fmt: skip


@pytest.fixture
async def platform(tmp_path: Path) -> AsyncIterator[Operated]:
    async with operated(tmp_path) as platform:
        await platform.create("neem")
        await platform.fill("neem")
        yield platform


async def test_it_begins_with_the_tenant_and_ends_with_counts_and_digest(
    platform: Operated,
) -> None:
    export = await platform.export("neem")

    lines = lines_of(export)
    first, last = lines[0], lines[-1]
    assert (first["type"], first["format"], first["format_version"]) == (
        "tenant", "chaupal-tenant", 1,
    )  # fmt: skip
    assert (first["tenant"], first["status"], first["tree_version"]) == ("neem", "active", 1)
    assert [level["key"] for level in first["blueprint"]["levels"]] == [
        "state", "district", "mandal", "booth",
    ]  # fmt: skip
    assert (first["counts"]["units"], first["counts"]["persons"]) == (7, 2)
    assert last["type"] == "end"
    assert last["counts"] == dict.fromkeys(TYPES, 1) | {"unit": 7, "person": 2}
    body = export[: export.rstrip(b"\n").rfind(b"\n") + 1]
    assert last["sha256"] == hashlib.sha256(body).hexdigest()


async def test_every_record_is_in_it_once_with_all_its_fields(platform: Operated) -> None:
    lines = lines_of(await platform.export("neem"))

    for name, of in zip(TYPES, RECORD_TYPES, strict=True):
        records = await platform.records("neem", of)
        said = [line for line in lines if line["type"] == name]
        assert len(said) == len(records) > 0
        assert all({*line} == {"type", *(each.name for each in fields(of))} for line in said)
        if name != "past_unit":  # which is the unit that it was, and until when
            assert [line["id"] for line in said] == [str(record.id) for record in records]


async def test_names_and_numbers_are_in_clear_and_no_secret_is(platform: Operated) -> None:
    export = await platform.export("neem")

    people = [line for line in lines_of(export) if line["type"] == "person"]
    assert {line["phone"] for line in people} == {"+919800000001", "+919800000002"}
    assert {line["names"]["hi"] for line in people} == {"आशा"}
    header = await platform.hierarchy.store.graph.header(TenantId("neem"))
    kept = [each.wrapped for each in (*header.secrets.data_keys, *header.secrets.peppers)]
    for person in await platform.records("neem", Person):
        assert isinstance(person, Person)
        assert person.phone is not None
        kept += [person.phone.hash, person.phone.sealed]
    assert len(kept) == 6
    assert not any(each.encode() in export for each in kept)
    assert "आशा".encode() in export


async def test_nothing_of_another_tenant_is_in_it(platform: Operated) -> None:
    before = lines_of(await platform.export("neem"))
    await platform.create("peepal")
    await platform.fill("peepal")
    await platform.put_person("peepal", "Stranger", "+919800000009")

    after = await platform.export("neem")

    assert b"Stranger" not in after
    assert b"+919800000009" not in after
    assert lines_of(after)[1:-1] == before[1:-1]


async def test_parts_are_whole_lines_and_none_is_much_too_long(
    platform: Operated, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tenant_export, "MAX_PART_BYTES", 1_000)
    rows = [a_row("booth", f"X{at}", ("mandal", "M1")) for at in range(50)]
    await platform.hierarchy.import_rows(*rows)

    request = pb.ExportTenantRequest(id="neem")
    parts = [part.lines async for part in platform.replies(request)]

    assert all(part.endswith(b"\n") for part in parts)
    longest = max(len(line) for part in parts[1:] for line in part.splitlines(keepends=True))
    assert max(map(len, parts[1:])) < 1_000 + longest
    assert len(parts) > 15


async def test_pages_of_the_store_follow_each_other(platform: Operated) -> None:
    graph = platform.hierarchy.store.graph
    whole = TenantExport(graph, platform.secrets(), per_page=3)
    header = await graph.header(TenantId("neem"))

    sizes = [len(page.records) async for page in whole.pages(header)]

    assert sizes == [3, 3, 1, 1, 1, 1, 2, 1, 1, 1, 1]


async def test_a_suspended_tenant_can_be_exported(platform: Operated) -> None:
    await platform.suspend("neem")
    assert lines_of(await platform.export("neem"))[0]["status"] == "suspended"


async def test_of_a_tenant_that_is_removed_or_never_was_there_is_none(
    platform: Operated,
) -> None:
    with pytest.raises(NotFound):
        await platform.export("mango")
    await platform.begin_to_delete("neem")
    with pytest.raises(PreconditionFailed) as refused:
        await platform.export("neem")
    assert refused.value.reason == "TENANT_DELETING"
