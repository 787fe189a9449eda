"""The hierarchy in the graph: the blueprint, and units with their parents and children."""

from gateway.subgraph import Subgraph
from gateway.subgraphs.hierarchy.client import RETRYABLE, SERVICE
from gateway.subgraphs.hierarchy.queries import Query

SUBGRAPH = Subgraph(
    name="hierarchy",
    query=Query,
    service=SERVICE,
    retryable=RETRYABLE,
)
