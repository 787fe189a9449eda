"""What changing units did, and what units were."""

from collections.abc import Iterator, Sequence

from chaupal.hierarchy.v1 import hierarchy_pb2 as pb

from services.hierarchy.domain.model import Unit, UnitWithCounts
from services.hierarchy.domain.reorganisation import ReorganisationReport, UnitChange
from services.hierarchy.translate.answers import MAX_ANSWER_BYTES
from services.hierarchy.translate.values import timestamp, unit_to_proto
from services.hierarchy.use_cases.history import HistoryPage, LevelCount

# Around one item of a list: a tag, and a length of at most three bytes.
_ITEM_BYTES = 4
# Around the changes: a unit that goes with the report, and the frames of both.
_ROOM_BESIDE = 64 * 1024


def report_to_proto(report: ReorganisationReport) -> pb.ReorganisationReport:
    """The report, with as many of its changes as go into a message."""
    message = pb.ReorganisationReport(
        applied=report.applied,
        tree_version=report.tree_version,
        effective_at=timestamp(report.effective_at),
        created_count=report.created_count,
        updated_count=report.updated_count,
        moved_count=report.moved_count,
        closed_count=report.closed_count,
        carried_count=report.carried_count,
        appointment_ended_count=report.appointment_ended_count,
        team_ended_count=report.team_ended_count,
        watch_ended_count=report.watch_ended_count,
        appointment_carried_count=report.appointment_carried_count,
        watch_carried_count=report.watch_carried_count,
    )
    message.changes.extend(_what_fits(report.changes, MAX_ANSWER_BYTES - _ROOM_BESIDE))
    return message


def history_to_proto(page: HistoryPage, next_page_token: str) -> pb.ListUnitHistoryResponse:
    """A page of what a unit was."""
    return pb.ListUnitHistoryResponse(
        versions=map(unit_to_proto, page.versions),
        next_page_token=next_page_token,
        successor_ids=page.successor_ids,
    )


def counts_to_proto(counts: Sequence[LevelCount]) -> pb.CountUnitsResponse:
    """How many units each level has."""
    return pb.CountUnitsResponse(
        counts=[pb.LevelCount(level=each.level, unit_count=each.unit_count) for each in counts]
    )


def descendants_to_proto(units: Sequence[UnitWithCounts]) -> pb.ListDescendantsResponse:
    """A page of descendants: 500 units go into a message, however long their names are."""
    return pb.ListDescendantsResponse(units=map(unit_to_proto, units))


def _what_fits(changes: Sequence[UnitChange], room: int) -> Iterator[pb.UnitChange]:
    for each in changes:
        message = pb.UnitChange(
            step=each.step,
            what=each.what.value,
            before=_uncounted(each.before),
            after=_uncounted(each.after),
        )
        room -= message.ByteSize() + _ITEM_BYTES
        if room < 0:
            return
        yield message


def _uncounted(unit: Unit | None) -> pb.Unit | None:
    return unit_to_proto(UnitWithCounts(unit, 0, 0)) if unit else None
