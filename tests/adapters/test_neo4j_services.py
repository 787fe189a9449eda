"""The services over Neo4j once: what the tests of use cases show over the embedded store.

Conformance compares the stores method by method; this is for what use cases make of them together.
"""

import asyncio
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given, settings

from kit.clock import FakeClock
from tests.access_model import NOW
from tests.access_server import access_of
from tests.hierarchy_server import Neo4jAt, running
from tests.people_server import PeopleServer, staffed
from tests.transfers import Organisation, organisations
from tests.unit.hierarchy.test_access_matrix import judge
from tests.unit.hierarchy.test_people_service import (
    test_a_batch_answers_for_each_id_in_order,
    test_a_change_meets_the_person_that_was_seen,
    test_a_number_and_a_login_belong_to_one_person,
    test_a_number_finds_its_person_however_it_is_typed,
    test_a_person_comes_back_masked_and_whole_where_it_is_asked_for,
    test_a_repeat_is_answered_as_at_first_and_another_number_is_another_request,
    test_an_erased_person_is_nobody_for_ever,
    test_before_any_number_was_put_none_is_found_and_no_secret_is_made,
    test_only_who_administers_all_erases_and_gives_logins,
)
from tests.unit.transfers.test_round_trip import round_trip

# Their fixture `people` is the one of this file.
__all__ = [
    "test_a_batch_answers_for_each_id_in_order",
    "test_a_change_meets_the_person_that_was_seen",
    "test_a_number_and_a_login_belong_to_one_person",
    "test_a_number_finds_its_person_however_it_is_typed",
    "test_a_person_comes_back_masked_and_whole_where_it_is_asked_for",
    "test_a_repeat_is_answered_as_at_first_and_another_number_is_another_request",
    "test_an_erased_person_is_nobody_for_ever",
    "test_before_any_number_was_put_none_is_found_and_no_secret_is_made",
    "test_only_who_administers_all_erases_and_gives_logins",
]


@pytest.fixture(scope="session")
def neo4j(neo4j_uri: str, neo4j_auth: tuple[str, str] | None) -> Neo4jAt:
    return Neo4jAt(neo4j_uri, neo4j_auth)


@pytest.fixture
async def people(tmp_path: Path, neo4j: Neo4jAt, unique: str) -> AsyncIterator[PeopleServer]:
    async with staffed(tmp_path, tenant=unique, neo4j=neo4j) as server:
        yield server


async def test_the_access_service_agrees_with_the_model(
    tmp_path: Path, neo4j: Neo4jAt, unique: str
) -> None:
    clock = FakeClock(NOW)
    async with (
        running(tmp_path, clock, tenant=unique, neo4j=neo4j) as hierarchy,
        access_of(tmp_path) as access,
    ):
        allowed = await judge(hierarchy, access, 200)
    assert allowed.total() == 400
    assert min(allowed.values()) > 80


@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
@settings(max_examples=4)
@given(organisation=organisations())
def test_an_organisation_survives_files(
    neo4j: Neo4jAt, suffix: str, organisation: Organisation
) -> None:
    ours = f"t{uuid.uuid4().hex[:16]}"
    asyncio.run(round_trip(suffix, organisation, f"{ours}-a", f"{ours}-b", neo4j))
