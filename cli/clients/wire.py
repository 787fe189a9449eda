"""Rows as the messages of the contracts; pure functions."""

from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from typing import TypeVar

from chaupal.groups.v1 import groups_pb2 as groups
from chaupal.hierarchy.v1 import hierarchy_pb2 as hierarchy

from cli.records import GroupRecord, UnitRecord

# Half of gRPC's limit for a message, and the contract's for a page.
MAX_PAGE_BYTES = 2 * 1024 * 1024
MAX_PAGE_ROWS = 5_000

_STATES = {
    "": groups.GROUP_STATE_UNSPECIFIED,
    "planned": groups.GROUP_STATE_PLANNED,
    "unverified": groups.GROUP_STATE_UNVERIFIED,
    "active": groups.GROUP_STATE_ACTIVE,
    "retired": groups.GROUP_STATE_RETIRED,
}
_Row = TypeVar("_Row", hierarchy.UnitRow, groups.GroupRow)
_Request = TypeVar("_Request", hierarchy.ImportUnitsRequest, groups.ImportGroupsRequest)

# Told how many rows were sent.
Progress = Callable[[int], None]


def unit_row(number: int, record: UnitRecord) -> hierarchy.UnitRow:
    """Return a row of an import of units."""
    row = hierarchy.UnitRow(
        row=number,
        level=record.level,
        code=record.code,
        names=_localized(_names(record.name, record.name_hi) | dict(record.other_names)),
        parent_level=record.parent_level,
        parent_code=record.parent_code,
    )
    if record.latitude is not None and record.longitude is not None:
        row.place.latitude = record.latitude
        row.place.longitude = record.longitude
    return row


def group_row(number: int, record: GroupRecord) -> groups.GroupRow:
    """Return a row of an import of groups."""
    return groups.GroupRow(
        row=number,
        code=record.code,
        names=_names(record.name, record.name_hi),
        kind=record.kind,
        category=record.category,
        unit_level=record.unit_level,
        unit_code=record.unit_code,
        admins=_admins(record),
        language=record.language,
        member_count=record.member_count,
        capacity=record.capacity,
        state=_STATES[record.state],
    )


async def import_stream(
    header: _Request,
    rows: Iterable[_Row],
    with_page: Callable[[list[_Row]], _Request],
    progress: Progress,
) -> AsyncIterator[_Request]:
    """Stream an import: its header, then the rows in pages.

    Args:
        header: The first request.
        rows: Made into messages page by page, as the service takes them.
        with_page: Makes the request that carries a page.
        progress: Told of each page once it was sent.
    """
    yield header
    for page in pages(rows):
        yield with_page(page)
        progress(len(page))


def pages(rows: Iterable[_Row]) -> Iterator[list[_Row]]:
    """Cut rows into pages that fit a message, however long their texts are."""
    page: list[_Row] = []
    size = 0
    for row in rows:
        row_size = row.ByteSize()
        if page and (size + row_size > MAX_PAGE_BYTES or len(page) == MAX_PAGE_ROWS):
            yield page
            page, size = [], 0
        page.append(row)
        size += row_size
    if page:
        yield page


def _names(english: str, hindi: str) -> dict[str, str]:
    names = {"en": english, "hi": hindi}
    return {language: name for language, name in names.items() if name}


def _localized(names: Mapping[str, str]) -> hierarchy.LocalizedText:
    return hierarchy.LocalizedText(by_language=names)


def _admins(record: GroupRecord) -> list[groups.Admin]:
    named = [
        (groups.ADMIN_ROLE_OWNER, record.owner),
        *((groups.ADMIN_ROLE_ADMIN, person) for person in record.admins),
        (groups.ADMIN_ROLE_BACKUP, record.backup),
        (groups.ADMIN_ROLE_STATE_EXECUTIVE, record.state_executive),
    ]
    return [groups.Admin(person=person, role=role) for role, person in named if person]
