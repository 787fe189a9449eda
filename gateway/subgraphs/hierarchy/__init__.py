"""The hierarchy in the graph: the blueprint, and units with their parents and children."""

from strawberry.federation import Schema

from gateway.graph.scalars import CONFIG, FEDERATION_VERSION
from gateway.subgraph import Subgraph
from gateway.subgraphs.hierarchy.client import RETRYABLE, SERVICE
from gateway.subgraphs.hierarchy.queries import Query

SUBGRAPH = Subgraph(
    name="hierarchy",
    schema=lambda: Schema(query=Query, config=CONFIG, federation_version=FEDERATION_VERSION),
    service=SERVICE,
    retryable=RETRYABLE,
)
