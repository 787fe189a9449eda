"""Makes a staffed organisation: a blueprint with offices, and requests with good defaults."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from services.hierarchy.domain.appointing import Appoint
from services.hierarchy.domain.model import (
    Blueprint,
    Grant,
    LocalizedText,
    Position,
    TeamKind,
    UnitId,
)
from services.hierarchy.domain.people import Person, PersonId
from services.hierarchy.domain.persons import PutPerson, SealedForPut
from services.hierarchy.domain.phones import PhoneNumber
from services.hierarchy.domain.sealing import TenantKeys
from services.hierarchy.domain.team_changes import PutTeam, TeamMember
from services.hierarchy.domain.teams import TeamId, WatchId
from services.hierarchy.domain.watch_changes import AssignWatch
from tests.builders_hierarchy import BEGINNING, a_blueprint, a_request_id, an_id, text

DAY = timedelta(days=1)


def a_position(
    key: str,
    *levels: str,
    seats: int = 1,
    roles: Sequence[str] = (),
    grants: Sequence[str] = (),
) -> Position:
    return Position(key, text(key), levels, seats, tuple(roles), tuple(map(Grant, grants)))


def a_staffed_blueprint() -> Blueprint:
    """Offices from the state down to the booth, and two kinds of team."""
    return replace(
        a_blueprint(),
        positions=(
            a_position(
                "state_convenor",
                "state",
                roles=["head", "convenor"],
                grants=["view", "administer"],
            ),
            a_position("monitor", "state", seats=0, roles=["monitor"], grants=["view", "monitor"]),
            a_position(
                "district_convenor", "district", roles=["head"], grants=["view", "administer"]
            ),
            a_position("secretary", "district", "mandal", seats=2),
            a_position("president", "booth", grants=["view"]),
        ),
        team_kinds=(
            TeamKind("it_cell", text("IT cell"), ("district", "mandal"), max_members=2),
            TeamKind("monitoring", text("Monitoring"), ("state",)),
        ),
        centre_level="state",
        verification_days=30,
    )


def a_person(number: int = 1, *, names: LocalizedText | None = None) -> Person:
    return Person(
        id=PersonId(an_id("person", number)),
        names=names or text(f"Person {number}"),
        phone=None,
        subject=None,
        created_at=BEGINNING,
        erased_at=None,
        revision=1,
    )


def a_phone(number: int = 1) -> PhoneNumber:
    return PhoneNumber(f"+9198765{number:05}")


def some_keys(tenant: str = "neem", *versions: int) -> TenantKeys:
    secrets = {version: bytes([version]) * 32 for version in versions or (1,)}
    return TenantKeys(tenant, secrets, secrets)  # type: ignore[arg-type]  # a plain text will do


def a_put_person(
    *,
    id: PersonId | None = None,  # noqa: A002  # as the request calls it
    names: LocalizedText | None = None,
    phone: PhoneNumber | None = None,
    clear_phone: bool = False,
    subject: str | None = None,
    clear_subject: bool = False,
    etag: str = "",
    validate_only: bool = False,
) -> PutPerson:
    return PutPerson(
        a_request_id(),
        id,
        names or (None if id else text("Asha")),
        phone,
        clear_phone,
        subject,
        clear_subject,
        etag,
        validate_only,
    )


def sealed_for(person_id: PersonId, phone: PhoneNumber, *versions: int) -> SealedForPut:
    """The number under secrets of these versions."""
    keys = some_keys("neem", *versions)
    return SealedForPut(keys.seal(person_id, phone, bytes(12)), keys.hashes(phone), keys.versions)


def an_appointing(
    unit_id: str,
    position: str,
    person: Person,
    valid_from: datetime | None = None,
    valid_to: datetime | None = None,
) -> Appoint:
    return Appoint(
        a_request_id(), UnitId(unit_id), position, person.id, valid_from, valid_to, False
    )


def a_put_team(
    *members: Person,
    id: TeamId | None = None,  # noqa: A002
    unit_id: str | None = None,
    kind: str | None = None,
    names: LocalizedText | None = None,
    role: str = "member",
    closed: bool = False,
) -> PutTeam:
    return PutTeam(
        a_request_id(),
        id,
        UnitId(unit_id) if unit_id else None,
        kind,
        names or (None if id else text("Cell")),
        tuple(TeamMember(each.id, role) for each in members),
        closed,
        False,
    )


def a_watching(
    unit_id: str,
    person: Person,
    *,
    covers: WatchId | None = None,
    valid_from: datetime | None = None,
    valid_to: datetime | None = None,
) -> AssignWatch:
    return AssignWatch(
        a_request_id(), UnitId(unit_id), person.id, covers, valid_from, valid_to, False
    )
