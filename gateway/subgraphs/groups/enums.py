"""The register's enums, by the numbers of the contract."""

from collections.abc import Iterable
from enum import Enum

import strawberry
from chaupal.groups.v1 import groups_pb2 as pb

from gateway.graph.fields import numbers


@strawberry.enum(description="Where a group stands in its life.")
class GroupState(Enum):
    """The contract's states by their numbers."""

    PLANNED = strawberry.enum_value(pb.GROUP_STATE_PLANNED, description="Wanted, not yet there.")
    UNVERIFIED = strawberry.enum_value(
        pb.GROUP_STATE_UNVERIFIED, description="Said to be there, not yet checked."
    )
    ACTIVE = strawberry.enum_value(pb.GROUP_STATE_ACTIVE, description="There.")
    RETIRED = strawberry.enum_value(pb.GROUP_STATE_RETIRED, description="Given up.")


@strawberry.enum(description="A derived state of a group that can hold beside others.")
class GroupFlag(Enum):
    """The contract's flags by their numbers."""

    INCOMPLETE = strawberry.enum_value(
        pb.GROUP_FLAG_INCOMPLETE, description="A category group without a state-executive admin."
    )
    ORPHANED = strawberry.enum_value(pb.GROUP_FLAG_ORPHANED, description="Nobody administers it.")
    FULL = strawberry.enum_value(pb.GROUP_FLAG_FULL, description="As many members as it can hold.")


@strawberry.enum(description="What an admin does in a group.")
class AdminRole(Enum):
    """The contract's roles by their numbers."""

    OWNER = strawberry.enum_value(pb.ADMIN_ROLE_OWNER, description="Made the group.")
    ADMIN = strawberry.enum_value(pb.ADMIN_ROLE_ADMIN, description="Posts into the group.")
    BACKUP = strawberry.enum_value(pb.ADMIN_ROLE_BACKUP, description="Stands in.")
    STATE_EXECUTIVE = strawberry.enum_value(
        pb.ADMIN_ROLE_STATE_EXECUTIVE,
        description="Office-bearer of the state executive; every category group needs one.",
    )


_FLAGS = frozenset(numbers(GroupFlag))


def flags(numbers: Iterable[int]) -> list[GroupFlag]:
    """The flags that this graph knows; a newer service may set more."""
    return [GroupFlag(number) for number in numbers if number in _FLAGS]
