"""What one service contributes to the graph, as a value that the composer and the app can hold."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from strawberry.federation import Schema

from gateway.graph.scalars import CONFIG, FEDERATION_VERSION


@dataclass(frozen=True, slots=True)
class Subgraph:
    """One room of the graph: root types that name no type of another subgraph.

    Entities of others are mentioned as stubs: `extend=True`, or a key that is not `resolvable`.
    """

    name: str
    query: type
    mutation: type | None = None
    subscription: type | None = None
    types: Sequence[type] = ()
    """Types that no root field mentions."""
    service: str = ""
    """Full name of the gRPC service behind it; empty when it reaches none."""
    retryable: Sequence[str] = ()
    """Methods of the service that may be tried again when it cannot be reached."""

    def schema(self, *, in_order: bool = False) -> Schema:
        """A federation schema of its own.

        Args:
            in_order: sort it, for printing. Not for executing: sorting copies the schema, and the
                copy's enums no longer take members of their Python classes.
        """
        return Schema(
            query=self.query,
            mutation=self.mutation,
            subscription=self.subscription,
            types=self.types,
            config=replace(CONFIG, sort_schema=in_order),
            federation_version=FEDERATION_VERSION,
        )
