"""The register in the graph: groups, what an audience means, and the groups of a unit."""

from gateway.subgraph import Subgraph
from gateway.subgraphs.groups.client import RETRYABLE, SERVICE
from gateway.subgraphs.groups.queries import Query

SUBGRAPH = Subgraph(
    name="groups",
    query=Query,
    service=SERVICE,
    retryable=RETRYABLE,
)
