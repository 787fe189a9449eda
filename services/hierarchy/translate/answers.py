"""Answers that have to fit: lists of units within a message's size."""

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from chaupal.hierarchy.v1 import hierarchy_pb2 as pb
from google.protobuf.message import Message

from kit.errors import ChaupalError, InvalidInput
from kit.status import error_to_status
from services.hierarchy.domain.model import UnitId, UnitKey, UnitWithCounts
from services.hierarchy.translate.values import unit_to_proto
from services.hierarchy.use_cases.units import ChildrenWithCounts

DOMAIN = "hierarchy.chaupal"
# gRPC's receivers take 4 MiB a message; what is left is for the frame around the units.
MAX_ANSWER_BYTES = 4 * 1024 * 1024 - 64 * 1024
# Around the units of one page: token, total, tags and lengths.
_FRAME_BYTES = 512
# Around one unit of a page: a tag, and a length of at most three bytes.
_ITEM_BYTES = 4

TokenOf = Callable[[UnitId | None, UnitKey], str]
A = TypeVar("A", bound=Message)


def ancestors_to_proto(
    found: Iterable[Sequence[UnitWithCounts] | ChaupalError],
) -> pb.BatchListAncestorsResponse:
    """A batch of ancestors, one answer for each. Raises `InvalidInput` (ANSWER_TOO_LARGE)."""
    answer = pb.BatchListAncestorsResponse(results=map(_ancestors_result, found))
    return checked(answer, "unit_ids")


def children_page(
    children: ChildrenWithCounts, limit: int, token_of: TokenOf
) -> pb.ListChildrenResponse:
    """A page of at most `limit` children, shorter when they would not go into one message."""
    (shown,) = _what_fits([children.units[:limit]], MAX_ANSWER_BYTES - _FRAME_BYTES)
    return _page_to_proto(children, shown, token_of)


def children_pages(
    found: Iterable[ChildrenWithCounts | ChaupalError], limit: int, token_of: TokenOf
) -> pb.BatchListChildrenResponse:
    """A batch of pages, all cut to one length that lets them go into one message.

    Raises:
        InvalidInput: ANSWER_TOO_LARGE on `parent_ids`: not even one child of each goes into it.
    """
    answer = pb.BatchListChildrenResponse()
    pages: list[tuple[pb.ListChildrenResponse, ChildrenWithCounts]] = []
    for each in found:
        result = answer.results.add()
        if isinstance(each, ChaupalError):
            result.status.CopyFrom(error_to_status(each, DOMAIN))
        else:
            result.children.SetInParent()  # a page without children is an answer too
            pages.append((result.children, each))
    room = MAX_ANSWER_BYTES - answer.ByteSize() - _FRAME_BYTES * len(pages)
    fitting = _what_fits([children.units[:limit] for _, children in pages], room)
    for (page, children), shown in zip(pages, fitting, strict=True):
        page.MergeFrom(_page_to_proto(children, shown, token_of))
    return checked(answer, "parent_ids")


def checked(answer: A, field: str) -> A:
    """The answer, if it goes into a message.

    Raises:
        InvalidInput: ANSWER_TOO_LARGE on the field whose ids were too many.
    """
    if answer.ByteSize() > MAX_ANSWER_BYTES:
        raise InvalidInput.of(field, "ANSWER_TOO_LARGE", "over 4 MiB together: ask for fewer")
    return answer


def unit_result(answer: UnitWithCounts | ChaupalError) -> pb.UnitResult:
    """One answer of a batch."""
    if isinstance(answer, ChaupalError):
        return pb.UnitResult(status=error_to_status(answer, DOMAIN))
    return pb.UnitResult(unit=unit_to_proto(answer))


def _ancestors_result(answer: Sequence[UnitWithCounts] | ChaupalError) -> pb.AncestorsResult:
    if isinstance(answer, ChaupalError):
        return pb.AncestorsResult(status=error_to_status(answer, DOMAIN))
    return pb.AncestorsResult(ancestors=pb.ListAncestorsResponse(units=map(unit_to_proto, answer)))


def _what_fits(pages: Sequence[Sequence[UnitWithCounts]], room: int) -> list[list[pb.Unit]]:
    """The first units of each page, as many of each as go into so many bytes, but at least one.

    Builds each unit once: the first of every page, then the second of every page, until it is full.
    """
    shown: list[list[pb.Unit]] = [[] for _ in pages]
    for place in range(max(map(len, pages), default=0)):
        longer = [index for index, units in enumerate(pages) if place < len(units)]
        messages = [unit_to_proto(pages[index][place]) for index in longer]
        room -= sum(message.ByteSize() + _ITEM_BYTES for message in messages)
        if room < 0 and place > 0:
            break
        for index, message in zip(longer, messages, strict=True):
            shown[index].append(message)
    return shown


def _page_to_proto(
    children: ChildrenWithCounts, shown: Sequence[pb.Unit], token_of: TokenOf
) -> pb.ListChildrenResponse:
    answer = pb.ListChildrenResponse(units=shown, total_count=children.total_count)
    if children.has_more or len(children.units) > len(shown):
        # Where all that were read are gone by now, the next page begins behind them all the same.
        last = children.units[len(shown) - 1].unit.key if shown else children.end
        if last:
            answer.next_page_token = token_of(children.parent, last)
    return answer
