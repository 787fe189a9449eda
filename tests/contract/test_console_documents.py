"""What the consoles ask is taken by the gateway: valid, and within what one operation may cost."""

import re
from pathlib import Path
from typing import Any

import pytest
from graphql import (
    DocumentNode,
    FieldNode,
    NameNode,
    OperationDefinitionNode,
    SelectionSetNode,
    Visitor,
    parse,
    validate,
    visit,
)
from graphql.execution import Executor

from gateway.composer import compose
from gateway.config import SUBGRAPHS, load_subgraphs
from gateway.http.cost import estimated_cost
from gateway.http.limits import Limits

CONSOLES = Path(__file__).parents[2] / "consoles"
SCHEMA = compose(load_subgraphs(SUBGRAPHS)).schema
TEXTS = [
    text
    for folder in ("shared", "party", "category")
    for path in sorted((CONSOLES / folder).rglob("*.ts*"))
    if not {"node_modules", "dist"} & set(path.parts) and ".test." not in path.name
    for text in re.findall(r"\bgraphql\(\s*`([^`]*)`", path.read_text(encoding="utf-8"))
]
FRAGMENTS = {
    found[1]: text.replace("@_unmask", "")
    for text in TEXTS
    if (found := re.match(r"\s*fragment (\w+)", text))
}
OPERATIONS = {
    found[1]: text
    for text in TEXTS
    if (found := re.match(r"\s*(?:query|mutation|subscription) (\w+)", text))
}
# The longest page that a console asks for.
_PAGES = {"Children": 100, "Undelivered": 1_000, "Broadcasts": 10, "Unit": 20}
_AUDIENCE = {"include": [{"unitIds": ["x"]}]}
_INPUTS = {
    "CreateBroadcast": {"requestId": "x", "title": "x", "texts": [], "audience": _AUDIENCE},
    "StartBroadcast": {"requestId": "x", "broadcastId": "x"},
}


class _Typenames(Visitor):
    """Asks for the type of every object, as the consoles' client does for its cache."""

    def leave_selection_set(
        self, node: SelectionSetNode, _key: Any, parent: Any, *_: Any
    ) -> SelectionSetNode:
        if isinstance(parent, OperationDefinitionNode):
            return node
        typename = FieldNode(name=NameNode(value="__typename"))
        return SelectionSetNode(selections=(*node.selections, typename))


def document(name: str) -> DocumentNode:
    text = OPERATIONS[name]
    spread: dict[str, str] = {}
    while more := set(re.findall(r"\.\.\.(\w+)", text)) - set(spread):
        spread |= {each: FRAGMENTS[each] for each in more}
        text = OPERATIONS[name] + "".join(spread.values())
    found: DocumentNode = visit(parse(text), _Typenames())
    return found


def test_each_operation_was_found() -> None:
    assert {"Shell", "Children", "Unit", "Preview", "Progress", "Undelivered"} <= set(OPERATIONS)


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_of_a_console_is_within_the_limits(name: str) -> None:
    page = _PAGES.get(name)
    variables = {
        "id": "x",
        "first": page,
        "groups": page,
        "audience": _AUDIENCE,
        "input": _INPUTS.get(name),
    }
    asked = document(name)
    executor = Executor[None].build(SCHEMA, asked, raw_variable_values=variables)

    assert validate(SCHEMA, asked) == []
    assert isinstance(executor, Executor), executor
    assert 0 < estimated_cost(executor) <= Limits().cost
