"""The graph in Neo4j: what records say of one another, as relationships beside the properties."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from neo4j import AsyncGraphDatabase, AsyncSession

from services.hierarchy.adapters.records import microseconds
from services.hierarchy.domain.model import TenantId, Unit
from services.hierarchy.domain.records import Record
from tests.builders_hierarchy import (
    BEGINNING,
    a_membership,
    a_past_unit,
    a_person,
    a_row,
    a_small_tree,
    a_team,
    a_unit,
    a_watch,
    an_appointment,
    an_area,
    an_area_link,
)
from tests.org_graphs import World, open_neo4j

Auth = tuple[str, str] | None
STATE = a_unit("state", "RJ")
JPR = a_unit("district", "JPR", parent_id=STATE.id)
AJM = a_unit("district", "AJM", parent_id=STATE.id)


@pytest.fixture
async def session(neo4j_uri: str, neo4j_auth: Auth) -> AsyncIterator[AsyncSession]:
    async with (
        AsyncGraphDatabase.driver(neo4j_uri, auth=neo4j_auth) as driver,
        driver.session(database="neo4j") as session,
    ):
        yield session


@pytest.fixture
async def world(neo4j_uri: str, neo4j_auth: Auth, unique: str) -> AsyncIterator[World]:
    async with open_neo4j(neo4j_uri, neo4j_auth, unique) as world:
        yield world


async def edges(session: AsyncSession, tenant: TenantId) -> set[tuple[Any, ...]]:
    """Every relationship of the tenant: label and id, type, label and id."""
    result = await session.run(
        """MATCH (n)-[edge]->(end) WHERE n.tenant = $tenant
        RETURN labels(n)[0], n.id, type(edge), labels(end)[0], end.id""",
        {"tenant": tenant},
    )
    rows = await result.values()
    found = {tuple(row) for row in rows}
    assert len(found) == len(rows), "a relationship is there twice"
    return found


async def child_edges(session: AsyncSession, tenant: TenantId) -> list[list[Any]]:
    """Code, the parent's code, and seconds since the beginning."""
    result = await session.run(
        """MATCH (u:Unit {tenant: $tenant})-[edge:CHILD_OF]->(parent)
        RETURN u.code, parent.code, (edge.valid_from - $began) / 1000000 ORDER BY u.code""",
        {"tenant": tenant, "began": microseconds(BEGINNING)},
    )
    return await result.values()


async def test_every_record_leads_to_what_it_speaks_of(world: World, session: AsyncSession) -> None:
    person, area, team = a_person(), an_area(), a_team(unit_id=JPR.id)
    past = a_past_unit(JPR, BEGINNING, revision=0)
    link = an_area_link(unit_id=JPR.id, area_id=area.id)
    appointment = an_appointment(unit_id=JPR.id, person_id=person.id)
    membership = a_membership(team_id=team.id, person_id=person.id)
    watch = a_watch(unit_id=JPR.id, person_id=person.id)

    # In an order in which nothing stands yet that is spoken of.
    await world.write(watch, membership, appointment, link, past, team, area, person, JPR, STATE)

    assert await edges(session, world.tenant) == {
        ("Unit", JPR.id, "CHILD_OF", "Unit", STATE.id),
        ("PastUnit", past.id, "PAST_OF", "Unit", JPR.id),
        ("AreaLink", link.id, "OF", "Unit", JPR.id),
        ("AreaLink", link.id, "IN", "Area", area.id),
        ("Appointment", appointment.id, "OF", "Person", person.id),
        ("Appointment", appointment.id, "IN", "Unit", JPR.id),
        ("Team", team.id, "IN", "Unit", JPR.id),
        ("Membership", membership.id, "OF", "Person", person.id),
        ("Membership", membership.id, "IN", "Team", team.id),
        ("Watch", watch.id, "BY", "Person", person.id),
        ("Watch", watch.id, "OVER", "Unit", JPR.id),
    }


async def test_a_record_that_speaks_of_another_leads_there_and_no_longer_here(
    world: World, session: AsyncSession
) -> None:
    one, other = a_person(1), a_person(2)
    appointment = an_appointment(unit_id=JPR.id, person_id=one.id)
    watch = a_watch(unit_id=JPR.id, person_id=one.id)
    await world.write(STATE, JPR, AJM, one, other, appointment, watch)

    await world.write(
        replace(appointment, unit_id=AJM.id), replace(watch, person_id=other.id, revision=1)
    )

    found = await edges(session, world.tenant)
    assert {edge for edge in found if edge[0] in ("Appointment", "Watch")} == {
        ("Appointment", appointment.id, "OF", "Person", one.id),
        ("Appointment", appointment.id, "IN", "Unit", AJM.id),
        ("Watch", watch.id, "BY", "Person", other.id),
        ("Watch", watch.id, "OVER", "Unit", JPR.id),
    }


async def test_a_unit_that_closes_takes_its_relationships_along(
    world: World, session: AsyncSession
) -> None:
    person, appointment = a_person(), an_appointment(unit_id=JPR.id)
    await world.write(STATE, JPR, AJM, person, appointment)

    closed = a_past_unit(JPR, BEGINNING, closed=True)
    await world.write(closed, replace(appointment, valid_to=BEGINNING), drops=[JPR])

    assert await edges(session, world.tenant) == {
        ("Unit", AJM.id, "CHILD_OF", "Unit", STATE.id),
        ("Appointment", appointment.id, "OF", "Person", person.id),
    }


async def test_a_parent_is_known_with_the_time_since_when(
    world: World, session: AsyncSession
) -> None:
    rajasthan, jaipur, mandal = ("state", "RJ"), ("district", "JPR"), ("mandal", "M1")
    # Children before their parents, and more of them than one statement takes.
    booths = [a_row("booth", f"B{number:04}", under=mandal) for number in range(5_000)]
    await world.start(*booths, a_row(*mandal, under=jaipur), a_row(*jaipur, under=rajasthan),
                      a_row("district", "AJM", under=rajasthan), a_row(*rajasthan))  # fmt: skip
    first = await child_edges(session, world.tenant)
    assert first[:2] == [["AJM", "RJ", 0], ["B0000", "M1", 0]]
    assert len(first) == 5_003

    world.clock.advance(100)
    await world.load(a_row(*mandal, under=("district", "AJM")), a_row(*jaipur, under=rajasthan))

    assert (await child_edges(session, world.tenant))[-2:] == [["JPR", "RJ", 0], ["M1", "AJM", 100]]
    world.clock.advance(100)
    await world.load(a_row(*mandal))
    assert (await child_edges(session, world.tenant))[-1] == ["JPR", "RJ", 0]


async def test_codes_and_phones_may_change_hands_within_a_write(world: World) -> None:
    """A constraint looks after each row, not at the end."""
    one, other = a_person(1), a_person(2)
    await world.write(STATE, JPR, AJM, one, other)

    after: list[Record] = [
        replace(JPR, code="AJM"),
        replace(AJM, code="JPR"),
        replace(one, phone=other.phone, subject=None),
        replace(other, phone=one.phone, subject=one.subject),
    ]
    await world.write(*after)

    assert await world.unit("district", "AJM") == after[0]
    assert {*await world.all(type(one))} == {*after[2:]}


async def test_every_relationship_stays_within_its_tenant(
    world: World, session: AsyncSession
) -> None:
    for tenant in (world.tenant, world.other):
        await world.start(*a_small_tree(), tenant=tenant)
        person, unit = a_person(), await world.unit("booth", "B1", tenant)
        await world.write(
            person,
            an_appointment(unit_id=unit.id, person_id=person.id),
            tenant=tenant,
        )

    result = await session.run(
        """MATCH (n)-[edge]->(end) WHERE n.tenant IN $tenants
        RETURN n.tenant = end.tenant AS same, count(*)""",
        {"tenants": [world.tenant, world.other]},
    )
    assert await result.values() == [[True, 16]]


async def test_a_tenant_that_is_forgotten_leaves_its_own_node_and_nothing_else(
    world: World, session: AsyncSession
) -> None:
    await world.start(*a_small_tree())
    await world.start(*a_small_tree(), tenant=world.other)
    before = await world.dump(world.other)

    while await world.graph.forget_tenant(world.tenant, limit=3):
        pass

    result = await session.run(
        """MATCH (n) WHERE n.tenant = $tenant OR n.id = $tenant
        RETURN labels(n)[0] AS label, count(*) ORDER BY label""",
        {"tenant": world.tenant},
    )
    assert await result.values() == [["Settled", 1], ["Tenant", 1]]
    assert await world.all(Unit) == []
    assert await world.dump(world.other) == before
