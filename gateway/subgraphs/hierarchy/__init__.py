"""The hierarchy in the graph: blueprint, units, areas, people, watches, and who the caller is."""

from gateway.subgraph import Subgraph
from gateway.subgraphs.hierarchy.client import RETRYABLE, SERVICE
from gateway.subgraphs.hierarchy.mutations import Mutation
from gateway.subgraphs.hierarchy.people_client import ACCESS_RETRYABLE
from gateway.subgraphs.hierarchy.people_client import RETRYABLE as PEOPLE_RETRYABLE
from gateway.subgraphs.hierarchy.queries import Query
from gateway.subgraphs.hierarchy.viewer import Viewer

SUBGRAPH = Subgraph(
    name="hierarchy",
    query=Query,
    mutation=Mutation,
    types=[Viewer],
    service=SERVICE,
    retryable=(*RETRYABLE, *PEOPLE_RETRYABLE, *ACCESS_RETRYABLE),
)
