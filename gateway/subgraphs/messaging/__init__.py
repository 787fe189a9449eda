"""Messaging in the graph: broadcasts, their deliveries and their progress."""

from gateway.subgraph import Subgraph
from gateway.subgraphs.messaging.client import RETRYABLE, SERVICE
from gateway.subgraphs.messaging.mutations import Mutation
from gateway.subgraphs.messaging.queries import Query
from gateway.subgraphs.messaging.subscriptions import Subscription

SUBGRAPH = Subgraph(
    name="messaging",
    query=Query,
    mutation=Mutation,
    subscription=Subscription,
    service=SERVICE,
    retryable=RETRYABLE,
)
