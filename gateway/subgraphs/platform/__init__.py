"""The gateway's own part of the graph: who is asking, and any object by its global id."""

from gateway.subgraph import Subgraph
from gateway.subgraphs.platform.queries import Query

SUBGRAPH = Subgraph(
    name="platform",
    query=Query,
)
