"""Audiences, and what they mean."""

from collections.abc import Iterable, Iterator

from chaupal.groups.v1 import audience_pb2
from chaupal.groups.v1 import groups_pb2 as pb

from services.groups.domain.answers import Frame, Preview, Resolved
from services.groups.domain.audience import Audience, AudienceTerm, Exclusion
from services.groups.domain.model import UnitId
from services.groups.translate.answers import facets_to_proto

PAGE_ITEMS = 5_000
_ID_BYTES = 16


def audience_from_proto(message: audience_pb2.Audience) -> Audience:
    """The rule, unchecked."""
    return Audience(_terms(message.include), _terms(message.exclude))


def preview_to_proto(snapshot_id: str, preview: Preview) -> pb.PreviewAudienceResponse:
    """What an audience means."""
    return pb.PreviewAudienceResponse(
        group_count=preview.group_count,
        member_count=preview.member_count,
        exclusions=_exclusions(preview.exclusions),
        by_unit=[
            pb.UnitCount(
                unit_id=each.unit_id,
                group_count=each.group_count,
                member_count=each.member_count,
            )
            for each in preview.by_unit
        ],
        by_kind=facets_to_proto(preview.by_kind),
        by_category=facets_to_proto(preview.by_category),
        snapshot_id=snapshot_id,
    )


def resolved_to_proto(snapshot_id: str, resolved: Resolved) -> Iterator[pb.ResolveAudienceResponse]:
    """The header, then pages of targets, then pages of the frame; made as they are sent."""
    group_ids, frame = resolved.group_ids, resolved.frame
    header = pb.ResolvedHeader(
        snapshot_id=snapshot_id,
        target_count=len(group_ids) // _ID_BYTES,
        frame_count=len(frame.parents),
        levels=resolved.levels,
        exclusions=_exclusions(resolved.exclusions),
    )
    yield pb.ResolveAudienceResponse(header=header)
    for start in range(0, len(group_ids), PAGE_ITEMS * _ID_BYTES):
        page = pb.TargetPage(group_ids=group_ids[start : start + PAGE_ITEMS * _ID_BYTES])
        yield pb.ResolveAudienceResponse(targets=page)
    for start in range(0, len(frame.parents), PAGE_ITEMS):
        yield pb.ResolveAudienceResponse(frame=_frame_page(frame, start))


def _frame_page(frame: Frame, start: int) -> pb.FramePage:
    end = start + PAGE_ITEMS
    return pb.FramePage(
        unit_ids=frame.unit_ids[start * _ID_BYTES : end * _ID_BYTES],
        parents=frame.parents[start:end],
        levels=frame.levels[start:end],
        starts=frame.starts[start:end],
        ends=frame.ends[start:end],
    )


def _terms(messages: Iterable[audience_pb2.AudienceTerm]) -> tuple[AudienceTerm, ...]:
    return tuple(
        AudienceTerm(
            unit_ids=tuple(map(UnitId, each.unit_ids)),
            kinds=tuple(each.kinds),
            categories=tuple(each.categories),
        )
        for each in messages
    )


def _exclusions(exclusions: Iterable[Exclusion]) -> list[pb.Exclusion]:
    return [
        pb.Exclusion(reason=each.reason.value, group_count=each.group_count) for each in exclusions
    ]
