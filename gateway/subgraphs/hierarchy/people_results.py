"""What comes of changing persons, appointments, teams and watches."""

from typing import Annotated, TypeAlias, get_args

import strawberry

from gateway.graph.fields import list_of
from gateway.subgraphs.hierarchy.people import Appointment, Person
from gateway.subgraphs.hierarchy.refusals import (
    AlreadyAppointed,
    AlreadyInUse,
    AlreadyWatched,
    AppointmentNotFound,
    Conflict,
    InvalidInput,
    LimitReached,
    NotAllowed,
    NotPossible,
    PersonNotFound,
    SeatsTaken,
    TeamNotFound,
    UnitNotFound,
    WatchNotFound,
)
from gateway.subgraphs.hierarchy.teams import Team
from gateway.subgraphs.hierarchy.watches import Watch

field, union = strawberry.field, strawberry.union
# The contract takes so many ids; a client that wants a page of them asks for few fields.
_APPOINTMENTS = 1_000


@strawberry.type(description="The person was put, or could be.")
class PutPersonSuccess:
    """The person."""

    person: Person | None = field(description="As they now stand; null when it was only checked.")


@strawberry.type(description="The person's data was erased.")
class ErasePersonSuccess:
    """What is left of the person."""

    person: Person = field(description="Without name, phone and login.")
    ended_count: int = field(
        description="Appointments, memberships and watches that ended with it."
    )


@strawberry.type(description="The person was appointed, or could be.")
class AppointSuccess:
    """The new tenure."""

    appointment: Appointment | None = field(
        description="As it stands; null when it was only checked."
    )


@strawberry.type(description="The appointments were ended.")
class EndAppointmentsSuccess:
    """Tenures with an end."""

    appointments: list[Appointment] = field(
        description="In the order of the input.", directives=list_of(_APPOINTMENTS)
    )


@strawberry.type(description="The appointments were verified.")
class VerifyAppointmentsSuccess:
    """Tenures that are true."""

    appointments: list[Appointment] = field(
        description="In the order of the input.", directives=list_of(_APPOINTMENTS)
    )


@strawberry.type(description="The team was put, or could be.")
class PutTeamSuccess:
    """The team."""

    team: Team | None = field(description="As it now stands; null when it was only checked.")


@strawberry.type(description="The watch was assigned, or could be.")
class AssignWatchSuccess:
    """The new watch."""

    watch: Watch | None = field(description="As it stands; null when it was only checked.")
    ended: list[Watch] = field(
        description="Watches that ended with it, or would.", directives=list_of(8)
    )


@strawberry.type(description="The watch was ended.")
class EndWatchSuccess:
    """The watch with its end."""

    watch: Watch = field(description="As it stands.")


PersonRefusal: TypeAlias = (
    InvalidInput
    | NotAllowed
    | PersonNotFound
    | Conflict
    | AlreadyInUse
    | LimitReached
    | NotPossible
)
AppointRefusal: TypeAlias = (
    InvalidInput
    | NotAllowed
    | UnitNotFound
    | PersonNotFound
    | SeatsTaken
    | AlreadyAppointed
    | Conflict
    | LimitReached
    | NotPossible
)
AppointmentsRefusal: TypeAlias = (
    InvalidInput | NotAllowed | AppointmentNotFound | Conflict | NotPossible
)
TeamRefusal: TypeAlias = (
    InvalidInput
    | NotAllowed
    | UnitNotFound
    | PersonNotFound
    | TeamNotFound
    | Conflict
    | LimitReached
    | NotPossible
)
WatchRefusal: TypeAlias = (
    InvalidInput
    | NotAllowed
    | UnitNotFound
    | PersonNotFound
    | WatchNotFound
    | AlreadyWatched
    | Conflict
    | NotPossible
)
PERSON_REFUSALS: tuple[type[PersonRefusal], ...] = get_args(PersonRefusal)
APPOINT_REFUSALS: tuple[type[AppointRefusal], ...] = get_args(AppointRefusal)
APPOINTMENTS_REFUSALS: tuple[type[AppointmentsRefusal], ...] = get_args(AppointmentsRefusal)
TEAM_REFUSALS: tuple[type[TeamRefusal], ...] = get_args(TeamRefusal)
WATCH_REFUSALS: tuple[type[WatchRefusal], ...] = get_args(WatchRefusal)

PutPersonResult = Annotated[
    PutPersonSuccess | PersonRefusal,
    union("PutPersonResult", description="What came of putting a person."),
]
ErasePersonResult = Annotated[
    ErasePersonSuccess | PersonRefusal,
    union("ErasePersonResult", description="What came of erasing a person."),
]
AppointResult = Annotated[
    AppointSuccess | AppointRefusal,
    union("AppointResult", description="What came of appointing somebody."),
]
EndAppointmentsResult = Annotated[
    EndAppointmentsSuccess | AppointmentsRefusal,
    union("EndAppointmentsResult", description="What came of ending appointments."),
]
VerifyAppointmentsResult = Annotated[
    VerifyAppointmentsSuccess | AppointmentsRefusal,
    union("VerifyAppointmentsResult", description="What came of verifying appointments."),
]
PutTeamResult = Annotated[
    PutTeamSuccess | TeamRefusal,
    union("PutTeamResult", description="What came of putting a team."),
]
AssignWatchResult = Annotated[
    AssignWatchSuccess | WatchRefusal,
    union("AssignWatchResult", description="What came of assigning a watch."),
]
EndWatchResult = Annotated[
    EndWatchSuccess | WatchRefusal,
    union("EndWatchResult", description="What came of ending a watch."),
]
