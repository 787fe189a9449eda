"""What one service contributes to the graph, as a value that the composer and the app can hold."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from strawberry.federation import Schema


@dataclass(frozen=True, slots=True)
class Subgraph:
    """One room of the graph.

    `schema` is a whole federation schema of its own: it names no type of another subgraph, but for
    stubs of entities (`extend=True`, or a key that is not `resolvable`).
    """

    name: str
    schema: Callable[[], Schema]
    service: str = ""
    """Full name of the gRPC service behind it; empty when it reaches none."""
    retryable: Sequence[str] = ()
    """Methods of the service that may be tried again when it cannot be reached."""
