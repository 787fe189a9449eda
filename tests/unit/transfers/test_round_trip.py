"""Whatever an organisation holds, its files hold too."""

import asyncio
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings

from tests.hierarchy_server import a_caller
from tests.transfers import Organisation, organisations, transferring


# Half a second each: two tenants, five files, three imports.
@pytest.mark.timeout(900)
@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
@settings(max_examples=settings().max_examples // 4)
@given(organisation=organisations())
def test_an_organisation_survives_files(suffix: str, organisation: Organisation) -> None:
    """Imported into an empty tenant it is the same; imported again, nothing is changed."""
    asyncio.run(_round_trip(suffix, organisation))


async def _round_trip(suffix: str, organisation: Organisation) -> None:
    neem, peepal = a_caller("neem"), a_caller("peepal")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with transferring(folder, "neem", "peepal") as transfers:
            await transfers.fill(organisation, neem)
            await transfers.save(folder, suffix, neem)

            first = await transfers.load(folder, suffix, peepal)
            assert [problem for each in first for problem in each.problems] == []
            before = await transfers.graph("neem")
            assert await transfers.graph("peepal") == before

            header = await transfers.header("peepal")
            second = await transfers.load(folder, suffix, peepal)
            assert [each.unchanged_count for each in second] == [each.row_count for each in second]
            assert await transfers.header("peepal") == header
            assert await transfers.graph("peepal") == before
