"""How many calls an operation costs: at most one per service and level, at any width."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from graphql import OperationDefinitionNode, OperationType, parse

from gateway import subgraphs
from gateway.config import Settings
from gateway.graph.ids import encode_id

from .fakes.servers import Client, client, gateway, services, token
from .fakes.world import World, small_world, uid

FOLDER = Path(subgraphs.__file__).parent
STATE = encode_id("Unit", uid("unit", "RJ"))
BROADCAST = encode_id("Broadcast", uid("broadcast", "1"))
AUDIENCE = {"include": [{"unitIds": [STATE]}]}

# What each example costs, whatever the width of the tree.
EXPECTED: Mapping[str, tuple[dict[str, Any], dict[str, int]]] = {
    "Tree": ({}, {"GetBlueprint": 1, "ListChildren": 1, "BatchListChildren": 2}),
    "WhereAmI": (
        {"id": encode_id("Unit", uid("unit", "D0-01"))},
        # The unit, its parent, and the parents of its ancestors.
        {"BatchGetUnits": 3, "BatchListAncestors": 1},
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


def examples() -> Mapping[str, str]:
    """Every example operation by its name, with its file's whole text."""
    found = {}
    for file in sorted(FOLDER.glob("*/examples.graphql")):
        text = file.read_text()
        for each in parse(text).definitions:
            if isinstance(each, OperationDefinitionNode):
                assert each.name is not None
                found[each.name.value] = (each.operation, text)
    return {name: text for name, (kind, text) in found.items() if kind is OperationType.QUERY}


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


def test_every_example_is_counted() -> None:
    assert set(examples()) == set(EXPECTED)


@pytest.mark.parametrize("name", sorted(EXPECTED))
async def test_an_example_costs_the_same_at_any_width(asking: Client, name: str) -> None:
    variables, expected = EXPECTED[name]
    response = await asking.post(examples()[name], variables=variables, operationName=name)
    assert "errors" not in response.json(), response.text
    assert asking.world.calls.counts() == expected


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
