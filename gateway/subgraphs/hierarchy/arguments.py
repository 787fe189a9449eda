"""Arguments that several fields of the hierarchy take."""

from typing import Annotated

import strawberry

from kit.errors import InvalidInput

argument = strawberry.argument
# As many as the contract puts into one answer.
_MOST = 1_000
USUAL_LIST = 20
"""Of a list that is no connection, so many are given when a client does not say."""

FirstOfList = Annotated[
    int | None,
    argument(description="How many at most: 1 to 1,000. Whether there are more is told."),
]
WithEnded = Annotated[
    bool | None, argument(description="Those that have ended too, whatever the instant.")
]
WithinUnitId = Annotated[
    strawberry.ID | None,
    argument(description="Only in this unit's subtree; null for everything that the caller sees."),
]


def first_of(first: int | None) -> int:
    """How many items of a list to give.

    Raises:
        InvalidInput: OUT_OF_RANGE on `first`.
    """
    most = USUAL_LIST if first is None else first
    if not 1 <= most <= _MOST:
        raise InvalidInput.of("first", "OUT_OF_RANGE", f"must be 1 to {_MOST}")
    return most
