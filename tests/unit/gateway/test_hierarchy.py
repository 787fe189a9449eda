"""The hierarchy's room: blueprint, units, parents, ancestors, children, pages."""

import pytest

from gateway.graph.ids import encode_id

from .fakes.servers import Client
from .fakes.world import uid

STATE = encode_id("Unit", uid("unit", "RJ"))
DISTRICT = encode_id("Unit", uid("unit", "D0-01"))


async def test_a_unit_by_id_with_all_its_fields(asking: Client) -> None:
    data = await asking.data(
        """query($id: ID!) { unit(id: $id) {
          id level code childCount subtreeCount place { latitude longitude }
          name { text en: text(language: "en") hi: text(language: "hi") other: text(language: "ta")
                 translations { language text } }
          parent { id } ancestors { id }
        } }""",
        id=STATE,
    )
    assert data["unit"] == {
        "id": STATE,
        "level": "state",
        "code": "RJ",
        "childCount": 2,
        "subtreeCount": 9,
        "place": {"latitude": 26.9, "longitude": 75.8},
        "name": {
            "text": "Unit RJ",
            "en": "Unit RJ",
            "hi": "इकाई RJ",
            "other": "Unit RJ",
            "translations": [
                {"language": "en", "text": "Unit RJ"},
                {"language": "hi", "text": "इकाई RJ"},
            ],
        },
        "parent": None,
        "ancestors": [],
    }


async def test_parent_and_ancestors_nearest_first(asking: Client) -> None:
    data = await asking.data(
        "query($id: ID!) { unit(id: $id) { place { latitude } parent { code }"
        " ancestors { code } } }",
        id=DISTRICT,
    )
    assert data["unit"] == {
        "place": None,
        "parent": {"code": "D0"},
        "ancestors": [{"code": "D0"}, {"code": "RJ"}],
    }


async def test_a_unit_by_level_and_code(asking: Client) -> None:
    data = await asking.data(
        '{ found: unitByCode(level: "division", code: "D1") { id }'
        ' none: unitByCode(level: "state", code: "D1") { id } }'
    )
    assert data == {"found": {"id": encode_id("Unit", uid("unit", "D1"))}, "none": None}


async def test_an_unknown_unit_is_null(asking: Client) -> None:
    unknown = encode_id("Unit", uid("unit", "nowhere"))
    assert await asking.data("query($id: ID!) { unit(id: $id) { id } }", id=unknown) == {
        "unit": None
    }


async def test_the_blueprint(asking: Client) -> None:
    data = await asking.data(
        '{ blueprint { version style name { text(language: "hi") } levels { key }'
        " groupKinds { key hasCategory } categories { key name { text } } } }"
    )
    assert data["blueprint"] == {
        "version": 3,
        "style": "party",
        "name": {"text": "नीम"},
        "levels": [{"key": "state"}, {"key": "division"}, {"key": "district"}],
        "groupKinds": [{"key": "category", "hasCategory": True}],
        "categories": [{"key": "farmers", "name": {"text": "Neem"}}],
    }


async def test_the_roots_and_the_children(asking: Client) -> None:
    data = await asking.data(
        """query($id: ID!) {
          roots: units { totalCount nodes { code children { totalCount nodes { code } } } }
          below: units(parentId: $id) { nodes { code } pageInfo { hasNextPage hasPreviousPage } }
        }""",
        id=STATE,
    )
    divisions = [{"code": "D0"}, {"code": "D1"}]
    assert data["roots"] == {
        "totalCount": 1,
        "nodes": [{"code": "RJ", "children": {"totalCount": 2, "nodes": divisions}}],
    }
    assert data["below"] == {
        "nodes": divisions,
        "pageInfo": {"hasNextPage": False, "hasPreviousPage": False},
    }


PAGES = """query($id: ID!, $after: String) {
  units(parentId: $id, first: 1, after: $after) {
    edges { cursor node { code } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}"""


async def test_pages_end_where_the_next_begins(asking: Client) -> None:
    parent = encode_id("Unit", uid("unit", "D0"))
    seen, after, before = [], None, False
    while True:
        page = (await asking.data(PAGES, id=parent, after=after))["units"]
        (edge,) = page["edges"]
        seen.append(edge["node"]["code"])
        assert page["pageInfo"]["startCursor"] == page["pageInfo"]["endCursor"] == edge["cursor"]
        assert page["pageInfo"]["hasPreviousPage"] is before
        if not page["pageInfo"]["hasNextPage"]:
            break
        after, before = page["pageInfo"]["endCursor"], True
    assert seen == ["D0-00", "D0-01", "D0-02"]


async def test_a_cursor_in_the_middle_of_a_page_goes_on_from_there(asking: Client) -> None:
    parent = encode_id("Unit", uid("unit", "D0"))
    query = """query($id: ID!, $first: Int, $after: String) {
      units(parentId: $id, first: $first, after: $after) { edges { cursor node { code } } } }"""
    whole = (await asking.data(query, id=parent, first=3))["units"]["edges"]
    rest = (await asking.data(query, id=parent, first=3, after=whole[0]["cursor"]))["units"]
    assert [each["node"]["code"] for each in rest["edges"]] == ["D0-01", "D0-02"]
    one = (await asking.data(query, id=parent, first=1, after=whole[0]["cursor"]))["units"]
    assert [each["node"]["code"] for each in one["edges"]] == ["D0-01"]


@pytest.mark.parametrize(
    ("query", "field", "reason"),
    [
        ('{ unit(id: "nonsense") { id } }', "id", "BAD_ID"),
        ('{ unit(id: "R3JvdXA6eA==") { id } }', "id", "BAD_ID"),
        ('{ unit(id: "") { id } }', "id", "BAD_ID"),
        ('{ units(parentId: "") { nodes { id } } }', "parentId", "BAD_ID"),
        ("{ units(first: 0) { nodes { id } } }", "first", "OUT_OF_RANGE"),
        ("{ units(first: 1001) { nodes { id } } }", "first", "OUT_OF_RANGE"),
        ('{ units(after: "?") { nodes { id } } }', "after", "BAD_CURSOR"),
        ('{ units(after: "OTk5OTk5OQ") { nodes { id } } }', "after", "BAD_CURSOR"),
        ('{ node(id: "nonsense") { id } }', "id", "BAD_ID"),
        ('{ nodes(ids: ["nonsense"]) { id } }', "ids[0]", "BAD_ID"),
    ],
)
async def test_bad_arguments_are_named(asking: Client, query: str, field: str, reason: str) -> None:
    body = await asking.ask(query)
    (error,) = body["errors"]
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert error["extensions"]["reason"] == reason
    (violation,) = error["extensions"]["fieldViolations"]
    assert (violation["field"], violation["reason"]) == (field, reason)
    assert asking.world.calls.log == []


async def test_an_id_of_another_type_is_bad_and_not_just_unknown(asking: Client) -> None:
    group = encode_id("Group", uid("group", "x"))
    body = await asking.ask("query($id: ID!) { unit(id: $id) { id } }", id=group)
    assert body["errors"][0]["extensions"]["fieldViolations"] == [
        {"field": "id", "reason": "BAD_ID", "description": "must be the id of a Unit"}
    ]
    assert body["data"] == {"unit": None}


async def test_children_of_an_unknown_parent_are_not_found(asking: Client) -> None:
    unknown = encode_id("Unit", uid("unit", "nowhere"))
    body = await asking.ask("query($id: ID!) { units(parentId: $id) { nodes { id } } }", id=unknown)
    assert body["data"] is None
    assert body["errors"][0]["extensions"]["code"] == "NOT_FOUND"
    assert body["errors"][0]["extensions"]["serviceName"] == "hierarchy"
