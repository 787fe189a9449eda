"""A fourth service joins by one line of configuration and no change to the gateway's code."""

from pathlib import Path

import pytest

from gateway.graph.ids import encode_id
from kit.settings import SettingsError

from . import tasks_subgraph
from .fakes.servers import client, gateway, services, settings, token
from .fakes.world import World, uid

LINE = f"{tasks_subgraph.__name__}@unix:/nobody.sock"
TASK = encode_id("Task", uid("task", "1"))


async def test_its_fields_stand_beside_the_others(tmp_path: Path, world: World) -> None:
    configured = settings(tmp_path, extra_subgraphs=LINE)
    tasks_subgraph.BATCHES.clear()
    async with (
        services(world, configured),
        gateway(configured) as app,
        client(app, world, token()) as asking,
    ):
        data = await asking.data(
            """query($task: ID!) {
              taskTotal
              units { nodes { code taskCount groupCounts { groupCount }
                children { nodes { code taskCount } } } }
              groups(first: 2) { nodes { unit { taskCount } } }
              node(id: $task) { __typename ... on Task { title } }
            }""",
            task=TASK,
        )
    (state,) = data["units"]["nodes"]
    assert data["taskTotal"] == 3
    assert (state["code"], state["taskCount"], state["groupCounts"]) == (
        "RJ",
        56,
        {"groupCount": 12},
    )
    assert [each["taskCount"] for each in state["children"]["nodes"]] == [56, 56]
    assert data["groups"]["nodes"] == [{"unit": {"taskCount": 56}}] * 2
    assert data["node"]["__typename"] == "Task"
    # The state; its children; the groups' unit, which comes with the state or the children.
    assert sum(tasks_subgraph.BATCHES) == 4
    assert len(tasks_subgraph.BATCHES) <= 3


@pytest.mark.parametrize("line", ["module", "@target", "module@"])
def test_a_line_of_another_form_is_refused_by_its_name(tmp_path: Path, line: str) -> None:
    base = settings(tmp_path)
    environ = {
        "OIDC_ISSUER": base.oidc_issuer,
        "OIDC_JWKS_FILE": str(base.oidc_jwks_file),
        "EXTRA_SUBGRAPHS": line,
    }
    with pytest.raises(SettingsError) as caught:
        type(base).load(environ)
    assert [each.variable for each in caught.value.problems] == ["EXTRA_SUBGRAPHS"]


async def test_a_module_without_a_room_stops_the_start(tmp_path: Path) -> None:
    configured = settings(tmp_path, extra_subgraphs="json@unix:/nobody.sock")
    with pytest.raises(TypeError, match="json has no SUBGRAPH"):
        async with gateway(configured):
            pass
