"""The gateway's own part of the graph: who is asking, and any object by its global id."""

from strawberry.federation import Schema

from gateway.graph.scalars import CONFIG, FEDERATION_VERSION
from gateway.subgraph import Subgraph
from gateway.subgraphs.platform.queries import Query

SUBGRAPH = Subgraph(
    name="platform",
    schema=lambda: Schema(query=Query, config=CONFIG, federation_version=FEDERATION_VERSION),
)
