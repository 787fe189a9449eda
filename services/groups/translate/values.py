"""Groups and their parts."""

from collections.abc import Mapping, Sequence
from typing import TypeVar

from chaupal.groups.v1 import groups_pb2 as pb
from google.protobuf.timestamp_pb2 import Timestamp

from kit.errors import InvalidInput
from services.groups.domain.checks import Draft
from services.groups.domain.model import (
    AdminRole,
    Group,
    GroupFlag,
    GroupState,
    UnitId,
)

E = TypeVar("E")

# Spelled out, not by number: contract and store may grow apart.
STATES: Mapping[GroupState, pb.GroupState.ValueType] = {
    GroupState.PLANNED: pb.GROUP_STATE_PLANNED,
    GroupState.UNVERIFIED: pb.GROUP_STATE_UNVERIFIED,
    GroupState.ACTIVE: pb.GROUP_STATE_ACTIVE,
    GroupState.RETIRED: pb.GROUP_STATE_RETIRED,
}
ROLES: Mapping[AdminRole, pb.AdminRole.ValueType] = {
    AdminRole.OWNER: pb.ADMIN_ROLE_OWNER,
    AdminRole.ADMIN: pb.ADMIN_ROLE_ADMIN,
    AdminRole.BACKUP: pb.ADMIN_ROLE_BACKUP,
    AdminRole.STATE_EXECUTIVE: pb.ADMIN_ROLE_STATE_EXECUTIVE,
}
FLAGS: Mapping[GroupFlag, pb.GroupFlag.ValueType] = {
    GroupFlag.INCOMPLETE: pb.GROUP_FLAG_INCOMPLETE,
    GroupFlag.ORPHANED: pb.GROUP_FLAG_ORPHANED,
    GroupFlag.FULL: pb.GROUP_FLAG_FULL,
}
_STATES_BACK: Mapping[int, GroupState] = {number: state for state, number in STATES.items()}
_ROLES_BACK: Mapping[int, AdminRole] = {number: role for role, number in ROLES.items()}
_FLAGS_BACK: Mapping[int, GroupFlag] = {number: flag for flag, number in FLAGS.items()}


def group_to_proto(group: Group) -> pb.Group:
    """The whole group."""
    content = group.content
    registered_at = Timestamp()
    registered_at.FromDatetime(group.identity.registered_at)
    return pb.Group(
        id=group.id,
        code=content.code,
        names=content.names,
        kind=content.kind,
        category=content.category,
        unit_id=content.unit_id,
        admins=[pb.Admin(person=each.person, role=ROLES[each.role]) for each in content.admins],
        language=content.language,
        member_count=content.member_count,
        capacity=content.capacity,
        state=STATES[content.state],
        flags=[FLAGS[flag] for flag in content.flags],
        etag=group.etag,
        registered_at=registered_at,
    )


def draft_from_proto(message: pb.Group) -> tuple[Draft, UnitId]:
    """What is said about a group, unchecked, and the unit that it names.

    Raises:
        InvalidInput: BAD_STATE for a state that this version does not know.
    """
    draft = Draft(
        code=message.code,
        names=dict(message.names),
        kind=message.kind,
        category=message.category,
        admins=admins_from_proto(message.admins),
        language=message.language,
        member_count=message.member_count,
        capacity=message.capacity,
        state=state_from_proto(message.state, "group.state"),
    )
    return draft, UnitId(message.unit_id)


def state_from_proto(number: int, path: str) -> GroupState | None:
    """The state; None when none is said. Raises `InvalidInput` (BAD_STATE) on `path`."""
    if number == pb.GROUP_STATE_UNSPECIFIED:
        return None
    return _known(number, _STATES_BACK, path, "BAD_STATE")


def states_from_proto(numbers: Sequence[int], path: str) -> tuple[GroupState, ...]:
    """The states. Raises `InvalidInput` (BAD_STATE) on an item of `path`."""
    return tuple(
        _known(number, _STATES_BACK, f"{path}[{index}]", "BAD_STATE")
        for index, number in enumerate(numbers)
    )


def flags_from_proto(numbers: Sequence[int], path: str) -> tuple[GroupFlag, ...]:
    """The flags. Raises `InvalidInput` (BAD_FLAG) on an item of `path`."""
    return tuple(
        _known(number, _FLAGS_BACK, f"{path}[{index}]", "BAD_FLAG")
        for index, number in enumerate(numbers)
    )


def admins_from_proto(messages: Sequence[pb.Admin]) -> tuple[tuple[str, AdminRole | None], ...]:
    """Persons and roles, unchecked; a role that is not said or not known is None."""
    return tuple([(each.person, _ROLES_BACK.get(each.role)) for each in messages])


def _known(number: int, known: Mapping[int, E], path: str, reason: str) -> E:
    if number not in known:
        raise InvalidInput.of(path, reason, f"{number} is none that this version knows")
    return known[number]
