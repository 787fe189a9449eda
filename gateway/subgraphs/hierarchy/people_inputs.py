"""What changes of persons, appointments, teams and watches are asked with."""

from datetime import datetime

import strawberry

from gateway.subgraphs.hierarchy.texts import NameInput
from gateway.subgraphs.hierarchy.unit_inputs import REQUEST_ID, VALIDATE_ONLY

field, UNSET = strawberry.field, strawberry.UNSET
_VALID_FROM = "From when; null for now."
_VALID_TO = "Until when, not included; null for no end."


@strawberry.input(description="A person to create or change.")
class PutPersonInput:
    """A person as they shall be."""

    person_id: strawberry.ID | None = field(
        default=UNSET, description="Whom to change; none for a new person."
    )
    names: list[NameInput] | None = field(
        default=UNSET, description="What they are called; none to keep. A new person needs them."
    )
    phone: str | None = field(
        default=UNSET, description="E.164, such as +919800000000; none to keep."
    )
    clear_phone: bool = field(default=False, description="Takes the phone number away.")
    subject: str | None = field(
        default=UNSET,
        description="The subject of their tokens; none to keep. Needs `administer` over the whole"
        " tenant.",
    )
    clear_subject: bool = field(default=False, description="Takes the login away.")
    etag: str | None = field(
        default=UNSET,
        description="The person's etag as last seen; a `Conflict` when it changed. None to not"
        " check.",
    )
    validate_only: bool = field(default=False, description=VALIDATE_ONLY)
    request_id: strawberry.ID | None = field(default=UNSET, description=REQUEST_ID)


@strawberry.input(description="A person to forget.")
class ErasePersonInput:
    """Whom to erase."""

    person_id: strawberry.ID = field(description="Who.")
    request_id: strawberry.ID | None = field(default=UNSET, description=REQUEST_ID)


@strawberry.input(description="An office for a person.")
class AppointInput:
    """A new tenure."""

    unit_id: strawberry.ID = field(description="In which unit.")
    position: str = field(description="Key of the position.")
    person_id: strawberry.ID = field(description="Who.")
    valid_from: datetime | None = field(default=UNSET, description=_VALID_FROM)
    valid_to: datetime | None = field(default=UNSET, description=_VALID_TO)
    validate_only: bool = field(default=False, description=VALIDATE_ONLY)
    request_id: strawberry.ID | None = field(default=UNSET, description=REQUEST_ID)


@strawberry.input(description="Appointments to end, all or none.")
class EndAppointmentsInput:
    """Which tenures end."""

    appointment_ids: list[strawberry.ID] = field(description="1 to 1,000 ids.")
    valid_to: datetime | None = field(default=UNSET, description="When; null for now.")
    request_id: strawberry.ID | None = field(default=UNSET, description=REQUEST_ID)


@strawberry.input(description="Appointments that were found true, all or none.")
class VerifyAppointmentsInput:
    """Which tenures are true."""

    appointment_ids: list[strawberry.ID] = field(description="1 to 1,000 ids.")
    request_id: strawberry.ID | None = field(default=UNSET, description=REQUEST_ID)


@strawberry.input(description="A person in a team.")
class TeamMemberInput:
    """Who, and what they do there."""

    person_id: strawberry.ID = field(description="Who.")
    role: str = field(description='What they do there, a key such as "lead".')


@strawberry.input(description="A team as it shall be, with all its members: others leave it.")
class TeamInput:
    """A new team, or one that is there."""

    id: strawberry.ID | None = field(default=UNSET, description="Which one; none for a new one.")
    unit_id: strawberry.ID | None = field(
        default=UNSET, description="In which unit; cannot be changed. A new one needs it."
    )
    kind: str | None = field(
        default=UNSET, description="Key of the kind; cannot be changed. A new one needs it."
    )
    names: list[NameInput] | None = field(
        default=UNSET, description="Its names; none to keep. A new one needs them."
    )
    members: list[TeamMemberInput] = field(
        default_factory=list, description="All who shall be in it."
    )


@strawberry.input(description="A team to create, change or close.")
class PutTeamInput:
    """A team."""

    team: TeamInput = field(description="The team.")
    closed: bool = field(default=False, description="Ends the team and its memberships.")
    validate_only: bool = field(default=False, description=VALIDATE_ONLY)
    request_id: strawberry.ID | None = field(default=UNSET, description=REQUEST_ID)


@strawberry.input(description="A monitor for a unit's subtree.")
class AssignWatchInput:
    """A new watch."""

    unit_id: strawberry.ID = field(description="The unit whose subtree is to be watched.")
    person_id: strawberry.ID = field(description="The monitor.")
    covers_watch_id: strawberry.ID | None = field(
        default=UNSET,
        description="The watch of the same unit to cover for; none for a watch of one's own.",
    )
    valid_from: datetime | None = field(default=UNSET, description=_VALID_FROM)
    valid_to: datetime | None = field(
        default=UNSET, description="Until when, not included; null for no end. A cover needs it."
    )
    validate_only: bool = field(default=False, description=VALIDATE_ONLY)
    request_id: strawberry.ID | None = field(default=UNSET, description=REQUEST_ID)


@strawberry.input(description="A watch to end.")
class EndWatchInput:
    """Which watch ends."""

    watch_id: strawberry.ID = field(description="Which one.")
    valid_to: datetime | None = field(default=UNSET, description="When; null for now.")
    request_id: strawberry.ID | None = field(default=UNSET, description=REQUEST_ID)
