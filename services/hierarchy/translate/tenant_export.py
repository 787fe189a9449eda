"""A tenant as lines of JSON: one for itself, one for each record, one that counts them.

The names are those of the values in `domain`; what is added there is in the export by itself.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from typing import Any

from services.hierarchy.domain.areas import Area, AreaLink
from services.hierarchy.domain.model import LocalizedText, Unit
from services.hierarchy.domain.people import Appointment, Person
from services.hierarchy.domain.records import PastUnit, Record
from services.hierarchy.domain.teams import Membership, Team, Watch
from services.hierarchy.domain.tenants import TenantHeader
from services.hierarchy.use_cases.tenant_export import ExportPage

FORMAT = "chaupal-tenant"
FORMAT_VERSION = 1
# Far below gRPC's limit for a message, also with one long line more.
MAX_PART_BYTES = 1024 * 1024
_TYPES: Mapping[type[Record], str] = {
    Unit: "unit",
    PastUnit: "past_unit",
    Area: "area",
    AreaLink: "area_link",
    Person: "person",
    Appointment: "appointment",
    Team: "team",
    Membership: "membership",
    Watch: "watch",
}
# Kept for the platform's own work: secrets cannot be used elsewhere, tallies are made anew.
_OWN = frozenset({"secrets", "used_levels", "used_team_kinds", "levels_version"})


class ExportLines:
    """Writes the lines in order, and counts and digests what it wrote."""

    def __init__(self) -> None:
        self._counts = Counter[str]()
        self._digest = hashlib.sha256()

    def begin(self, header: TenantHeader, at: datetime) -> bytes:
        """The first line: the tenant itself."""
        said = {
            "type": "tenant",
            "format": FORMAT,
            "format_version": FORMAT_VERSION,
            "exported_at": _plain(at),
            **{name: value for name, value in _members(header) if name not in _OWN},
        }
        return self._added(_line(said))

    def page(self, page: ExportPage) -> list[bytes]:
        """The lines of some records, in parts of about `MAX_PART_BYTES`."""
        self._counts[_TYPES[page.of]] += len(page.records)
        return [self._added(part) for part in _parts(_lines(page))]

    def end(self) -> bytes:
        """The last line: how many records of each type there were, and the digest of all before."""
        counts = {name: self._counts[name] for name in _TYPES.values()}
        return _line({"type": "end", "counts": counts, "sha256": self._digest.hexdigest()})

    def _added(self, part: bytes) -> bytes:
        self._digest.update(part)
        return part


def _lines(page: ExportPage) -> Iterator[bytes]:
    name = _TYPES[page.of]
    for record in page.records:
        said = {"type": name, **dict(_members(record))}
        if isinstance(record, Person):
            phone = page.phones.get(record.id)
            said["phone"] = phone.e164 if phone else None
        yield _line(said)


def _parts(lines: Iterable[bytes]) -> Iterator[bytes]:
    part, size = [], 0
    for line in lines:
        part.append(line)
        size += len(line)
        if size >= MAX_PART_BYTES:
            yield b"".join(part)
            part, size = [], 0
    if part:
        yield b"".join(part)


def _line(said: Mapping[str, Any]) -> bytes:
    return json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _members(value: Any) -> Iterator[tuple[str, Any]]:
    for each in fields(value):
        # A sealed number is nothing to anybody without the tenant's key.
        if each.name != "phone":
            yield each.name, _plain(getattr(value, each.name))


def _plain(value: Any) -> Any:
    """The value as JSON has it: instants in RFC 3339, texts by language, tuples as lists."""
    match value:
        case datetime():
            return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case LocalizedText():
            return value.by_language
        case tuple() | list():
            return [_plain(each) for each in value]
        case Mapping():
            return {key: _plain(each) for key, each in value.items()}
        case str():
            return str(value)
        case _ if is_dataclass(value):
            return dict(_members(value))
        case _:
            return value
