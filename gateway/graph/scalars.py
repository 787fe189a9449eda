"""Scalars beyond the specified ones, and the configuration that every subgraph's schema uses."""

from datetime import UTC, datetime
from typing import Final, NewType

import strawberry
from google.protobuf.timestamp_pb2 import Timestamp
from strawberry.schema.config import StrawberryConfig

FEDERATION_VERSION: Final = "2.9"

BigInt = NewType("BigInt", int)
"""A count that may pass 2^31."""

CONFIG = StrawberryConfig(
    scalar_map={
        BigInt: strawberry.scalar(
            name="BigInt",
            description="A whole number up to 2^53, as a JSON number.",
            serialize=int,
            parse_value=int,
        )
    },
)


def instant(value: Timestamp) -> datetime:
    """A protobuf timestamp as an aware instant."""
    return value.ToDatetime(tzinfo=UTC)


def optional_instant(value: Timestamp, *, given: bool) -> datetime | None:
    """The instant of a message field that may be absent."""
    return instant(value) if given else None
