"""The messages of an import: a header, then pages of rows; and its report."""

from sys import intern

from chaupal.groups.v1 import groups_pb2 as pb

from kit.errors import InvalidInput
from services.groups.domain.checks import Draft
from services.groups.domain.imports import GroupRow, ImportReport
from services.groups.domain.model import GroupState
from services.groups.translate.requests import id_from_text
from services.groups.translate.values import admins_from_proto, state_from_proto

MAX_PAGE_ROWS = 5_000
DEFAULT_LANGUAGE = "hi"
DEFAULT_CAPACITY = 1_024
DEFAULT_STATE = GroupState.UNVERIFIED


def header_from_proto(message: pb.ImportGroupsRequest | None) -> pb.ImportGroupsHeader:
    """The header that an import begins with; None stands for a stream without messages.

    Raises:
        InvalidInput: HEADER_EXPECTED, or BAD_ID on its request id.
    """
    if message is None or message.WhichOneof("part") != "header":
        raise InvalidInput.of("header", "HEADER_EXPECTED", "the header comes first")
    id_from_text(message.header.request_id, "header.request_id")
    return message.header


def page_from_proto(message: pb.ImportGroupsRequest) -> list[GroupRow]:
    """The rows of a later message, unchecked.

    Raises:
        InvalidInput: HEADER_REPEATED, MISSING, TOO_MANY, or BAD_STATE on a row.
    """
    match message.WhichOneof("part"):
        case "header":
            raise InvalidInput.of("header", "HEADER_REPEATED", "the header comes once")
        case None:
            raise InvalidInput.of("part", "MISSING", "a header or a page is needed")
    rows = message.page.rows
    if len(rows) > MAX_PAGE_ROWS:
        said = f"has {len(rows):,} rows, at most {MAX_PAGE_ROWS:,} a page"
        raise InvalidInput.of("page.rows", "TOO_MANY", said)
    return [_row(row, index) for index, row in enumerate(rows)]


def report_to_proto(report: ImportReport) -> pb.GroupImportReport:
    """The whole report."""
    return pb.GroupImportReport(
        row_count=report.row_count,
        created_count=report.created_count,
        updated_count=report.updated_count,
        unchanged_count=report.unchanged_count,
        error_count=report.error_count,
        errors=[
            pb.GroupRowError(
                row=each.row,
                field=each.field,
                reason=each.reason,
                description=each.description,
            )
            for each in report.errors
        ],
        applied=report.applied,
    )


def _row(message: pb.GroupRow, index: int) -> GroupRow:
    state = state_from_proto(message.state, f"page.rows[{index}].state")
    draft = Draft(
        code=message.code,
        names=dict(message.names),
        # A few words, in up to 200,000 rows.
        kind=intern(message.kind),
        category=intern(message.category),
        admins=admins_from_proto(message.admins),
        language=intern(message.language or DEFAULT_LANGUAGE),
        member_count=message.member_count,
        capacity=message.capacity or DEFAULT_CAPACITY,
        state=state or DEFAULT_STATE,
    )
    return GroupRow(message.row, draft, intern(message.unit_level), message.unit_code)
