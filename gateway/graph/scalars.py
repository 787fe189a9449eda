"""Scalars beyond the specified ones, and the configuration that every subgraph's schema uses."""

from datetime import UTC, datetime
from typing import Annotated, Final, NewType

import strawberry
from google.protobuf.timestamp_pb2 import Timestamp
from strawberry.schema.config import StrawberryConfig

from kit.errors import InvalidInput

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

AsOf = Annotated[
    datetime | None,
    strawberry.argument(description="As it stood at this instant; null for now."),
]


def instant(value: Timestamp) -> datetime:
    """A protobuf timestamp as an aware instant."""
    return value.ToDatetime(tzinfo=UTC)


def optional_instant(value: Timestamp, *, given: bool) -> datetime | None:
    """The instant of a message field that may be absent."""
    return instant(value) if given else None


def optional_moment(value: datetime | None, argument: str) -> datetime | None:
    """An instant that a client may have given, in UTC.

    Raises:
        InvalidInput: BAD_INSTANT on `argument` when it may mean several instants, or none.
    """
    if value is None or value is strawberry.UNSET:
        return None
    try:
        if value.tzinfo is not None:
            return value.astimezone(UTC)
    except OverflowError:  # the first or the last day of the calendar, elsewhere
        pass
    said = "must say its offset from UTC, such as 2026-11-01T00:00:00Z"
    raise InvalidInput.of(argument, "BAD_INSTANT", said)


def optional_stamp(value: datetime | None) -> Timestamp | None:
    """An instant on the wire, if there is one."""
    if value is None:
        return None
    stamp = Timestamp()
    stamp.FromDatetime(value)
    return stamp
