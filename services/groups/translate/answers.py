"""Answers that have to fit: groups, lists of groups and counts, within a message's size."""

from collections.abc import Iterable, Sequence
from typing import TypeVar

from chaupal.groups.v1 import groups_pb2 as pb
from google.protobuf.message import Message

from kit.errors import ChaupalError, answer_too_large
from kit.status import error_to_status
from services.groups.domain.answers import FacetCount, GroupCounts, Place
from services.groups.domain.model import Group
from services.groups.translate.requests import Query, token_of_place
from services.groups.translate.values import FLAGS, group_to_proto
from services.groups.use_cases.reading import GroupPage

DOMAIN = "groups.chaupal"
# gRPC's receivers take 4 MiB a message; what is left is for the frame around the groups.
MAX_ANSWER_BYTES = 4 * 1024 * 1024 - 64 * 1024
# Around one group or page in a list: tags, lengths, token and total.
_FRAME_BYTES = 512

M = TypeVar("M", bound=Message)


def checked(answer: M, field: str) -> M:
    """The answer, if it goes into a message.

    Raises:
        InvalidInput: ANSWER_TOO_LARGE on the field that asked for too much.
    """
    if answer.ByteSize() > MAX_ANSWER_BYTES:
        raise answer_too_large(field)
    return answer


def group_result(answer: Group | ChaupalError) -> pb.GroupResult:
    """One item of a batch of groups."""
    if isinstance(answer, ChaupalError):
        return pb.GroupResult(status=error_to_status(answer, DOMAIN))
    return pb.GroupResult(group=group_to_proto(answer))


def page_to_proto(
    page: GroupPage, query: Query, tenant: str, most_bytes: int = MAX_ANSWER_BYTES
) -> pb.ListGroupsResponse:
    """The page, cut where it would not go into so many bytes: the token goes on from there."""
    answer = pb.ListGroupsResponse(total_count=page.total_count)
    room = most_bytes - _FRAME_BYTES
    last: Place | None = None
    for group in page.groups:
        message = group_to_proto(group)
        room -= message.ByteSize() + 4
        if room < 0:
            break
        answer.groups.append(message)
        last = Place(group.content.unit_id, group.content.code)
    if page.has_more or len(answer.groups) < len(page.groups):
        answer.next_page_token = token_of_place(last, query, tenant)
    return answer


def pages_to_proto(
    pages: Sequence[tuple[Query, GroupPage] | ChaupalError], tenant: str
) -> pb.BatchListGroupsResponse:
    """A batch of pages; those that no longer fit are cut, down to a token alone."""
    answer = pb.BatchListGroupsResponse()
    room = MAX_ANSWER_BYTES - _FRAME_BYTES * len(pages)
    for each in pages:
        if isinstance(each, ChaupalError):
            result = pb.GroupsResult(status=error_to_status(each, DOMAIN))
        else:
            query, page = each
            result = pb.GroupsResult(groups=page_to_proto(page, query, tenant, room))
        room -= max(0, result.ByteSize() - _FRAME_BYTES)
        answer.results.append(result)
    return answer


def counts_result(answer: GroupCounts | ChaupalError) -> pb.CountsResult:
    """One item of a batch of counts."""
    if isinstance(answer, ChaupalError):
        return pb.CountsResult(status=error_to_status(answer, DOMAIN))
    return pb.CountsResult(
        counts=pb.GroupCounts(
            group_count=answer.group_count,
            member_count=answer.member_count,
            by_kind=facets_to_proto(answer.by_kind),
            by_category=facets_to_proto(answer.by_category),
            by_flag=[
                pb.FlagCount(flag=FLAGS[each.flag], group_count=each.group_count)
                for each in answer.by_flag
            ],
        )
    )


def facets_to_proto(counts: Iterable[FacetCount]) -> list[pb.FacetCount]:
    """Counts by key."""
    return [
        pb.FacetCount(key=each.key, group_count=each.group_count, member_count=each.member_count)
        for each in counts
    ]
