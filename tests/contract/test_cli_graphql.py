"""The command's GraphQL operations are valid against the gateway's committed schema."""

from pathlib import Path

import pytest
from graphql import GraphQLSchema, build_schema, parse, validate

from cli.clients import broadcasts, organisation

SCHEMA = Path(__file__).parents[2] / "gateway" / "schema.graphql"
OPERATIONS = {
    name: getattr(module, name)
    for module, names in (
        (broadcasts, ("PREVIEW", "CREATE", "START", "PROGRESS", "OUTCOMES")),
        (organisation, ("BLUEPRINT", "UNIT", "CHILDREN")),
    )
    for name in names
}


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    return build_schema(SCHEMA.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", OPERATIONS)
def test_the_operation_is_valid(schema: GraphQLSchema, name: str) -> None:
    assert validate(schema, parse(OPERATIONS[name])) == []


@pytest.mark.parametrize(
    ("operation", "field", "union"),
    [
        ("CREATE", "createBroadcast", "CreateBroadcastResult"),
        ("START", "startBroadcast", "StartBroadcastResult"),
    ],
)
def test_every_member_of_a_result_is_asked_for(
    schema: GraphQLSchema, operation: str, field: str, union: str
) -> None:
    members = {member.name for member in schema.get_possible_types(schema.type_map[union])}  # type: ignore[arg-type]  # it is a union

    assert field in OPERATIONS[operation]
    assert all(f"... on {member} " in OPERATIONS[operation] for member in members)
