"""The messages around rows: what an import and an export ask for, and how they went."""

from collections.abc import Sequence

from chaupal.hierarchy.v1 import hierarchy_pb2
from chaupal.hierarchy.v1 import transfers_pb2 as pb

from kit.errors import InvalidInput
from kit.ids import is_uuid
from services.hierarchy.domain.model import RequestId, UnitId
from services.hierarchy.domain.transfers import (
    MAX_PAGE_ROWS,
    MAX_PAGE_UNITS,
    MAX_TEAM_PAGE_ROWS,
    ImportTally,
    Row,
    RowKind,
    RowsReport,
)
from services.hierarchy.translate.areas import first_over
from services.hierarchy.translate.rows import rows_from_proto
from services.hierarchy.translate.values import instant_or_none
from services.hierarchy.use_cases.row_exports import ExportHeader, RowQuery
from services.hierarchy.use_cases.row_imports import PageImport

_KINDS: dict[int, RowKind] = {
    pb.ROW_KIND_UNITS: RowKind.UNITS,
    pb.ROW_KIND_AREAS: RowKind.AREAS,
    pb.ROW_KIND_PERSONS: RowKind.PERSONS,
    pb.ROW_KIND_APPOINTMENTS: RowKind.APPOINTMENTS,
    pb.ROW_KIND_TEAMS: RowKind.TEAMS,
}


class RowPages:
    """Takes the pages of one import, one after the other, by what its header says."""

    def __init__(self, message: pb.ImportRowsRequest) -> None:
        """Take the first message.

        Raises:
            InvalidInput: HEADER_EXPECTED, BAD_ID, or MISSING or UNKNOWN_KIND for the kind.
        """
        if message.WhichOneof("part") != "header":
            raise InvalidInput.of("header", "HEADER_EXPECTED", "the header comes first")
        header = message.header
        if not is_uuid(header.request_id):
            said = "must be a UUID in lower case with hyphens"
            raise InvalidInput.of("header.request_id", "BAD_ID", said)
        self.kind = _kind(header.kind, "header.kind")
        if self.kind is RowKind.UNITS:
            said = "units are imported with HierarchyService.ImportUnits"
            raise InvalidInput.of("header.kind", "UNKNOWN_KIND", said)
        self.validate_only = header.validate_only
        self._import_id = RequestId(header.request_id)
        self._count = 0

    def row_count(self, message: pb.ImportRowsRequest) -> int:
        """How many rows the next message has.

        Raises:
            InvalidInput: MISSING, HEADER_REPEATED, TOO_MANY, or WRONG_KIND for rows of another.
        """
        part = message.WhichOneof("part")
        if part is None:
            raise InvalidInput.of("part", "MISSING", "a page is needed")
        if part == "header":
            raise InvalidInput.of("header", "HEADER_REPEATED", "the header comes once")
        for kind in RowKind:
            if kind is not self.kind and getattr(message.page, kind):
                said = f"the header says that rows are about {self.kind}"
                raise InvalidInput.of(f"page.{kind}", "WRONG_KIND", said)
        count = len(getattr(message.page, self.kind))
        if count > self._most:
            said = f"has {count}, at most {self._most} rows a page"
            raise InvalidInput.of(f"page.{self.kind}", "TOO_MANY", said)
        if (over := first_over(MAX_PAGE_UNITS, message.page.areas)) is not None:
            said = f"has more than {MAX_PAGE_UNITS} units, with those before"
            raise InvalidInput.of(f"page.areas[{over}].units", "TOO_MANY", said)
        return count

    def request(self, message: pb.ImportRowsRequest, *, validate_only: bool) -> PageImport:
        """What the message asks for. Raises `InvalidInput` (OUT_OF_RANGE)."""
        rows: Sequence[Row] = rows_from_proto(message.page, self.kind)
        number = self._count
        self._count += 1
        return PageImport(self._import_id, number, self.kind, rows, validate_only)

    @property
    def _most(self) -> int:
        return MAX_TEAM_PAGE_ROWS if self.kind is RowKind.TEAMS else MAX_PAGE_ROWS


def query_from_proto(message: pb.ExportRowsRequest) -> RowQuery:
    """What to export. Raises `InvalidInput` (MISSING, UNKNOWN_KIND, BAD_ID, OUT_OF_RANGE)."""
    within = message.within_unit_id
    if within and not is_uuid(within):
        said = "must be a UUID in lower case with hyphens"
        raise InvalidInput.of("within_unit_id", "BAD_ID", said)
    return RowQuery(
        kind=_kind(message.kind, "kind"),
        within=UnitId(within) if within else None,
        with_ended=message.with_ended,
        at=instant_or_none(message, "as_of"),
    )


def progress_to_proto(tally: ImportTally) -> pb.ImportRowsResponse:
    """How far an import is."""
    progress = pb.ImportProgress(row_count=tally.row_count, error_count=tally.error_count)
    return pb.ImportRowsResponse(progress=progress)


def rows_report_to_proto(report: RowsReport) -> pb.ImportRowsResponse:
    """What has become of an import."""
    return pb.ImportRowsResponse(
        report=pb.RowsReport(
            row_count=report.row_count,
            created_count=report.created_count,
            updated_count=report.updated_count,
            unchanged_count=report.unchanged_count,
            error_count=report.error_count,
            errors=[
                hierarchy_pb2.RowError(
                    row=error.row,
                    field=error.field,
                    reason=error.reason,
                    description=error.description,
                )
                for error in report.errors
            ],
            applied_row_count=report.applied_row_count,
            applied=report.applied,
        )
    )


def export_header_to_proto(header: ExportHeader) -> pb.ExportRowsResponse:
    """What an export leaves out."""
    said = pb.ExportHeader(partial=header.partial, phones_left_out=header.phones_left_out)
    return pb.ExportRowsResponse(header=said)


def _kind(value: int, path: str) -> RowKind:
    if not value:
        raise InvalidInput.of(path, "MISSING", "say what the rows are about")
    kind = _KINDS.get(value)
    if kind is None:
        raise InvalidInput.of(path, "UNKNOWN_KIND", "is no kind of row")
    return kind
