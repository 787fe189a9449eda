"""The register's room: groups, their units, counts, filters and the preview of an audience."""

from typing import Any

import pytest

from gateway.graph.ids import encode_id

from .fakes.servers import Client
from .fakes.world import uid

STATE = encode_id("Unit", uid("unit", "RJ"))
DIVISION = encode_id("Unit", uid("unit", "D1"))
DISTRICT = encode_id("Unit", uid("unit", "D0-01"))
GROUP = encode_id("Group", uid("group", "G-D0-01-2"))


async def test_a_group_with_all_its_fields(asking: Client) -> None:
    data = await asking.data(
        """query($id: ID!) { group(id: $id) {
          id code name { text } kind category unit { id code } language memberCount capacity state
          flags admins { person role } registeredAt } }""",
        id=GROUP,
    )
    assert data["group"] == {
        "id": GROUP,
        "code": "G-D0-01-2",
        "name": {"text": "Group G-D0-01-2"},
        "kind": "category",
        "category": "farmers",
        "unit": {"id": DISTRICT, "code": "D0-01"},
        "language": "hi",
        "memberCount": 200,
        "capacity": 1024,
        "state": "ACTIVE",
        "flags": ["INCOMPLETE"],
        "admins": [{"person": "p-1", "role": "OWNER"}],
        "registeredAt": "2026-11-01T12:00:00+00:00",
    }


async def test_a_group_without_a_category(asking: Client) -> None:
    plain = encode_id("Group", uid("group", "G-D0-01-1"))
    data = await asking.data("query($id: ID!) { group(id: $id) { category flags } }", id=plain)
    assert data["group"] == {"category": None, "flags": []}


async def test_a_group_s_unit_costs_nothing_for_its_id(asking: Client) -> None:
    await asking.data("query($id: ID!) { group(id: $id) { unit { id __typename } } }", id=GROUP)
    assert asking.world.calls.log == [("BatchGetGroups", 1)]


async def test_a_unit_reached_from_a_group_has_the_register_s_fields_at_once(
    asking: Client,
) -> None:
    data = await asking.data(
        "query($id: ID!) { group(id: $id) { unit { groupCounts { groupCount } } } }", id=GROUP
    )
    assert data == {"group": {"unit": {"groupCounts": {"groupCount": 2}}}}
    assert asking.world.calls.counts() == {"BatchGetGroups": 1, "BatchCountGroups": 1}


async def test_groups_by_filter(asking: Client) -> None:
    data = await asking.data(
        """query($unit: ID!) {
          all: groups { totalCount }
          under: groups(filter: {unitId: $unit}) { totalCount }
          own: groups(filter: {unitId: $unit, ownOnly: true}) { totalCount }
          farmers: groups(filter: {unitId: $unit, categories: ["farmers"]}) { totalCount }
          flagged: groups(filter: {flags: [INCOMPLETE], kinds: ["category"]}) { totalCount }
          retired: groups(filter: {states: [RETIRED]}) { totalCount nodes { id } }
        }""",
        unit=DIVISION,
    )
    totals = {name: each["totalCount"] for name, each in data.items()}
    assert totals == {"all": 12, "under": 6, "own": 0, "farmers": 3, "flagged": 6, "retired": 0}


async def test_pages_of_groups(asking: Client) -> None:
    query = """query($after: String) { groups(first: 5, after: $after) {
      nodes { code } pageInfo { hasNextPage endCursor } } }"""
    seen: list[str] = []
    after = None
    for size in (5, 5, 2):
        page = (await asking.data(query, after=after))["groups"]
        assert len(page["nodes"]) == size
        seen += [each["code"] for each in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
    assert page["pageInfo"]["hasNextPage"] is False
    assert len(set(seen)) == 12


async def test_a_cursor_in_a_page_leads_on_when_the_page_has_become_shorter(asking: Client) -> None:
    query = """query($first: Int, $after: String) { groups(first: $first, after: $after) {
      edges { cursor node { code } } pageInfo { hasNextPage endCursor } } }"""
    whole = (await asking.data(query, first=12))["groups"]["edges"]
    asking.world.longest_page = 2
    rest = (await asking.data(query, first=3, after=whole[6]["cursor"]))["groups"]
    assert [each["node"] for each in rest["edges"]] == [whole[7]["node"]]
    assert rest["pageInfo"]["hasNextPage"] is True
    assert rest["pageInfo"]["endCursor"] == rest["edges"][-1]["cursor"]


async def test_a_unit_s_groups_of_which_not_one_fits_are_an_error(asking: Client) -> None:
    asking.world.longest_page = 0
    body = await asking.ask(
        """query($id: ID!) { unit(id: $id) { code groups(first: 5, ownOnly: false) {
          nodes { code } pageInfo { hasNextPage endCursor } } } }""",
        id=STATE,
    )
    assert body["data"] == {"unit": {"code": "RJ", "groups": None}}
    (error,) = body["errors"]
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert error["extensions"]["reason"] == "ANSWER_TOO_LARGE"
    assert error["extensions"]["fieldViolations"][0]["field"] == "first"


async def test_the_groups_and_counts_of_a_unit(asking: Client) -> None:
    data = await asking.data(
        """query($id: ID!) { unit(id: $id) {
          own: groups { totalCount } all: groups(ownOnly: false, first: 2) {
            totalCount edges { cursor node { code } } pageInfo { hasNextPage } }
          groupCounts { groupCount memberCount byKind { key groupCount memberCount }
            byCategory { key groupCount } byFlag { flag groupCount } } } }""",
        id=STATE,
    )
    unit = data["unit"]
    assert unit["own"] == {"totalCount": 0}
    assert unit["all"]["totalCount"] == 12
    assert len(unit["all"]["edges"]) == 2
    assert unit["all"]["pageInfo"] == {"hasNextPage": True}
    assert unit["groupCounts"] == {
        "groupCount": 12,
        "memberCount": 2400,
        "byKind": [
            {"key": "category", "groupCount": 6, "memberCount": 1200},
            {"key": "internal", "groupCount": 6, "memberCount": 1200},
        ],
        "byCategory": [{"key": "farmers", "groupCount": 6}],
        # A flag that this graph does not know yet is left out.
        "byFlag": [{"flag": "INCOMPLETE", "groupCount": 6}],
    }


async def test_a_unit_s_page_goes_on_in_the_list_of_groups(asking: Client) -> None:
    first = await asking.data(
        """query($id: ID!) { unit(id: $id) { groups(first: 2, ownOnly: false) {
          nodes { code } pageInfo { endCursor } } } }""",
        id=STATE,
    )
    page = first["unit"]["groups"]
    rest = await asking.data(
        """query($id: ID!, $after: String) { groups(filter: {unitId: $id}, after: $after) {
          nodes { code } } }""",
        id=STATE,
        after=page["pageInfo"]["endCursor"],
    )
    codes = [each["code"] for each in page["nodes"] + rest["groups"]["nodes"]]
    assert len(codes) == len(set(codes)) == 12


async def test_a_preview_with_counts_beyond_32_bits(asking: Client) -> None:
    data = await asking.data(
        """query($audience: AudienceInput!) {
          previewAudience(audience: $audience, splitLevel: "division") {
            groupCount memberCount snapshotId exclusions { reason groupCount }
            byUnit { unit { id code } groupCount } byKind { key } byCategory { key } } }""",
        audience={"include": [{"unitIds": [STATE], "categories": ["farmers"]}]},
    )
    assert data["previewAudience"] == {
        "groupCount": 6,
        "memberCount": 3_000_000_006,
        "snapshotId": "12.7",
        "exclusions": [{"reason": "INCOMPLETE", "groupCount": 2}],
        "byUnit": [
            {"unit": {"id": encode_id("Unit", uid("unit", code)), "code": code}, "groupCount": 1}
            for code in ("D0", "D1")
        ],
        "byKind": [{"key": "category"}],
        "byCategory": [{"key": "farmers"}],
    }


async def test_an_unknown_unit_in_an_audience_is_named_in_graphql_s_words(
    asking: Client,
) -> None:
    unknown = encode_id("Unit", uid("unit", "nowhere"))
    body = await asking.ask(
        "query($a: AudienceInput!) { previewAudience(audience: $a) { groupCount } }",
        a={"include": [{"unitIds": [STATE]}, {"unitIds": [STATE, unknown]}]},
    )
    assert body["data"] is None
    (error,) = body["errors"]
    assert error["message"] == "audience.include[1].unitIds[1]: there is no such unit"
    assert error["path"] == ["previewAudience"]
    extensions = error["extensions"]
    assert extensions["code"] == "BAD_USER_INPUT"
    assert extensions["serviceName"] == "groups"
    assert extensions["domain"] == "groups.chaupal"
    assert extensions["grpc"] == {"status": "INVALID_ARGUMENT"}
    assert extensions["fieldViolations"] == [
        {
            "field": "audience.include[1].unitIds[1]",
            "reason": "UNKNOWN_UNIT",
            "description": "there is no such unit",
        }
    ]


async def test_every_bad_id_of_an_audience_is_named_before_anything_is_asked(
    asking: Client,
) -> None:
    body = await asking.ask(
        "query($a: AudienceInput!) { previewAudience(audience: $a) { groupCount } }",
        a={"include": [{"unitIds": ["x", STATE]}], "exclude": [{"unitIds": [GROUP]}]},
    )
    fields = [each["field"] for each in body["errors"][0]["extensions"]["fieldViolations"]]
    assert fields == ["audience.include[0].unitIds[0]", "audience.exclude[0].unitIds[0]"]
    assert asking.world.calls.log == []


PREVIEW = "query($a: AudienceInput!) { previewAudience(audience: $a) { groupCount } }"


def term(**more: Any) -> dict[str, Any]:
    return {"unitIds": [STATE], **more}


@pytest.mark.parametrize(
    ("part", "fits", "field", "said"),
    [
        ("include", [term()] * 50, "audience.include", "at most 50 terms"),
        ("exclude", [term()] * 50, "audience.exclude", "at most 50 terms"),
        (
            "include",
            [term(unitIds=[STATE] * 1_000)],
            "audience.include[0].unitIds",
            "at most 1,000",
        ),
        ("include", [term(kinds=["k"] * 64)], "audience.include[0].kinds", "at most 64"),
        (
            "exclude",
            [term(categories=["c"] * 256)],
            "audience.exclude[0].categories",
            "at most 256",
        ),
    ],
)
async def test_a_list_of_an_audience_that_is_too_long_is_the_only_fault(
    asking: Client, part: str, fits: list[dict[str, Any]], field: str, said: str
) -> None:
    await asking.data(PREVIEW, a={"include": [term()], part: fits})
    asking.world.calls.clear()
    last = field.rpartition(".")[2]
    longer = [*fits, term()] if last == part else [{**fits[0], last: [*fits[0][last], "?"]}]

    body = await asking.ask(PREVIEW, a={"include": [{"unitIds": ["?"]}], part: longer})

    assert body["errors"][0]["extensions"]["reason"] == "TOO_MANY"
    assert body["errors"][0]["extensions"]["fieldViolations"] == [
        {"field": field, "reason": "TOO_MANY", "description": said}
    ]
    assert asking.world.calls.log == []


async def test_of_many_bad_ids_a_hundred_are_named(asking: Client) -> None:
    terms = [{"unitIds": ["?"] * 60} for _ in range(50)]
    for count, told in ((100, 100), (101, 101), (3_000, 101)):
        given = [{"unitIds": ["?"] * count}] if count < 1_000 else terms
        body = await asking.ask(PREVIEW, a={"include": given, "exclude": []})
        extensions = body["errors"][0]["extensions"]
        assert extensions["reason"] == "BAD_ID"
        violations = extensions["fieldViolations"]
        assert len(violations) == told
        assert {each["reason"] for each in violations[:100]} == {"BAD_ID"}
        assert violations[100:] == [
            {
                "field": "",
                "reason": "MORE_VIOLATIONS",
                "description": "these are the first 100; there are more",
            }
        ] * (told - 100)
    assert asking.world.calls.log == []
