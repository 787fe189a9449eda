"""Whatever an organisation holds, its files hold too."""

import asyncio
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings

from tests.hierarchy_server import Neo4jAt, a_caller
from tests.transfers import Organisation, organisations, transferring


# Half a second each: two tenants, five files, three imports.
@pytest.mark.timeout(900)
@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
@settings(max_examples=settings().max_examples // 4)
@given(organisation=organisations())
def test_an_organisation_survives_files(suffix: str, organisation: Organisation) -> None:
    """Imported into an empty tenant it is the same; imported again, nothing is changed."""
    asyncio.run(round_trip(suffix, organisation, "neem", "peepal"))


async def round_trip(
    suffix: str, organisation: Organisation, ours: str, theirs: str, neo4j: Neo4jAt | None = None
) -> None:
    """Out of one tenant, into another, and in once more."""
    out, back = a_caller(ours), a_caller(theirs)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with transferring(folder, ours, theirs, neo4j=neo4j) as transfers:
            await transfers.fill(organisation, out)
            await transfers.save(folder, suffix, out)

            first = await transfers.load(folder, suffix, back)
            assert [problem for each in first for problem in each.problems] == []
            before = await transfers.graph(ours)
            assert await transfers.graph(theirs) == before

            header = await transfers.header(theirs)
            second = await transfers.load(folder, suffix, back)
            assert [each.unchanged_count for each in second] == [each.row_count for each in second]
            assert await transfers.header(theirs) == header
            assert await transfers.graph(theirs) == before
