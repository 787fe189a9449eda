"""The example operations of every room, each by itself with the fragments that it spreads."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from graphql import (
    OperationDefinitionNode,
    OperationType,
    parse,
    print_ast,
    separate_operations,
)

from gateway import subgraphs

FOLDER = Path(subgraphs.__file__).parent


@dataclass(frozen=True)
class Example:
    """One operation of an `examples.graphql`."""

    kind: OperationType
    text: str


def examples(room: str = "*") -> Mapping[str, Example]:
    """Every example by its name."""
    found = {}
    for file in sorted(FOLDER.glob(f"{room}/examples.graphql")):
        for name, document in separate_operations(parse(file.read_text())).items():
            assert name not in found, f"{name} is there twice"
            (kind,) = [
                each.operation
                for each in document.definitions
                if isinstance(each, OperationDefinitionNode)
            ]
            found[name] = Example(kind, print_ast(document))
    return found
