"""Rows of files as messages, both ways."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from sys import intern
from typing import Any

from chaupal.hierarchy.v1 import hierarchy_pb2
from chaupal.hierarchy.v1 import transfers_pb2 as pb

from services.hierarchy.domain.model import NO_KEY, LocalizedText, UnitKey, UnitRow
from services.hierarchy.domain.transfers import (
    NOBODY,
    AppointmentRow,
    AreaRow,
    ExportedRow,
    PersonRef,
    PersonRow,
    Row,
    RowKind,
    TeamRow,
)
from services.hierarchy.translate.values import (
    instant_or_none,
    names_from_proto,
    names_to_proto,
    place_to_proto,
    timestamp,
)

# Half of what a message may have.
MAX_PAGE_BYTES = 2 * 1024 * 1024


def rows_from_proto(page: pb.RowPage, kind: RowKind) -> Sequence[Row]:
    """The rows of a kind, unchecked. Raises `InvalidInput` (OUT_OF_RANGE) for an instant."""
    return _FROM_PAGE[kind](page)


def pages_to_proto(rows: Iterable[ExportedRow]) -> Iterator[pb.RowPage]:
    """Rows, all of one kind, as pages that fit a message, however long their texts are."""
    page, size = pb.RowPage(), 0
    for row in rows:
        field, to_proto = _TO_PROTO[type(row)]
        message = to_proto(row)
        row_size = message.ByteSize()
        if size and size + row_size > MAX_PAGE_BYTES:
            yield page
            page, size = pb.RowPage(), 0
        getattr(page, field).append(message)
        size += row_size
    if size:
        yield page


def _areas_from_page(page: pb.RowPage) -> list[Row]:
    return [
        AreaRow(
            each.row,
            intern(each.kind),
            each.code,
            names_from_proto(each.names),
            tuple(map(_key_from_proto, each.units)) if each.sets_units else None,
        )
        for each in page.areas
    ]


def _persons_from_page(page: pb.RowPage) -> list[Row]:
    return [
        PersonRow(
            each.row,
            PersonRef(each.id, each.phone, _names(each)),
            each.subject,
        )
        for each in page.persons
    ]


def _appointments_from_page(page: pb.RowPage) -> list[Row]:
    return [
        AppointmentRow(
            each.row,
            _key_from_proto(each.unit),
            intern(each.position),
            _person_from_proto(each),
            _instant(each, "valid_from", index),
            _instant(each, "valid_to", index),
            _instant(each, "verified_at", index),
        )
        for index, each in enumerate(page.appointments)
    ]


def _teams_from_page(page: pb.RowPage) -> list[Row]:
    return [
        TeamRow(
            each.row,
            _key_from_proto(each.unit),
            intern(each.kind),
            names_from_proto(each.names),
            _person_from_proto(each),
            intern(each.role),
        )
        for each in page.teams
    ]


_FROM_PAGE: Mapping[RowKind, Callable[[pb.RowPage], Sequence[Row]]] = {
    RowKind.AREAS: _areas_from_page,
    RowKind.PERSONS: _persons_from_page,
    RowKind.APPOINTMENTS: _appointments_from_page,
    RowKind.TEAMS: _teams_from_page,
}


def _key_from_proto(key: hierarchy_pb2.UnitKey) -> UnitKey:
    return UnitKey(intern(key.level), key.code)


def _person_from_proto(message: pb.AppointmentRow | pb.TeamRow) -> PersonRef:
    if not message.HasField("person"):
        return NOBODY
    person = message.person
    return PersonRef(person.id, person.phone, _names(person))


def _names(message: pb.PersonRow | pb.PersonRef) -> LocalizedText | None:
    """The names; None for none, set or not."""
    return names_from_proto(message.names) if message.names.by_language else None


def _instant(message: pb.AppointmentRow, field: str, index: int) -> datetime | None:
    return instant_or_none(message, field, f"page.appointments[{index}].{field}")


def _unit_to_proto(row: UnitRow) -> hierarchy_pb2.UnitRow:
    return hierarchy_pb2.UnitRow(
        level=row.key.level,
        code=row.key.code,
        names=names_to_proto(row.names),
        parent_level=row.parent.level if row.parent != NO_KEY else "",
        parent_code=row.parent.code if row.parent != NO_KEY else "",
        place=place_to_proto(row.place) if row.place else None,
    )


def _area_to_proto(row: AreaRow) -> pb.AreaRow:
    return pb.AreaRow(
        kind=row.kind,
        code=row.code,
        names=names_to_proto(row.names),
        sets_units=row.units is not None,
        units=map(_key_to_proto, row.units or ()),
    )


def _person_to_proto(row: PersonRow) -> pb.PersonRow:
    person = row.person
    names = names_to_proto(person.names) if person.names else None
    return pb.PersonRow(id=person.id, phone=person.phone, names=names, subject=row.subject)


def _appointment_to_proto(row: AppointmentRow) -> pb.AppointmentRow:
    return pb.AppointmentRow(
        unit=_key_to_proto(row.unit),
        position=row.position,
        person=_ref_to_proto(row.person),
        valid_from=timestamp(row.valid_from) if row.valid_from else None,
        valid_to=timestamp(row.valid_to) if row.valid_to else None,
        verified_at=timestamp(row.verified_at) if row.verified_at else None,
    )


def _team_to_proto(row: TeamRow) -> pb.TeamRow:
    return pb.TeamRow(
        unit=_key_to_proto(row.unit),
        kind=row.kind,
        names=names_to_proto(row.names),
        person=_ref_to_proto(row.person) if row.person.is_given else None,
        role=row.role,
    )


def _key_to_proto(key: UnitKey) -> hierarchy_pb2.UnitKey:
    return hierarchy_pb2.UnitKey(level=key.level, code=key.code)


def _ref_to_proto(person: PersonRef) -> pb.PersonRef:
    names = names_to_proto(person.names) if person.names else None
    return pb.PersonRef(id=person.id, phone=person.phone, names=names)


_TO_PROTO: Mapping[type[ExportedRow], tuple[str, Callable[[Any], Any]]] = {
    UnitRow: ("units", _unit_to_proto),
    AreaRow: ("areas", _area_to_proto),
    PersonRow: ("persons", _person_to_proto),
    AppointmentRow: ("appointments", _appointment_to_proto),
    TeamRow: ("teams", _team_to_proto),
}
