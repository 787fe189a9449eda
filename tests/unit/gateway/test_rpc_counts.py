"""How many calls an operation costs: at most one per service and level, at any width."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest
from graphql import OperationType

from gateway.config import Settings
from gateway.graph.ids import encode_id

from .examples import examples
from .fakes.servers import Client, client, gateway, services, token
from .fakes.world import World, small_world, uid

STATE = encode_id("Unit", uid("unit", "RJ"))
DIVISION = encode_id("Unit", uid("unit", "D0"))
PERSON = encode_id("Person", uid("person", "president of D0-00"))
BROADCAST = encode_id("Broadcast", uid("broadcast", "1"))
AUDIENCE = {"include": [{"unitIds": [STATE]}]}

# What each example costs, whatever the width of the tree.
# Lists that arrive at different times ask for their units and persons one after the other, and
# share a call where they happen to arrive together: at most so many calls as there are lists.
OF_MANY_LISTS = ("UnitDesk", "ToDo", "Who")
SHARED = ("BatchGetUnits", "BatchGetPersons")
EXPECTED: Mapping[str, tuple[dict[str, Any], dict[str, int]]] = {
    "Tree": ({}, {"GetBlueprint": 1, "ListChildren": 1, "BatchListChildren": 2}),
    "WhereAmI": (
        {"id": encode_id("Unit", uid("unit", "D0-01"))},
        # The unit, its parent, and the parents of its ancestors.
        {"BatchGetUnits": 3, "BatchListAncestors": 1},
    ),
    "Definition": ({}, {"GetBlueprint": 1}),
    "Me": ({}, {"GetViewer": 1, "BatchGetUnits": 1}),
    "Past": ({"id": STATE}, {"ListUnitHistory": 1, "BatchGetUnits": 1}),
    "Then": (
        {"level": "division", "code": "D0", "asOf": "2026-10-01T00:00:00+05:30"},
        {
            "GetUnit": 1,
            "BatchGetUnits": 1,
            "BatchListChildren": 1,
            "ListUnitHistory": 1,
            "CountUnits": 1,
        },
    ),
    "Find": ({"text": "D0"}, {"SearchUnits": 1, "BatchGetUnits": 1}),
    "Areas": ({}, {"ListAreas": 1}),
    "ToDo": (
        {"level": "district", "position": "president"},
        {
            "ListVacancies": 1,
            "ListVerificationQueue": 1,
            "CountAppointments": 1,
            "ListUnwatched": 1,
            "CountUnits": 1,
            # Of vacancies, of appointments, of units without a watch: each as its list arrives.
            "BatchGetUnits": 3,
            "BatchGetPersons": 1,
        },
    ),
    "Who": (
        {"id": PERSON},
        {
            "BatchGetPersons": 1,
            "BatchListPersonAppointments": 1,
            "ListWatches": 1,
            "BatchGetUnits": 1,
        },
    ),
    "Whose": ({"phone": "+919800000000"}, {"FindPersonByPhone": 1, "BatchGetPersons": 1}),
    "UnitDesk": (
        {"parentId": DIVISION},
        {
            "ListChildren": 1,
            "BatchListAncestors": 1,
            "BatchListChildren": 1,
            "BatchListUnitAreas": 1,
            # With the choice of positions and without.
            "BatchListUnitAppointments": 2,
            "BatchListTeams": 1,
            "BatchGetWatchLines": 1,
            # The parent, the watched units, the centre.
            "BatchGetUnits": 3,
            # Of both lists of appointments, of teams, of watches and of both offices of the line.
            "BatchGetPersons": 6,
        },
    ),
    "Counts": (
        {"parentId": STATE},
        {"ListChildren": 1, "BatchCountGroups": 1, "BatchListGroups": 1},
    ),
    "Incomplete": ({}, {"ListGroups": 1, "BatchGetUnits": 2, "BatchCountGroups": 1}),
    "Preview": ({"audience": AUDIENCE}, {"PreviewAudience": 1, "BatchGetUnits": 1}),
    "Broadcasts": ({}, {"ListBroadcasts": 1, "BatchGetProgress": 1, "BatchGetUnits": 1}),
    "Deliveries": (
        {"id": BROADCAST},
        {"BatchGetBroadcasts": 1, "ListDeliveries": 1, "BatchGetGroups": 1, "BatchGetUnits": 2},
    ),
}


@pytest.fixture(params=[(2, 3), (5, 40)], ids=["narrow", "wide"])
def world(request: pytest.FixtureRequest) -> World:
    return small_world(*request.param)


@pytest.fixture
async def asking(world: World, configured: Settings) -> AsyncIterator[Client]:
    async with (
        services(world, configured),
        gateway(configured) as app,
        client(app, world, token()) as asking,
    ):
        yield asking


def queries() -> Mapping[str, str]:
    return {
        name: each.text for name, each in examples().items() if each.kind is OperationType.QUERY
    }


def test_every_example_is_counted() -> None:
    assert set(queries()) == set(EXPECTED)


@pytest.mark.parametrize("name", sorted(EXPECTED))
async def test_an_example_costs_the_same_at_any_width(asking: Client, name: str) -> None:
    variables, expected = EXPECTED[name]
    response = await asking.post(queries()[name], variables=variables, operationName=name)
    assert "errors" not in response.json(), response.text
    counts = asking.world.calls.counts()
    assert set(counts) == set(expected)
    for method, at_most in expected.items():
        if name in OF_MANY_LISTS and method in SHARED:
            assert 1 <= counts[method] <= at_most, method
        else:
            assert counts[method] == at_most, method


async def test_aliases_of_one_level_share_a_call(asking: Client) -> None:
    districts = [each.id for each in asking.world.units.values() if each.level == "district"]
    ids = {f"v{at}": each for at, each in enumerate(districts[:6])}
    fields = " ".join(
        f'{name}: unit(id: "{encode_id("Unit", each)}") {{ code parent {{ code }} }}'
        for name, each in ids.items()
    )
    await asking.data(f"{{ {fields} }}")
    assert asking.world.calls.counts() == {"BatchGetUnits": 2}


async def test_what_was_loaded_is_not_asked_for_again(asking: Client) -> None:
    await asking.data(
        "query($id: ID!) { a: unit(id: $id) { code } node(id: $id) { id ... on Unit { code } }"
        " nodes(ids: [$id, $id]) { ... on Unit { level } } }",
        id=STATE,
    )
    assert asking.world.calls.log == [("BatchGetUnits", 1)]


async def test_different_arguments_are_different_calls(asking: Client) -> None:
    await asking.data(
        """{ units { nodes { a: children(first: 1) { nodes { code } }
             b: children(first: 2) { nodes { code } } c: children(first: 2) { totalCount } } } }"""
    )
    assert asking.world.calls.counts() == {"ListChildren": 1, "BatchListChildren": 2}


async def test_more_keys_than_a_call_may_have_are_split(asking: Client) -> None:
    """1,000 ids are the most of one BatchGetUnits; the contract, not the width, makes it two."""
    ids = [encode_id("Unit", uid("nobody", str(at))) for at in range(1000)]
    known = list(asking.world.units)[:2]
    query = """query($ids: [ID!]!, $a: ID!, $b: ID!) {
      nodes(ids: $ids) { id } a: unit(id: $a) { code } b: unit(id: $b) { code } }"""
    data = await asking.data(
        query, ids=ids, a=encode_id("Unit", known[0]), b=encode_id("Unit", known[1])
    )
    assert data["nodes"] == [None] * 1000
    assert data["a"] == {"code": "RJ"}
    assert sorted(keys for _, keys in asking.world.calls.log) == [2, 1000]
