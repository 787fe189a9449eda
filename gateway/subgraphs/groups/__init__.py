"""The register in the graph: groups, what an audience means, and the groups of a unit."""

from strawberry.federation import Schema

from gateway.graph.scalars import CONFIG, FEDERATION_VERSION
from gateway.subgraph import Subgraph
from gateway.subgraphs.groups.client import RETRYABLE, SERVICE
from gateway.subgraphs.groups.queries import Query

SUBGRAPH = Subgraph(
    name="groups",
    schema=lambda: Schema(query=Query, config=CONFIG, federation_version=FEDERATION_VERSION),
    service=SERVICE,
    retryable=RETRYABLE,
)
