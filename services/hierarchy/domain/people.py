"""Persons and the offices that they hold."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NewType

from services.hierarchy.domain.model import LocalizedText, UnitId

PersonId = NewType("PersonId", str)
AppointmentId = NewType("AppointmentId", str)


@dataclass(frozen=True, slots=True)
class SealedPhone:
    """A phone number as it is kept: found by `hash`, read only with the tenant's data key.

    Attributes:
        hash: HMAC-SHA256 of the E.164 number under the tenant's pepper, in hexadecimal.
        pepper_version: which pepper made the hash.
        sealed: the number under AES-256-GCM, nonce first, in base64.
        key_version: which data key sealed it.
        masked: what may be shown to anybody, such as "+91 ••••••3210".
    """

    hash: str = field(repr=False)
    pepper_version: int
    sealed: str = field(repr=False)
    key_version: int
    masked: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who holds a position or administers a group.

    Attributes:
        subject: the `sub` of the person's tokens, where they have a login; unique in the tenant.
        erased_at: when names, phone and subject were erased; the appointments stay, nameless.
    """

    id: PersonId
    names: LocalizedText | None
    phone: SealedPhone | None
    subject: str | None
    created_at: datetime
    erased_at: datetime | None
    revision: int


class Verification(StrEnum):
    """Whether somebody has looked lately if an appointment is still true."""

    UNVERIFIED = "unverified"
    VERIFIED = "verified"
    STALE = "stale"


@dataclass(frozen=True, slots=True)
class Appointment:
    """A person holding a position of a unit from an instant to another, the latter not included."""

    id: AppointmentId
    unit_id: UnitId
    position: str
    person_id: PersonId
    valid_from: datetime
    valid_to: datetime | None
    verified_at: datetime | None
    revision: int

    def holds(self, at: datetime) -> bool:
        """Whether it is in force at an instant."""
        return self.valid_from <= at and (self.valid_to is None or at < self.valid_to)

    def verification(self, at: datetime, good_for: timedelta) -> Verification:
        """How fresh the last look is; one older than `good_for` is stale."""
        if self.verified_at is None:
            return Verification.UNVERIFIED
        fresh = at < self.verified_at + good_for
        return Verification.VERIFIED if fresh else Verification.STALE
