"""The messages of an import: a header, then pages of rows; and its report."""

from datetime import datetime
from sys import intern

from chaupal.hierarchy.v1 import hierarchy_pb2 as pb

from kit.errors import InvalidInput
from kit.ids import is_uuid
from services.hierarchy.domain.imports import MAX_IMPORT_ROWS, MAX_PAGE_ROWS
from services.hierarchy.domain.model import (
    NO_KEY,
    ImportReport,
    RequestId,
    UnitImport,
    UnitKey,
    UnitRow,
)
from services.hierarchy.translate.values import (
    instant_or_none,
    names_from_proto,
    place_from_proto,
)


class ImportAssembler:
    """Puts the messages of one import together; refuses at the first that is out of place."""

    def __init__(self) -> None:
        self._header: pb.ImportUnitsHeader | None = None
        self._effective_at: datetime | None = None
        self._rows: list[UnitRow] = []

    def add(self, message: pb.ImportUnitsRequest) -> None:
        """Take the next message.

        Raises:
            InvalidInput: HEADER_EXPECTED, HEADER_REPEATED, BAD_ID, OUT_OF_RANGE, TOO_MANY or
                MISSING.
        """
        part = message.WhichOneof("part")
        if part is None:
            raise InvalidInput.of("part", "MISSING", "a header or a page is needed")
        if part == "header":
            self._take_header(message.header)
        else:
            self._take_page(message.page)

    def finish(self) -> UnitImport:
        """The whole request. Raises `InvalidInput` (HEADER_EXPECTED) when nothing came."""
        header = self._needed_header()
        return UnitImport(
            RequestId(header.request_id), self._rows, header.validate_only, self._effective_at
        )

    def _take_header(self, header: pb.ImportUnitsHeader) -> None:
        if self._header is not None:
            raise InvalidInput.of("header", "HEADER_REPEATED", "the header comes once")
        if not is_uuid(header.request_id):
            said = "must be a UUID in lower case with hyphens"
            raise InvalidInput.of("header.request_id", "BAD_ID", said)
        self._effective_at = instant_or_none(header, "effective_at", "header.effective_at")
        self._header = header

    def _take_page(self, page: pb.ImportUnitsPage) -> None:
        self._needed_header()
        if len(page.rows) > MAX_PAGE_ROWS:
            said = f"has {len(page.rows)} rows, at most {MAX_PAGE_ROWS} a page"
            raise InvalidInput.of("page.rows", "TOO_MANY", said)
        if len(self._rows) + len(page.rows) > MAX_IMPORT_ROWS:
            said = f"an import has at most {MAX_IMPORT_ROWS} rows"
            raise InvalidInput.of("page.rows", "TOO_MANY", said)
        self._rows.extend(map(row_from_proto, page.rows))

    def _needed_header(self) -> pb.ImportUnitsHeader:
        if self._header is None:
            raise InvalidInput.of("header", "HEADER_EXPECTED", "the header comes first")
        return self._header


def row_from_proto(message: pb.UnitRow) -> UnitRow:
    """The row, unchecked."""
    # A few words of levels, in up to 200,000 rows.
    level, parent_level = intern(message.level), intern(message.parent_level)
    has_parent = parent_level or message.parent_code
    return UnitRow(
        row=message.row,
        key=UnitKey(level, message.code),
        names=names_from_proto(message.names),
        parent=UnitKey(parent_level, message.parent_code) if has_parent else NO_KEY,
        place=place_from_proto(message.place) if message.HasField("place") else None,
    )


def report_to_proto(report: ImportReport) -> pb.ImportReport:
    """The whole report."""
    return pb.ImportReport(
        row_count=report.row_count,
        created_count=report.created_count,
        updated_count=report.updated_count,
        unchanged_count=report.unchanged_count,
        error_count=report.error_count,
        errors=[
            pb.RowError(
                row=error.row,
                field=error.field,
                reason=error.reason,
                description=error.description,
            )
            for error in report.errors
        ],
        applied=report.applied,
        tree_version=report.tree_version,
    )
