"""The tree for those who keep a copy: alone the header, or what changed, or all of it."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from chaupal.hierarchy.v1 import hierarchy_pb2 as pb

from services.hierarchy.domain.model import TenantId
from tests.builders_hierarchy import LEVELS, a_blueprint, a_row, a_small_tree, text
from tests.hierarchy_operations import closing
from tests.hierarchy_server import SERVICE_SUBJECT, Hierarchy, a_caller, running

RJ, JPR, AJM, M1 = ("state", "RJ"), ("district", "JPR"), ("district", "AJM"), ("mandal", "M1")


@pytest.fixture
async def hierarchy(tmp_path: Path) -> AsyncIterator[Hierarchy]:
    async with running(tmp_path) as server:
        await server.start(*a_small_tree())
        yield server


@dataclass
class Copy:
    """What a peer keeps: it applies what comes as the contract says, and knows nothing else."""

    version: int = 0
    units: dict[str, tuple[str, str, str]] = field(default_factory=dict)

    def take(self, parts: Sequence[pb.StreamTreeResponse]) -> str:
        """Apply an answer; of what kind it was."""
        header = parts[0].header
        if len(parts) == 1:
            kind = "header"
        elif parts[1].WhichOneof("part") == "delta":
            kind = "delta"
            assert len(parts) == 2
            self._apply(parts[1].delta, header.levels)
        else:
            kind = "pages"
            self._replace([part.page for part in parts[1:]], header.levels)
        self.version = header.tree_version
        assert len(self.units) == header.unit_count
        return kind

    def _apply(self, delta: pb.TreeDelta, levels: Sequence[str]) -> None:
        for closed in delta.closed_ids:
            self.units.pop(closed, None)
        for unit_id, parent, level, code in zip(
            delta.ids, delta.parent_ids, delta.levels, delta.codes, strict=True
        ):
            self.units[unit_id] = (parent, levels[level], code)

    def _replace(self, pages: Sequence[pb.TreePage], levels: Sequence[str]) -> None:
        ids = [each for page in pages for each in page.ids]
        self.units = {
            unit_id: (ids[parent] if parent >= 0 else "", levels[level], code)
            for page in pages
            for unit_id, parent, level, code in zip(
                page.ids, page.parents, page.levels, page.codes, strict=True
            )
        }


async def fetch(hierarchy: Hierarchy, copy: Copy, *, accepts_deltas: bool = True) -> str:
    request = pb.StreamTreeRequest(known_version=copy.version, accepts_deltas=accepts_deltas)
    return copy.take(await hierarchy.stream(request))


async def a_whole_copy(hierarchy: Hierarchy) -> Copy:
    copy = Copy()
    copy.take(await hierarchy.stream(pb.StreamTreeRequest()))
    return copy


async def close(hierarchy: Hierarchy, level: str, code: str) -> None:
    unit = await hierarchy.unit(level, code)
    await hierarchy.store.graph.write(TenantId("neem"), closing(unit.id))


async def test_deltas_keep_a_copy_that_is_the_tree(hierarchy: Hierarchy) -> None:
    copy = Copy()
    assert await fetch(hierarchy, copy) == "pages"
    assert await fetch(hierarchy, copy) == "header"

    # Several changes between two looks come as one.
    await hierarchy.import_rows(a_row("booth", "B3", under=M1), a_row("mandal", "M3", under=JPR))
    await hierarchy.import_rows(a_row(*M1, under=AJM), a_row("state", "GJ"))
    await close(hierarchy, "booth", "B1")
    await close(hierarchy, "booth", "B3")
    assert await fetch(hierarchy, copy) == "delta"
    assert copy == await a_whole_copy(hierarchy)
    assert (copy.version, len(copy.units)) == (5, 8)

    await close(hierarchy, "mandal", "M2")
    assert await fetch(hierarchy, copy) == "delta"
    assert copy == await a_whole_copy(hierarchy)


async def test_a_delta_says_only_what_changed(hierarchy: Hierarchy) -> None:
    await hierarchy.import_rows(a_row(*M1, under=AJM), a_row(*RJ, name="Rajasthan"))
    await close(hierarchy, "mandal", "M2")
    request = pb.StreamTreeRequest(known_version=2, accepts_deltas=True)

    header, part = await hierarchy.stream(request)

    assert (header.header.tree_version, header.header.unit_count) == (3, 6)
    assert list(header.header.levels) == list(LEVELS)
    assert (len(part.delta.closed_ids), list(part.delta.ids)) == (1, [])
    request.known_version = 1
    _, part = await hierarchy.stream(request)
    mandal, district = await hierarchy.unit(*M1), await hierarchy.unit(*AJM)
    changed = {
        unit_id: (parent, LEVELS[level], code)
        for unit_id, parent, level, code in zip(
            part.delta.ids, part.delta.parent_ids, part.delta.levels, part.delta.codes, strict=True
        )
    }
    assert changed[mandal.id] == (district.id, "mandal", "M1")
    assert {code for _, _, code in changed.values()} == {"M1", "RJ"}


async def test_who_does_not_take_deltas_gets_pages(hierarchy: Hierarchy) -> None:
    copy = await a_whole_copy(hierarchy)
    await hierarchy.import_rows(a_row("booth", "B3", under=M1))

    assert await fetch(hierarchy, copy, accepts_deltas=False) == "pages"


async def test_other_levels_need_the_whole_tree(hierarchy: Hierarchy) -> None:
    copy = await a_whole_copy(hierarchy)
    await hierarchy.put(a_blueprint((*LEVELS[:2], "block", *LEVELS[2:])))

    assert await fetch(hierarchy, copy) == "pages"
    assert {level for _, level, _ in copy.units.values()} == set(LEVELS)
    await hierarchy.import_rows(a_row("block", "X", under=JPR))
    assert await fetch(hierarchy, copy) == "delta"
    assert copy == await a_whole_copy(hierarchy)
    # Other words for levels, and other categories, are no other levels.
    blueprint = a_blueprint((*LEVELS[:2], "block", *LEVELS[2:]))
    await hierarchy.put(replace(blueprint, names=text("Another name")))
    assert await fetch(hierarchy, copy) == "header"


async def test_a_version_from_another_life_of_the_store_is_no_version(
    hierarchy: Hierarchy,
) -> None:
    copy = await a_whole_copy(hierarchy)
    copy.version = 99

    assert await fetch(hierarchy, copy) == "pages"


async def test_more_than_fits_comes_as_pages(tmp_path: Path) -> None:
    async with running(tmp_path) as hierarchy:
        await hierarchy.start(a_row(*RJ))
        copy = await a_whole_copy(hierarchy)
        rows = [a_row("district", f"D{n:04}", under=RJ) for n in range(5_001)]
        await hierarchy.import_rows(*rows[:5_000])

        assert await fetch(hierarchy, replace(copy, units=dict(copy.units))) == "delta"
        await hierarchy.import_rows(*rows[5_000:])
        assert await fetch(hierarchy, copy) == "pages"
        assert copy == await a_whole_copy(hierarchy)


async def test_a_service_keeps_a_copy_like_anybody_who_sees_all(hierarchy: Hierarchy) -> None:
    service = a_caller(tenant=None, capabilities=(), subject=SERVICE_SUBJECT, named_tenant="neem")
    await hierarchy.import_rows(a_row("booth", "B3", under=M1))
    request = pb.StreamTreeRequest(known_version=1, accepts_deltas=True)

    _, part = await hierarchy.stream(request, service)

    assert list(part.delta.codes) == ["B3"]
