"""The interface of everything that has a global id."""

import strawberry


@strawberry.interface(description="An object that can be fetched again by its id.")
class Node:
    """Anything with a global id; Unit, Group and Broadcast are."""

    id: strawberry.ID = strawberry.field(
        description="Opaque, stable and unique in the whole graph."
    )
