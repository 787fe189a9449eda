"""Messaging in the graph: broadcasts, their deliveries and their progress."""

from strawberry.federation import Schema

from gateway.graph.scalars import CONFIG, FEDERATION_VERSION
from gateway.subgraph import Subgraph
from gateway.subgraphs.messaging.client import RETRYABLE, SERVICE
from gateway.subgraphs.messaging.mutations import Mutation
from gateway.subgraphs.messaging.queries import Query
from gateway.subgraphs.messaging.subscriptions import Subscription

SUBGRAPH = Subgraph(
    name="messaging",
    schema=lambda: Schema(
        query=Query,
        mutation=Mutation,
        subscription=Subscription,
        config=CONFIG,
        federation_version=FEDERATION_VERSION,
    ),
    service=SERVICE,
    retryable=RETRYABLE,
)
