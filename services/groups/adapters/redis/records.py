"""A group as the register keeps it: JSON with short names, so that a person can read it there."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from services.groups.domain.model import (
    Admin,
    AdminRole,
    Group,
    GroupContent,
    GroupId,
    GroupState,
    Identity,
    UnitId,
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
# Made once: json.dumps would make an encoder for each of 100,000 calls.
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False).encode


def encode_group(group: Group) -> bytes:
    """The record of a group, without its id, which is its name."""
    content = group.content
    return _encode(
        {
            "code": content.code,
            "names": content.names,
            "kind": content.kind,
            "category": content.category,
            "unit": content.unit_id,
            "admins": [[admin.person, int(admin.role)] for admin in content.admins],
            "language": content.language,
            "members": content.member_count,
            "capacity": content.capacity,
            "state": int(content.state),
            "registered": milliseconds(group.identity.registered_at),
        }
    ).encode()


def decode_group(group_id: GroupId, record: bytes) -> Group:
    """The group of a record."""
    said: Mapping[str, Any] = json.loads(record)
    content = GroupContent(
        code=said["code"],
        names=said["names"],
        kind=said["kind"],
        category=said["category"],
        unit_id=UnitId(said["unit"]),
        admins=tuple(Admin(person, AdminRole(role)) for person, role in said["admins"]),
        language=said["language"],
        member_count=said["members"],
        capacity=said["capacity"],
        state=GroupState(said["state"]),
    )
    return Group(Identity(group_id, instant(said["registered"])), content)


def milliseconds(at: datetime) -> int:
    """Whole milliseconds since 1970."""
    return (at - _EPOCH) // _MILLISECOND


def instant(after_milliseconds: int) -> datetime:
    """The instant so many milliseconds after 1970."""
    return _EPOCH + after_milliseconds * _MILLISECOND
