"""The bound of what an operation may answer, known before it runs."""

import time
from typing import Any

import pytest
from graphql import GraphQLObjectType, get_named_type, is_object_type, parse
from graphql.execution import Executor

from gateway.composer import compose
from gateway.config import SUBGRAPHS, load_subgraphs
from gateway.graph.ids import encode_id
from gateway.http.cost import declared_size, estimated_cost, is_list

from .fakes.servers import Client
from .fakes.world import uid

SCHEMA = compose(load_subgraphs(SUBGRAPHS)).schema


def cost(document: str, **variables: Any) -> int:
    executor = Executor[None].build(SCHEMA, parse(document), raw_variable_values=variables)
    assert isinstance(executor, Executor), executor
    return estimated_cost(executor)


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ("{ viewer { tenant subject } }", 3),
        ("{ __typename viewer { __typename tenant subject } }", 3),
        ("{ units(first: 30) { nodes { __typename } } }", 1 + 1 + 30),
        ("{ units(first: 7) { totalCount } }", 2),
        ("{ units(first: 7) { nodes { code } } }", 1 + 1 + 7),
        (
            "{ units(first: 7) { edges { node { code } } pageInfo { endCursor } } }",
            1 + 1 + 7 * 2 + 2,
        ),
        ("{ units { nodes { code } } }", 1 + 1 + 100),
        ("query($n: Int) { units(first: $n) { nodes { code } } }", 1 + 1 + 100),
        ("query($n: Int = 9) { units(first: $n) { nodes { code } } }", 1 + 1 + 9),
        (
            "{ units(first: 2) { nodes { children(first: 3) { nodes { code } } } } }",
            2 + 2 * (2 + 3),
        ),
        ("{ blueprint { levels { key } } }", 1 + 1 + 16),
        ("{ blueprint { categories { key name { text } } } }", 1 + 1 + 256 * 3),
        ('{ unit(id: "x") { ancestors { code } } }', 1 + 1 + 15),
        ('{ unit(id: "x") { name { translations { text } } } }', 1 + 1 + 1 + 10),
        ('{ nodes(ids: ["a", "b"]) { id } }', 1 + 2),
        (
            (
                "{ units(first: 5) { ...P } } fragment U on Unit { code }"
                " fragment P on UnitConnection { nodes { ...U } ... { totalCount } }"
            ),
            1 + 1 + 5 + 1,
        ),
        ("{ __schema { types { name } } }", 1),
        (
            'subscription { broadcastProgress(id: "x") { version byUnit { level } } }',
            1 + 1 + 1 + 2_500,
        ),
    ],
)
def test_the_bound_of_an_operation(document: str, expected: int) -> None:
    assert cost(document) == expected


def test_a_page_s_size_may_be_a_variable() -> None:
    document = """query($n: Int, $ids: [ID!]!) {
      units(first: $n) { nodes { code } } nodes(ids: $ids) { id } }"""
    assert cost(document, n=50, ids=["a"] * 30) == 1 + 1 + 50 + 1 + 30


def test_fragments_that_double_are_measured_once_each() -> None:
    chain = " ".join(
        f"fragment F{at} on Unit {{ a: parent {{ ...F{at + 1} }} b: parent {{ ...F{at + 1} }} }}"
        for at in range(60)
    )
    document = f'{{ unit(id: "x") {{ ...F0 }} }} {chain} fragment F60 on Unit {{ code }}'
    started = time.perf_counter()
    assert cost(document) > 2**60
    assert time.perf_counter() - started < 0.5


@pytest.mark.parametrize("over", ["http", "ids"])
async def test_what_may_cost_too_much_is_refused_before_it_runs(asking: Client, over: str) -> None:
    deep = "children(first: 1000) { nodes { " * 3 + "code" + " } }" * 3
    if over == "http":
        query, variables = f"{{ units(first: 1000) {{ nodes {{ {deep} }} }} }}", {}
    else:
        unit = encode_id("Unit", uid("unit", "RJ"))
        query = f"query($ids: [ID!]!) {{ nodes(ids: $ids) {{ ... on Unit {{ {deep} }} }} }}"
        variables = {"ids": [unit] * 1000}
    response = await asking.post(query, variables=variables)
    (error,) = response.json()["errors"]
    assert error["extensions"]["reason"] == "TOO_COSTLY"
    assert "data" not in response.json()
    assert asking.world.calls.log == []


def test_every_list_says_how_long_it_may_be() -> None:
    """What says nothing is taken to be as long as a list of another team's subgraph."""
    silent = [
        f"{named.name}.{name}"
        for named in SCHEMA.type_map.values()
        if isinstance(named, GraphQLObjectType) and not named.name.startswith("__")
        for name, each in named.fields.items()
        if is_list(each) and declared_size(each) is None
        # As long as their page and their `ids`; and names alone, which cost one in all.
        if name not in ("nodes", "edges") and is_object_type(get_named_type(each.type))
    ]
    assert silent == []
