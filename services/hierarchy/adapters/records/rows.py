"""Each type of record as a flat row, and what stores must know of its columns."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, cast

from services.hierarchy.adapters.records import conversions as convert
from services.hierarchy.adapters.records.values import Row, Scalar
from services.hierarchy.domain.areas import Area, AreaLink
from services.hierarchy.domain.model import Unit
from services.hierarchy.domain.people import Appointment, Person
from services.hierarchy.domain.records import PastUnit, R, Record
from services.hierarchy.domain.teams import Membership, Team, Watch

_SPAN = ("valid_from", "valid_to", "revision")
_UNIT = ("level", "code", "key", "names", "parent_id", "latitude", "longitude", "valid_from",
         "since", "revision")  # fmt: skip
_PERSON = ("id", "names", "phone_hash", "pepper_version", "phone_sealed", "key_version",
           "phone_masked", "subject", "created_at", "erased_at", "revision")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Shape(Generic[R]):
    """One type of record as a row.

    Attributes:
        name: of the type, in snake_case.
        columns: of the row in their order; among them `id` and the keys of all indexes.
        to_row: every column with its value.
        from_row: the record again; a nullable column may be absent.
        begins: the column with the instant from which the record is valid; empty if always.
        ends: the column with the instant until which it is, or null; empty if never.
    """

    name: str
    columns: tuple[str, ...]
    to_row: Callable[[R], dict[str, Scalar]]
    from_row: Callable[[Row], R]
    begins: str = "valid_from"
    ends: str = "valid_to"


SHAPES: Mapping[type[Any], Shape[Any]] = {
    Unit: Shape(
        "unit", ("id", *_UNIT), convert.unit_to_row, convert.unit_from_row, "since", ends=""
    ),
    PastUnit: Shape(
        "past_unit",
        ("id", "unit_id", *_UNIT, "until", "ended_by", "closed", "successor_ids"),
        convert.past_unit_to_row,
        convert.past_unit_from_row,
        "since",
        "until",
    ),
    Area: Shape(
        "area",
        ("id", "kind", "code", "key", "names", *_SPAN),
        convert.area_to_row,
        convert.area_from_row,
    ),
    AreaLink: Shape(
        "area_link",
        ("id", "unit_id", "area_id", *_SPAN),
        convert.area_link_to_row,
        convert.area_link_from_row,
    ),
    # Persons have no interval: an appointment may well be older than what we know of its holder.
    Person: Shape("person", _PERSON, convert.person_to_row, convert.person_from_row, "", ""),
    Appointment: Shape(
        "appointment",
        ("id", "unit_id", "position", "person_id", "valid_from", "valid_to", "verified_at",
         "revision"),
        convert.appointment_to_row,
        convert.appointment_from_row,
    ),
    Team: Shape(
        "team",
        ("id", "unit_id", "kind", "names", *_SPAN),
        convert.team_to_row,
        convert.team_from_row,
    ),
    Membership: Shape(
        "membership",
        ("id", "team_id", "person_id", "role", *_SPAN),
        convert.membership_to_row,
        convert.membership_from_row,
    ),
    Watch: Shape(
        "watch",
        ("id", "unit_id", "person_id", "covers", *_SPAN),
        convert.watch_to_row,
        convert.watch_from_row,
    ),
}  # fmt: skip


def to_row(record: Record) -> dict[str, Scalar]:
    """The record as the columns of its shape; many of one type are quicker by `SHAPES`."""
    return SHAPES[type(record)].to_row(record)


def from_row(of: type[R], row: Row) -> R:
    """The record whose row it is."""
    return cast(R, SHAPES[of].from_row(row))
