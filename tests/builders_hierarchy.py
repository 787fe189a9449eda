"""Makes hierarchy's values with good defaults."""

import itertools
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from services.hierarchy.domain.areas import Area, AreaId, AreaLink, AreaLinkId
from services.hierarchy.domain.events import Change
from services.hierarchy.domain.model import (
    Blueprint,
    Category,
    GroupKind,
    Level,
    LocalizedText,
    Place,
    RequestId,
    Unit,
    UnitId,
    UnitImport,
    UnitKey,
    UnitRow,
)
from services.hierarchy.domain.operations import Decision, Moment, Operation, Steps, Want
from services.hierarchy.domain.people import (
    Appointment,
    AppointmentId,
    Person,
    PersonId,
    SealedPhone,
)
from services.hierarchy.domain.records import Index, PastUnit, Record
from services.hierarchy.domain.teams import (
    Membership,
    MembershipId,
    Team,
    TeamId,
    Watch,
    WatchId,
)
from services.hierarchy.domain.tenants import TenantHeader

LEVELS = ("state", "district", "mandal", "booth")
BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)
_request_numbers = itertools.count(1)


def text(english: str, hindi: str = "") -> LocalizedText:
    return LocalizedText.of({"en": english} | ({"hi": hindi} if hindi else {}))


def a_blueprint(
    levels: Sequence[str] = LEVELS, *, name: str = "Neem Sangathan", style: str = "party"
) -> Blueprint:
    return Blueprint(
        style=style,
        names=text(name, "नीम संगठन"),
        levels=tuple(Level(key, text(key.title())) for key in levels),
        group_kinds=(
            GroupKind("internal", text("Internal"), has_category=False),
            GroupKind("category", text("Category", "वर्ग"), has_category=True),
        ),
        categories=(Category("farmers", text("Farmers", "किसान")),),
    )


def a_row(
    level: str,
    code: str,
    under: tuple[str, str] = ("", ""),
    *,
    name: str = "",
    hindi: str = "",
    place: Place | None = None,
    number: int = 0,
) -> UnitRow:
    """A row; its number is filled in by `numbered`, its name is level and code by default."""
    names = text(name or f"{level} {code}", hindi)
    return UnitRow(number, UnitKey(level, code), names, UnitKey(*under), place)


def numbered(rows: Sequence[UnitRow]) -> list[UnitRow]:
    """The rows as a file with one line of header has them: the first is row 2."""
    return [replace(row, row=line) for line, row in enumerate(rows, start=2)]


def a_request_id() -> RequestId:
    return RequestId(str(uuid.UUID(int=next(_request_numbers))))


def an_import(
    *rows: UnitRow,
    request_id: RequestId | None = None,
    validate_only: bool = False,
    effective_at: datetime | None = None,
) -> UnitImport:
    request_id = request_id or a_request_id()
    return UnitImport(request_id, numbered(rows), validate_only, effective_at)


def a_small_tree() -> list[UnitRow]:
    """A state with two districts; the first has two mandals, whose first has two booths."""
    state, first, mandal = ("state", "RJ"), ("district", "JPR"), ("mandal", "M1")
    return [
        a_row(*state, name="Rajasthan", hindi="राजस्थान", place=Place(26.92, 75.78)),
        a_row(*first, under=state),
        a_row("district", "AJM", under=state),
        a_row(*mandal, under=first),
        a_row("mandal", "M2", under=first),
        a_row("booth", "B1", under=mandal),
        a_row("booth", "B2", under=mandal),
    ]


def a_unit(
    level: str = "state",
    code: str = "RJ",
    *,
    unit_id: str = "",
    parent_id: str | None = None,
    revision: int = 1,
) -> Unit:
    return Unit(
        id=UnitId(unit_id or str(uuid.uuid5(uuid.NAMESPACE_OID, f"{level} {code}"))),
        level=level,
        code=code,
        names=text(f"{level} {code}"),
        parent_id=UnitId(parent_id) if parent_id else None,
        place=None,
        valid_from=BEGINNING,
        since=BEGINNING,
        revision=revision,
    )


def an_id(kind: str, number: int) -> str:
    """The same id for the same number of the same kind."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{kind} {number}"))


def a_past_unit(
    unit: Unit, until: datetime, *, ended_by: int = 2, closed: bool = False, **changes: Any
) -> PastUnit:
    return PastUnit(replace(unit, **changes), until, ended_by, closed)


def an_area(number: int = 1, **changes: Any) -> Area:
    kind, names = "assembly_constituency", text(f"Area {number}", "क्षेत्र")
    area = Area(AreaId(an_id("area", number)), kind, f"A{number}", names, BEGINNING, None, 0)
    return replace(area, **changes)


def an_area_link(number: int = 1, **changes: Any) -> AreaLink:
    unit, area = UnitId(an_id("unit", number)), AreaId(an_id("area", number))
    link = AreaLink(AreaLinkId(an_id("link", number)), unit, area, BEGINNING, None, 0)
    return replace(link, **changes)


def a_phone(number: int = 1) -> SealedPhone:
    return SealedPhone(f"hash-{number}", 1, f"sealed-{number}", 2, "+91 ••••••3210")


def a_person(number: int = 1, **changes: Any) -> Person:
    person = Person(
        id=PersonId(an_id("person", number)),
        names=text(f"Person {number}", "व्यक्ति"),
        phone=a_phone(number),
        subject=f"subject-{number}",
        created_at=BEGINNING,
        erased_at=None,
        revision=0,
    )
    return replace(person, **changes)


def an_appointment(number: int = 1, **changes: Any) -> Appointment:
    appointment = Appointment(
        id=AppointmentId(an_id("appointment", number)),
        unit_id=UnitId(an_id("unit", number)),
        position="president",
        person_id=PersonId(an_id("person", number)),
        valid_from=BEGINNING,
        valid_to=None,
        verified_at=None,
        revision=0,
    )
    return replace(appointment, **changes)


def a_team(number: int = 1, **changes: Any) -> Team:
    unit, names = UnitId(an_id("unit", number)), text(f"Team {number}")
    team = Team(TeamId(an_id("team", number)), unit, "media", names, BEGINNING, None, 0)
    return replace(team, **changes)


def a_membership(number: int = 1, **changes: Any) -> Membership:
    membership = Membership(
        id=MembershipId(an_id("membership", number)),
        team_id=TeamId(an_id("team", number)),
        person_id=PersonId(an_id("person", number)),
        role="lead",
        valid_from=BEGINNING,
        valid_to=None,
        revision=0,
    )
    return replace(membership, **changes)


def a_watch(number: int = 1, **changes: Any) -> Watch:
    watch = Watch(
        id=WatchId(an_id("watch", number)),
        unit_id=UnitId(an_id("unit", number)),
        person_id=PersonId(an_id("person", number)),
        covers=None,
        valid_from=BEGINNING,
        valid_to=None,
        revision=0,
    )
    return replace(watch, **changes)


def one_of_each() -> list[Record]:
    """A record of every type, none of which refers to another."""
    unit = a_unit(parent_id=an_id("unit", 0))
    past = a_past_unit(
        a_unit("district", "JPR", parent_id=unit.id), datetime(2026, 6, 1, tzinfo=UTC)
    )
    return [unit, past, an_area(), an_area_link(), a_person(), an_appointment(), a_team(),
            a_membership(), a_watch()]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Done:
    """What the operations of tests answer."""

    note: str = ""


def an_operation(
    *,
    puts: Sequence[Record] = (),
    drops: Sequence[Record] = (),
    header: Callable[[TenantHeader], TenantHeader] | None = None,
    changes: Sequence[Change] = (),
    wants: Mapping[Index[Any], Collection[str]] | None = None,
    answer: Done = Done(),
    request_id: RequestId | None = None,
    fingerprint: str = "",
    validate_only: bool = False,
) -> Operation[Done]:
    """A write of just this, whatever is found."""

    def decide(moment: Moment) -> Steps[Done]:
        yield Want(wants or {})
        after = header(moment.header) if header else None
        return Decision(answer, puts, drops, after, changes)

    return operation_of(decide, request_id, fingerprint, validate_only=validate_only)


def operation_of(
    decide: Callable[[Moment], Steps[Done]],
    request_id: RequestId | None = None,
    fingerprint: str = "",
    *,
    validate_only: bool = False,
) -> Operation[Done]:
    """A write that is decided so."""
    request_id = request_id or a_request_id()
    return Operation("test", request_id, "", fingerprint, Done, decide, validate_only)
