"""Areas, persons, appointments and teams as cells of a table, and as messages of the contract.

Only what a row cannot carry over the wire is refused here; what it means is for the service to
judge.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from chaupal.hierarchy.v1 import hierarchy_pb2
from chaupal.hierarchy.v1 import transfers_pb2 as pb
from google.protobuf.timestamp_pb2 import Timestamp

from cli.files.instants import instant, instant_cell
from cli.files.names import OTHER_NAMES, other_names, other_names_cell
from cli.files.problems import Problems, RowProblems
from cli.files.table import Columns
from cli.records import UNIT_COLUMNS, TransferRecord

UNIT_SEPARATOR = ";"
# Below the header.
_FIRST_ROW = 2
_TEAM_OTHER_NAMES = f"team_{OTHER_NAMES}"
# What is a number to a spreadsheet, and so no text that it could take for a formula.
NUMBERS = ("latitude", "longitude")

# By column; of one that the file has not, the cell is empty, and `in` says that it is not there.
Cells = Mapping[str, str]
Message = Any


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of row.

    Attributes:
        name: As people say it, and the field of a page that has such rows.
        number: As the contract says it.
        columns: Of its files.
        read: Makes a message of a row's cells; None for what has a way of its own.
        write: Makes cells of a message.
        is_team: Whether rows with one key stand together.
        fields: The column of each field of a message, where it has another name.
    """

    name: str
    number: pb.RowKind.ValueType
    columns: Columns
    read: Callable[[Cells, RowProblems], Message] | None
    write: Callable[[Message], Sequence[str]]
    fields: Mapping[str, str]

    def column(self, path: str) -> str:
        """Return the column in which stands what a field of a message says."""
        if found := self.fields.get(path):
            return found
        for prefix in (x for x in self.fields if path.startswith(f"{x}.")):
            return self.fields[prefix]
        return self.fields.get(path.partition("[")[0], path)


def _read_area(cells: Cells, notes: RowProblems) -> pb.AreaRow:
    # Without the column the units stay as they are; an empty cell says that none lies in it.
    row = pb.AreaRow(
        row=notes.row,
        kind=cells["kind"],
        code=cells["code"],
        names=_names(cells, "", notes),
        sets_units="units" in cells,
    )
    for text in cells["units"].split(UNIT_SEPARATOR):
        level, colon, code = text.strip().partition(":")
        if level or colon:
            row.units.add(level=level.strip(), code=code.strip())
        if bool(level) != bool(code) or (colon and not level):
            said = f'"{text.strip()[:80]}" is no unit, such as district:JPR; put ; between them'
            notes.wrong("units", "BAD_UNITS", said)
    return row


def _write_area(row: pb.AreaRow) -> Sequence[str]:
    units = UNIT_SEPARATOR.join(f"{each.level}:{each.code}" for each in row.units)
    return row.kind, row.code, *_name_cells(row.names), units


def _read_person(cells: Cells, notes: RowProblems) -> pb.PersonRow:
    return pb.PersonRow(
        row=notes.row,
        id=cells["id"],
        phone=cells["phone"],
        names=_names(cells, "", notes),
        subject=cells["subject"],
    )


def _write_person(row: pb.PersonRow) -> Sequence[str]:
    return row.id, row.phone, *_name_cells(row.names), row.subject


def _read_appointment(cells: Cells, notes: RowProblems) -> pb.AppointmentRow:
    return pb.AppointmentRow(
        row=notes.row,
        unit=_unit(cells),
        position=cells["position"],
        person=_person(cells, notes),
        valid_from=_timestamp(cells, "valid_from", notes),
        valid_to=_timestamp(cells, "valid_to", notes),
        verified_at=_timestamp(cells, "verified_at", notes),
    )


def _write_appointment(row: pb.AppointmentRow) -> Sequence[str]:
    dates = (_date(row, name) for name in ("valid_from", "valid_to", "verified_at"))
    return row.unit.level, row.unit.code, row.position, *_person_cells(row.person), *dates


def _read_team(cells: Cells, notes: RowProblems) -> pb.TeamRow:
    return pb.TeamRow(
        row=notes.row,
        unit=_unit(cells),
        kind=cells["kind"],
        names=_names(cells, "team_", notes),
        person=_person(cells, notes),
        role=cells["role"],
    )


def _write_team(row: pb.TeamRow) -> Sequence[str]:
    return (
        row.unit.level,
        row.unit.code,
        row.kind,
        *_name_cells(row.names),
        *_person_cells(row.person),
        row.role,
    )


def _write_unit(row: hierarchy_pb2.UnitRow) -> Sequence[str]:
    name, name_hi, others = _name_cells(row.names)
    place = ("", "")
    if row.HasField("place"):
        place = (_degrees(row.place.latitude), _degrees(row.place.longitude))
    return row.level, row.code, name, name_hi, row.parent_level, row.parent_code, *place, others


def _unit(cells: Cells) -> hierarchy_pb2.UnitKey:
    return hierarchy_pb2.UnitKey(level=cells["unit_level"], code=cells["unit_code"])


def _person(cells: Cells, notes: RowProblems) -> pb.PersonRef | None:
    person = pb.PersonRef(
        id=cells["person_id"], phone=cells["phone"], names=_names(cells, "", notes)
    )
    if person.id or person.phone or person.HasField("names"):
        return person
    return None


def _person_cells(person: pb.PersonRef) -> Sequence[str]:
    return person.id, person.phone, *_name_cells(person.names)


def _names(cells: Cells, prefix: str, notes: RowProblems) -> hierarchy_pb2.LocalizedText | None:
    column = f"{prefix}{OTHER_NAMES}"
    names = dict(other_names(cells[column], column, notes))
    names |= {"en": cells[f"{prefix}name"], "hi": cells[f"{prefix}name_hi"]}
    given = {language: name for language, name in names.items() if name}
    return hierarchy_pb2.LocalizedText(by_language=given) if given else None


def _name_cells(names: hierarchy_pb2.LocalizedText) -> Sequence[str]:
    found = dict(names.by_language)
    return found.get("en", ""), found.get("hi", ""), other_names_cell(found)


def _timestamp(cells: Cells, column: str, notes: RowProblems) -> Timestamp | None:
    at = instant(cells[column], column, notes)
    if at is None:
        return None
    message = Timestamp()
    message.FromDatetime(at)
    return message


def _date(row: pb.AppointmentRow, field: str) -> str:
    if not row.HasField(field):  # type: ignore[arg-type]  # one of three
        return ""
    at: datetime = getattr(row, field).ToDatetime(UTC)
    return instant_cell(at)


def _degrees(number: float) -> str:
    return format(Decimal(repr(number)), "f")


_PERSON = ("person_id", "phone", "name", "name_hi", OTHER_NAMES)
_PERSON_FIELDS = {
    "person": "person_id",
    "person.id": "person_id",
    "person.phone": "phone",
    "person.names.en": "name",
    "person.names.hi": "name_hi",
    "person.names": OTHER_NAMES,
    "unit.level": "unit_level",
    "unit.code": "unit_code",
}
_NAME_FIELDS = {"names.en": "name", "names.hi": "name_hi", "names": OTHER_NAMES}
_DATES = ("valid_from", "valid_to", "verified_at")

UNITS = Kind(
    "units",
    pb.ROW_KIND_UNITS,
    Columns(UNIT_COLUMNS, (OTHER_NAMES,)),
    None,
    _write_unit,
    _NAME_FIELDS,
)
AREAS = Kind(
    "areas",
    pb.ROW_KIND_AREAS,
    Columns(("kind", "code", "name"), ("name_hi", OTHER_NAMES, "units")),
    _read_area,
    _write_area,
    _NAME_FIELDS,
)
PERSONS = Kind(
    "persons",
    pb.ROW_KIND_PERSONS,
    Columns(("id", "phone", "name"), ("name_hi", OTHER_NAMES, "subject")),
    _read_person,
    _write_person,
    _NAME_FIELDS,
)
APPOINTMENTS = Kind(
    "appointments",
    pb.ROW_KIND_APPOINTMENTS,
    Columns(("unit_level", "unit_code", "position"), (*_PERSON, *_DATES), _DATES),
    _read_appointment,
    _write_appointment,
    _PERSON_FIELDS,
)
TEAMS = Kind(
    "teams",
    pb.ROW_KIND_TEAMS,
    Columns(
        ("unit_level", "unit_code", "kind", "team_name"),
        ("team_name_hi", _TEAM_OTHER_NAMES, *_PERSON, "role"),
    ),
    _read_team,
    _write_team,
    {
        **_PERSON_FIELDS,
        "names.en": "team_name",
        "names.hi": "team_name_hi",
        "names": _TEAM_OTHER_NAMES,
    },
)


def messages(
    kind: Kind, records: Iterable[TransferRecord], problems: Problems
) -> Iterator[Message]:
    """Make messages of rows in memory, as of the rows of a file that has them."""
    if kind.read is None:
        raise TypeError(f"{kind.name} are read elsewhere")
    for number, record in enumerate(records, start=_FIRST_ROW):
        cells = defaultdict(str, {x.name: getattr(record, x.name) for x in fields(record)})
        yield kind.read(cells, RowProblems(number, problems))


KINDS = {each.name: each for each in (UNITS, AREAS, PERSONS, APPOINTMENTS, TEAMS)}
