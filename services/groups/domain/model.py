"""Groups and what they are made of. The enumerations' numbers are stored: never change one."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import NewType

TenantId = NewType("TenantId", str)
GroupId = NewType("GroupId", str)
UnitId = NewType("UnitId", str)

DIGEST_BYTES = 8


class GroupState(IntEnum):
    """Where a group stands in its life."""

    PLANNED = 1
    UNVERIFIED = 2
    ACTIVE = 3
    RETIRED = 4


class AdminRole(IntEnum):
    """What an admin does in a group."""

    OWNER = 1
    ADMIN = 2
    BACKUP = 3
    STATE_EXECUTIVE = 4


class GroupFlag(IntEnum):
    """A derived state that can hold beside others."""

    INCOMPLETE = 1
    ORPHANED = 2
    FULL = 3


@dataclass(frozen=True, slots=True)
class Admin:
    """One admin of a group: the reference of a person, and what they do."""

    person: str
    role: AdminRole


@dataclass(frozen=True, slots=True)
class GroupContent:
    """All that people say about a group; what the platform adds is in `Group`.

    Valid by construction: made by `checks` or read back from the register.
    """

    code: str
    names: Mapping[str, str]
    kind: str
    category: str  # empty when it has none
    unit_id: UnitId
    admins: tuple[Admin, ...]
    language: str
    member_count: int
    capacity: int
    state: GroupState

    @property
    def is_incomplete(self) -> bool:
        """Whether it is a category group without an office-bearer of the state executive."""
        return bool(self.category) and all(
            admin.role is not AdminRole.STATE_EXECUTIVE for admin in self.admins
        )

    @property
    def flags(self) -> tuple[GroupFlag, ...]:
        """The derived states that hold, by number."""
        held = {
            GroupFlag.INCOMPLETE: self.is_incomplete,
            GroupFlag.ORPHANED: not self.admins,
            GroupFlag.FULL: self.member_count >= self.capacity,
        }
        return tuple(flag for flag, holds in held.items() if holds)

    def digest(self) -> bytes:
        """Eight bytes that are equal when, and in practice only when, the content is."""
        said = (
            self.code,
            sorted(self.names.items()),
            self.kind,
            self.category,
            self.unit_id,
            [(admin.person, int(admin.role)) for admin in self.admins],
            self.language,
            self.member_count,
            self.capacity,
            int(self.state),
        )
        return hashlib.blake2b(repr(said).encode(), digest_size=DIGEST_BYTES).digest()


@dataclass(frozen=True, slots=True)
class Identity:
    """What of a group never changes, beside its code. `registered_at` has whole milliseconds."""

    id: GroupId
    registered_at: datetime


@dataclass(frozen=True, slots=True)
class Group:
    """One group of the register."""

    identity: Identity
    content: GroupContent

    @property
    def id(self) -> GroupId:
        """The group's id."""
        return self.identity.id

    @property
    def etag(self) -> str:
        """Changes whenever the group does."""
        return self.content.digest().hex()
