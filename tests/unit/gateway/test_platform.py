"""The gateway's own fields: who asks, and any object by its id."""

from gateway.graph.ids import encode_id

from .fakes.servers import Client, token
from .fakes.world import uid

UNIT = encode_id("Unit", uid("unit", "RJ"))
GROUP = encode_id("Group", uid("group", "G-D0-01-2"))
BROADCAST = encode_id("Broadcast", uid("broadcast", "1"))


async def test_the_viewer_is_what_the_token_says(asking: Client) -> None:
    bearer = token(capabilities=["view", "compose"])
    asking.headers["authorization"] = f"Bearer {bearer}"
    data = await asking.data("{ viewer { subject tenant capabilities expiresAt } }")
    expires = data["viewer"].pop("expiresAt")
    assert data["viewer"] == {
        "subject": "user-1",
        "tenant": "neem",
        "capabilities": ["compose", "view"],
    }
    assert expires.endswith("+00:00")
    assert asking.world.calls.log == []


async def test_nodes_of_every_type_in_their_order(asking: Client) -> None:
    unknown = encode_id("Group", uid("group", "nowhere"))
    data = await asking.data(
        """query($ids: [ID!]!) { nodes(ids: $ids) { __typename id
          ... on Unit { code groupCounts { groupCount } } ... on Group { kind unit { code } }
          ... on Broadcast { title } } }""",
        ids=[BROADCAST, UNIT, unknown, GROUP, UNIT],
    )
    unit = {"__typename": "Unit", "id": UNIT, "code": "RJ", "groupCounts": {"groupCount": 12}}
    assert data["nodes"] == [
        {"__typename": "Broadcast", "id": BROADCAST, "title": "Broadcast 1"},
        unit,
        None,
        {"__typename": "Group", "id": GROUP, "kind": "category", "unit": {"code": "D0-01"}},
        unit,
    ]


async def test_too_many_nodes_are_refused(asking: Client) -> None:
    body = await asking.ask("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", ids=[UNIT] * 1001)
    assert body["errors"][0]["extensions"]["reason"] == "TOO_MANY"
    assert asking.world.calls.log == []
