"""Composition: united roots, entities across subgraphs, stubs, abstract types, clashes."""

from typing import Any

import pytest
import strawberry
from graphql import ExecutionResult, execute, get_named_type, parse, print_schema, validate
from strawberry.federation import Schema

from gateway.composer import compose
from gateway.entities import CompositionError
from gateway.subgraph import Subgraph

from .toys import Calls, HomeQuery, Thing, Unit, badges, home, visits


async def run(
    document: str, *subgraphs: Subgraph
) -> tuple[dict[str, Any] | None, Calls, list[str]]:
    schema = compose(subgraphs or (home(), badges(), visits())).schema
    parsed, calls = parse(document), Calls()
    assert validate(schema, parsed) == []
    result = execute(schema, parsed, context_value=calls)
    answer = result if isinstance(result, ExecutionResult) else await result
    return answer.data, calls, [str(error.message) for error in answer.errors or []]


async def test_the_roots_of_all_subgraphs_are_united() -> None:
    query = compose([home(), badges(), visits()]).schema.query_type
    assert query is not None
    assert sorted(query.fields) == ["badge", "thing", "unit", "unitOrBadge", "visits"]


async def test_an_entity_has_the_fields_of_every_part() -> None:
    printed = print_schema(compose([home(), badges(), visits()]).schema)
    assert "type Unit implements Thing {" in printed
    assert 'greeting(word: String! = "Hello"): String!' in printed
    assert "badge(shout: Boolean! = false): String" in printed


async def test_a_contributed_field_is_resolved_by_its_own_subgraph() -> None:
    data, calls, errors = await run('{ unit(id: "7") { id name badge(shout: true) } }')
    assert errors == []
    assert data == {"unit": {"id": "7", "name": "unit 7", "badge": "badge 7!"}}
    assert calls == Calls(units=[], badges=["7"])


async def test_a_stub_costs_nothing_until_another_field_than_its_key_is_asked() -> None:
    data, calls, errors = await run('{ visits(unitIds: ["1", "2"]) { unit { __typename id } } }')
    assert errors == []
    assert data == {
        "visits": [
            {"unit": {"__typename": "Unit", "id": "1"}},
            {"unit": {"__typename": "Unit", "id": "2"}},
        ]
    }
    assert calls == Calls()


async def test_a_stub_is_hydrated_by_its_home() -> None:
    data, calls, errors = await run(
        '{ visits(unitIds: ["1"]) { unit { id name greeting(word: "Ho") badge } } }'
    )
    assert errors == []
    unit = {"id": "1", "name": "unit 1", "greeting": "Ho unit 1", "badge": "badge 1"}
    assert data == {"visits": [{"unit": unit}]}
    assert calls.badges == ["1"]


async def test_an_extending_part_is_hydrated_too() -> None:
    data, _, errors = await run('{ badge(unitId: "3") { text unit { name badge } } }')
    assert errors == []
    assert data == {"badge": {"text": "mine", "unit": {"name": "unit 3", "badge": "badge 3"}}}


async def test_an_entity_that_its_home_does_not_know_nulls_the_stub_with_a_typed_error() -> None:
    data, _, errors = await run('{ visits(unitIds: ["gone", "2"]) { unit { name } } }')
    assert data == {"visits": [{"unit": None}, {"unit": {"name": "unit 2"}}]}
    assert errors == ["entity not found: type_name Unit, id gone"]


async def test_unions_and_interfaces_resolve_any_part_by_the_name_of_its_type() -> None:
    data, _, errors = await run(
        """{
          a: unitOrBadge(unitId: "1") { __typename ... on Unit { name } }
          b: unitOrBadge { __typename ... on Badge { text } }
          thing(id: "9") { __typename id ... on Unit { name badge } }
        }"""
    )
    assert errors == []
    assert data == {
        "a": {"__typename": "Unit", "name": "unit one"},
        "b": {"__typename": "Badge", "text": "other"},
        "thing": {"__typename": "Unit", "id": "9", "name": "unit 9", "badge": "badge 9"},
    }


async def test_introspection_of_the_whole_works() -> None:
    data, _, errors = await run(
        "{ __schema { types { name kind isOneOf fields { name type { name } } } } }"
    )
    assert errors == []
    assert data is not None
    names = {each["name"] for each in data["__schema"]["types"]}
    assert {"Unit", "Thing", "Either", "Badge", "Visit"} <= names
    assert not {name for name in names if name.startswith("_") and not name.startswith("__")}


async def test_entities_can_be_found_at_their_home() -> None:
    graph = compose([home(), badges(), visits()])
    assert set(graph.entities) == {"Unit"}
    assert graph.entities["Unit"].keys == ("id",)


def test_two_subgraphs_may_not_define_the_same_root_field() -> None:
    @strawberry.type
    class Query:
        @strawberry.field
        def unit(self) -> str:
            return "mine"

    other = Subgraph("other", Query)
    with pytest.raises(CompositionError, match=r"Query\.unit is defined by both home and other"):
        compose([home(), other])


def test_two_subgraphs_may_not_define_the_same_type_differently() -> None:
    @strawberry.type(name="Badge")
    class OtherBadge:
        text: str

    @strawberry.type
    class Query:
        other: OtherBadge

    other = Subgraph("other", Query)
    with pytest.raises(CompositionError, match="Badge is defined by both badges and other"):
        compose([home(), badges(), other])


def test_the_very_same_definition_may_be_in_several_subgraphs() -> None:
    @strawberry.type
    class Shared:
        text: str

    @strawberry.type
    class A:
        a: Shared

    @strawberry.type
    class B:
        b: Shared

    a = Subgraph("a", strawberry.type(A, name="Query"))
    b = Subgraph("b", strawberry.type(B, name="Query"))
    query = compose([a, b]).schema.query_type
    assert query is not None
    assert get_named_type(query.fields["a"].type) is get_named_type(query.fields["b"].type)


def test_an_entity_needs_a_home() -> None:
    with pytest.raises(CompositionError, match="Unit is extended by badges, visits, but no"):
        compose([badges(), visits()])


def test_an_entity_has_one_home() -> None:
    @strawberry.federation.type(keys=["id"], name="Unit")
    class OtherUnit:
        id: strawberry.ID

        @classmethod
        def resolve_reference(cls, id: str) -> None: ...  # noqa: A002

    @strawberry.type
    class Query:
        other: OtherUnit

    other = Subgraph("other", Query)
    with pytest.raises(CompositionError, match="Unit has two homes: home and other"):
        compose([home(), other])


def test_two_parts_of_an_entity_may_not_define_the_same_field() -> None:
    @strawberry.federation.type(keys=["id"], name="Unit", extend=True)
    class OtherUnit:
        id: strawberry.ID
        badge: str

        @classmethod
        def resolve_reference(cls, id: str) -> None: ...  # noqa: A002

    @strawberry.type
    class Query:
        other: OtherUnit

    other = Subgraph("other", Query)
    with pytest.raises(CompositionError, match=r"Unit\.badge is defined by both badges and other"):
        compose([home(), badges(), other])


def test_a_part_without_the_key_is_refused() -> None:
    @strawberry.type(name="Unit")
    class Plain:
        id: strawberry.ID

    @strawberry.type
    class Query:
        plain: Plain

    other = Subgraph("other", Query)
    with pytest.raises(CompositionError, match="Unit in other has no key, but Unit in home has"):
        compose([home(), other])


def test_a_part_that_adds_fields_must_be_reachable_from_the_key() -> None:
    @strawberry.federation.type(keys=["id"], name="Unit", extend=True)
    class Unreachable:
        id: strawberry.ID
        extra: str

    @strawberry.type
    class Query:
        other: Unreachable

    other = Subgraph("other", Query)
    with pytest.raises(CompositionError, match="Unit in other adds fields, so it needs"):
        compose([home(), other])


def test_the_one_private_attribute_is_there() -> None:
    """Fails first when a new Strawberry renames it; then only `_core_schema` has to change."""
    assert hasattr(Schema(query=HomeQuery, types=[Unit, Thing]), "_schema")


async def test_a_field_of_another_part_may_be_named_as_external() -> None:
    @strawberry.federation.type(name="Unit", keys=["id"], extend=True)
    class Repeating:
        id: strawberry.ID
        name: str = strawberry.federation.field(external=True)

    @strawberry.type
    class Query:
        @strawberry.field
        def other(self) -> Repeating:
            return Repeating(id=strawberry.ID("5"), name="not what counts")

    data, _, errors = await run("{ other { name } }", home(), Subgraph("other", Query))
    assert (data, errors) == ({"other": {"name": "unit 5"}}, [])


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("name", "Unit in other has another key than Unit in home"),
        ("id place { id }", "Unit in other: the key 'id place { id }' is nested"),
    ],
)
def test_a_key_that_the_home_does_not_have_is_refused(key: str, said: str) -> None:
    @strawberry.federation.type(name="Unit", keys=[key], extend=True)
    class Keyed:
        id: strawberry.ID
        name: str

    @strawberry.type
    class Query:
        other: Keyed

    with pytest.raises(CompositionError, match=said):
        compose([home(), Subgraph("other", Query)])


def test_a_home_that_nobody_can_ask_is_refused() -> None:
    @strawberry.federation.type(name="Place", keys=["id"])
    class Place:
        id: strawberry.ID

    @strawberry.type
    class Query:
        place: Place

    with pytest.raises(CompositionError, match="Place in other has no resolve_reference"):
        compose([Subgraph("other", Query)])
