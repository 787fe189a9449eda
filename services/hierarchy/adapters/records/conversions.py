"""Records to rows and back, side by side; column by column, as imports bring 600,000 of them."""

from services.hierarchy.adapters.records.values import (
    Row,
    Scalar,
    instant_of,
    instant_or_none,
    microseconds,
    microseconds_or_none,
    names_from_json,
    names_to_json,
    texts_from_json,
    texts_to_json,
)
from services.hierarchy.domain.areas import Area, AreaId, AreaLink, AreaLinkId
from services.hierarchy.domain.model import Place, Unit, UnitId
from services.hierarchy.domain.people import (
    Appointment,
    AppointmentId,
    Person,
    PersonId,
    SealedPhone,
)
from services.hierarchy.domain.records import PastUnit, joined_key
from services.hierarchy.domain.teams import (
    Membership,
    MembershipId,
    Team,
    TeamId,
    Watch,
    WatchId,
)


def unit_to_row(unit: Unit) -> dict[str, Scalar]:
    """A unit; `key` is its level and code in one."""
    place = unit.place
    return {
        "id": unit.id,
        "level": unit.level,
        "code": unit.code,
        "key": joined_key(unit.level, unit.code),
        "names": names_to_json(unit.names),
        "parent_id": unit.parent_id,
        "latitude": place.latitude if place else None,
        "longitude": place.longitude if place else None,
        "valid_from": microseconds(unit.valid_from),
        "since": microseconds(unit.since),
        "revision": unit.revision,
    }


def unit_from_row(row: Row) -> Unit:
    """The value of `unit_to_row`."""
    latitude, longitude = row.get("latitude"), row.get("longitude")
    located = latitude is not None and longitude is not None
    return Unit(
        id=UnitId(row["id"]),
        level=row["level"],
        code=row["code"],
        names=names_from_json(row["names"]),
        parent_id=row.get("parent_id"),
        place=Place(latitude, longitude) if located else None,  # type: ignore[arg-type]  # just told
        valid_from=instant_of(row["valid_from"]),
        since=instant_of(row["since"]),
        revision=row["revision"],
    )


def past_unit_to_row(past: PastUnit) -> dict[str, Scalar]:
    """A former state of a unit, under its own id."""
    return unit_to_row(past.unit) | {
        "id": past.id,
        "unit_id": past.unit.id,
        "until": microseconds(past.until),
        "ended_by": past.ended_by,
        "closed": past.closed,
        "successor_ids": texts_to_json(past.successor_ids),
    }


def past_unit_from_row(row: Row) -> PastUnit:
    """The value of `past_unit_to_row`."""
    return PastUnit(
        unit=unit_from_row({**row, "id": row["unit_id"]}),
        until=instant_of(row["until"]),
        ended_by=row["ended_by"],
        closed=bool(row["closed"]),
        successor_ids=tuple(map(UnitId, texts_from_json(row["successor_ids"]))),
    )


def area_to_row(area: Area) -> dict[str, Scalar]:
    """An area; `key` is its kind and code in one."""
    return {
        "id": area.id,
        "kind": area.kind,
        "code": area.code,
        "key": joined_key(area.kind, area.code),
        "names": names_to_json(area.names),
        "valid_from": microseconds(area.valid_from),
        "valid_to": microseconds_or_none(area.valid_to),
        "revision": area.revision,
    }


def area_from_row(row: Row) -> Area:
    """The value of `area_to_row`."""
    return Area(
        id=AreaId(row["id"]),
        kind=row["kind"],
        code=row["code"],
        names=names_from_json(row["names"]),
        valid_from=instant_of(row["valid_from"]),
        valid_to=instant_or_none(row.get("valid_to")),
        revision=row["revision"],
    )


def area_link_to_row(link: AreaLink) -> dict[str, Scalar]:
    """That a unit lies in an area."""
    return {
        "id": link.id,
        "unit_id": link.unit_id,
        "area_id": link.area_id,
        "valid_from": microseconds(link.valid_from),
        "valid_to": microseconds_or_none(link.valid_to),
        "revision": link.revision,
    }


def area_link_from_row(row: Row) -> AreaLink:
    """The value of `area_link_to_row`."""
    return AreaLink(
        id=AreaLinkId(row["id"]),
        unit_id=UnitId(row["unit_id"]),
        area_id=AreaId(row["area_id"]),
        valid_from=instant_of(row["valid_from"]),
        valid_to=instant_or_none(row.get("valid_to")),
        revision=row["revision"],
    )


def person_to_row(person: Person) -> dict[str, Scalar]:
    """A person; the columns of the phone are null together."""
    phone = person.phone
    return {
        "id": person.id,
        "names": names_to_json(person.names) if person.names is not None else None,
        "phone_hash": phone.hash if phone else None,
        "pepper_version": phone.pepper_version if phone else None,
        "phone_sealed": phone.sealed if phone else None,
        "key_version": phone.key_version if phone else None,
        "phone_masked": phone.masked if phone else None,
        "subject": person.subject,
        "created_at": microseconds(person.created_at),
        "erased_at": microseconds_or_none(person.erased_at),
        "revision": person.revision,
    }


def person_from_row(row: Row) -> Person:
    """The value of `person_to_row`."""
    names = row.get("names")
    return Person(
        id=PersonId(row["id"]),
        names=names_from_json(names) if names is not None else None,
        phone=_phone(row) if row.get("phone_hash") is not None else None,
        subject=row.get("subject"),
        created_at=instant_of(row["created_at"]),
        erased_at=instant_or_none(row.get("erased_at")),
        revision=row["revision"],
    )


def appointment_to_row(appointment: Appointment) -> dict[str, Scalar]:
    """An appointment."""
    return {
        "id": appointment.id,
        "unit_id": appointment.unit_id,
        "position": appointment.position,
        "person_id": appointment.person_id,
        "valid_from": microseconds(appointment.valid_from),
        "valid_to": microseconds_or_none(appointment.valid_to),
        "verified_at": microseconds_or_none(appointment.verified_at),
        "revision": appointment.revision,
    }


def appointment_from_row(row: Row) -> Appointment:
    """The value of `appointment_to_row`."""
    return Appointment(
        id=AppointmentId(row["id"]),
        unit_id=UnitId(row["unit_id"]),
        position=row["position"],
        person_id=PersonId(row["person_id"]),
        valid_from=instant_of(row["valid_from"]),
        valid_to=instant_or_none(row.get("valid_to")),
        verified_at=instant_or_none(row.get("verified_at")),
        revision=row["revision"],
    )


def team_to_row(team: Team) -> dict[str, Scalar]:
    """A team."""
    return {
        "id": team.id,
        "unit_id": team.unit_id,
        "kind": team.kind,
        "names": names_to_json(team.names),
        "valid_from": microseconds(team.valid_from),
        "valid_to": microseconds_or_none(team.valid_to),
        "revision": team.revision,
    }


def team_from_row(row: Row) -> Team:
    """The value of `team_to_row`."""
    return Team(
        id=TeamId(row["id"]),
        unit_id=UnitId(row["unit_id"]),
        kind=row["kind"],
        names=names_from_json(row["names"]),
        valid_from=instant_of(row["valid_from"]),
        valid_to=instant_or_none(row.get("valid_to")),
        revision=row["revision"],
    )


def membership_to_row(membership: Membership) -> dict[str, Scalar]:
    """A membership."""
    return {
        "id": membership.id,
        "team_id": membership.team_id,
        "person_id": membership.person_id,
        "role": membership.role,
        "valid_from": microseconds(membership.valid_from),
        "valid_to": microseconds_or_none(membership.valid_to),
        "revision": membership.revision,
    }


def membership_from_row(row: Row) -> Membership:
    """The value of `membership_to_row`."""
    return Membership(
        id=MembershipId(row["id"]),
        team_id=TeamId(row["team_id"]),
        person_id=PersonId(row["person_id"]),
        role=row["role"],
        valid_from=instant_of(row["valid_from"]),
        valid_to=instant_or_none(row.get("valid_to")),
        revision=row["revision"],
    )


def watch_to_row(watch: Watch) -> dict[str, Scalar]:
    """A watch."""
    return {
        "id": watch.id,
        "unit_id": watch.unit_id,
        "person_id": watch.person_id,
        "covers": watch.covers,
        "valid_from": microseconds(watch.valid_from),
        "valid_to": microseconds_or_none(watch.valid_to),
        "revision": watch.revision,
    }


def watch_from_row(row: Row) -> Watch:
    """The value of `watch_to_row`."""
    return Watch(
        id=WatchId(row["id"]),
        unit_id=UnitId(row["unit_id"]),
        person_id=PersonId(row["person_id"]),
        covers=row.get("covers"),
        valid_from=instant_of(row["valid_from"]),
        valid_to=instant_or_none(row.get("valid_to")),
        revision=row["revision"],
    )


def _phone(row: Row) -> SealedPhone:
    return SealedPhone(
        hash=row["phone_hash"],
        pepper_version=row["pepper_version"],
        sealed=row["phone_sealed"],
        key_version=row["key_version"],
        masked=row["phone_masked"],
    )
