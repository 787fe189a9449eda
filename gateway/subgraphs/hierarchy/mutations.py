"""What the hierarchy adds to Mutation."""

import strawberry

from gateway.subgraphs.hierarchy.people_mutations import PeopleMutations
from gateway.subgraphs.hierarchy.unit_mutations import UnitMutations


@strawberry.type
class Mutation(UnitMutations, PeopleMutations):
    """Everything that changes the organisation."""
