"""The hierarchy's room: blueprint, units, parents, ancestors, children, pages."""

from datetime import UTC, datetime

import pytest
from chaupal.hierarchy.v1 import hierarchy_pb2 as pb

from gateway.graph.ids import encode_id

from .fakes.servers import Client
from .fakes.world import stamp, uid

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


async def test_a_unit_of_a_date(asking: Client) -> None:
    then = stamp(datetime(2026, 10, 1, tzinfo=UTC))
    await asking.data(
        """query($id: ID!, $asOf: DateTime) { unit(id: $id, asOf: $asOf) { code }
          unitByCode(level: "division", code: "D1", asOf: $asOf) { code } }""",
        id=STATE,
        asOf="2026-10-01T00:00:00Z",
    )
    asked = asking.world.asked
    assert asked["BatchGetUnits"] == pb.BatchGetUnitsRequest(ids=[uid("unit", "RJ")], as_of=then)
    key = pb.UnitKey(level="division", code="D1")
    assert asked["GetUnit"] == pb.GetUnitRequest(key=key, as_of=then)


async def test_two_moments_in_one_operation_are_two_calls(asking: Client) -> None:
    await asking.data(
        """query($id: ID!) { now: unit(id: $id) { code }
          then: unit(id: $id, asOf: "2026-10-01T00:00:00Z") { code }
          same: unit(id: $id, asOf: "2026-10-01T05:30:00+05:30") { code } }""",
        id=STATE,
    )
    assert asking.world.calls.counts() == {"BatchGetUnits": 2}


async def test_what_a_unit_was(asking: Client) -> None:
    data = await asking.data(
        """query($id: ID!) { unitHistory(id: $id) { edges { cursor node { code validTo } }
          nodes { unitId code parentId parent { code } since }
          successors { code } pageInfo { hasNextPage } } }""",
        id=DISTRICT,
    )
    history = data["unitHistory"]
    assert [each["node"]["code"] for each in history["edges"]] == ["D0-01", "OLD-D0-01"]
    assert history["edges"][0]["node"]["validTo"] is None
    assert history["nodes"][0]["parent"] == {"code": "D0"}
    # Its old parent is no more.
    assert history["nodes"][1]["parentId"] == encode_id("Unit", uid("unit", "nowhere"))
    assert history["nodes"][1]["parent"] is None
    assert history["nodes"][1]["unitId"] == DISTRICT
    assert history["successors"] == [{"code": "D1"}]


async def test_the_history_of_nobody_is_null(asking: Client) -> None:
    unknown = encode_id("Unit", uid("unit", "nowhere"))
    data = await asking.data(
        "query($id: ID!) { unitHistory(id: $id) { pageInfo { endCursor } } }", id=unknown
    )
    assert data == {"unitHistory": None}


async def test_the_history_of_a_page_of_units_is_refused(asking: Client) -> None:
    """No batch RPC lists the history of many, so an operation lists that of one."""
    body = await asking.ask(
        "query($id: ID!) { units(parentId: $id) { nodes { history { nodes { code } } } } }",
        id=STATE,
    )
    reasons = {each["extensions"]["reason"] for each in body["errors"]}
    assert reasons == {"HISTORY_OF_ONE_UNIT"}
    assert asking.world.calls.counts()["ListUnitHistory"] == 1


async def test_units_are_found_by_name(asking: Client) -> None:
    query = """query($after: String) {
      searchUnits(query: "D0", levels: ["district"], first: 2, after: $after) {
        edges { cursor score language node { code } } nodes { code }
        pageInfo { hasNextPage endCursor } } }"""
    first = (await asking.data(query))["searchUnits"]
    assert [(each["node"]["code"], each["score"], each["language"]) for each in first["edges"]] == [
        ("D0", 0.5, None),
        ("D0-00", 0.5, "hi"),
    ]
    asked = asking.world.asked["SearchUnits"]
    assert isinstance(asked, pb.SearchUnitsRequest)
    assert (asked.query, list(asked.levels), asked.page_size) == ("D0", ["district"], 2)
    second = (await asking.data(query, after=first["pageInfo"]["endCursor"]))["searchUnits"]
    assert [each["code"] for each in second["nodes"]] == ["D0-01", "D0-02"]


async def test_areas_by_page(asking: Client) -> None:
    data = await asking.data(
        '{ areas(kind: "constituency", first: 1) { edges { cursor node { code } }'
        " nodes { id kind name { text } } pageInfo { hasNextPage } } }"
    )
    assert data["areas"]["nodes"] == [
        {
            "id": encode_id("Area", uid("area", "D0-00")),
            "kind": "constituency",
            "name": {"text": "Area D0-00"},
        }
    ]
    assert data["areas"]["pageInfo"] == {"hasNextPage": True}
    assert asking.world.asked["ListAreas"] == pb.ListAreasRequest(kind="constituency", page_size=1)


async def test_the_offices_of_the_blueprint(asking: Client) -> None:
    data = await asking.data(
        """{ blueprint { centreLevel verificationDays teamKinds { key levels maxMembers }
          positions { key levels seats roles grants { capability categories groupKinds } } } }"""
    )
    assert data["blueprint"] == {
        "centreLevel": "state",
        "verificationDays": 180,
        "teamKinds": [{"key": "it_cell", "levels": ["district"], "maxMembers": 7}],
        "positions": [
            {
                "key": "president",
                "levels": ["district"],
                "seats": 1,
                "roles": ["head"],
                "grants": [{"capability": "view", "categories": ["farmers"], "groupKinds": []}],
            }
        ],
    }
