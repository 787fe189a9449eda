"""Answers that have to fit: pages of the tree, and lists of units within a message's size."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TypeVar

from chaupal.hierarchy.v1 import hierarchy_pb2 as pb
from google.protobuf.message import Message

from kit.errors import ChaupalError, InvalidInput
from kit.status import error_to_status
from services.hierarchy.domain.model import UnitId, UnitKey, UnitWithCounts
from services.hierarchy.domain.tree import Tree
from services.hierarchy.translate.values import unit_to_proto
from services.hierarchy.use_cases.units import ChildrenWithCounts

DOMAIN = "hierarchy.chaupal"
TREE_PAGE_UNITS = 5_000
# gRPC's receivers take 4 MiB a message; what is left is for the frame around the units.
MAX_ANSWER_BYTES = 4 * 1024 * 1024 - 64 * 1024

TokenOf = Callable[[UnitId | None, UnitKey], str]
A = TypeVar("A", bound=Message)


def tree_to_proto(tree: Tree, known: int) -> Iterator[pb.StreamTreeResponse]:
    """The header, and the pages unless the caller's version is the tree's."""
    yield pb.StreamTreeResponse(
        header=pb.TreeHeader(
            tree_version=tree.tree_version, unit_count=tree.unit_count, levels=tree.level_keys
        )
    )
    if known == tree.tree_version:
        return
    for start in range(0, tree.unit_count, TREE_PAGE_UNITS):
        run = slice(start, start + TREE_PAGE_UNITS)
        page = pb.TreePage(
            ids=tree.forest.ids[run],
            parents=tree.forest.parents[run].tolist(),
            levels=tree.levels[run].tolist(),
            codes=tree.codes[run],
        )
        yield pb.StreamTreeResponse(page=page)


def unit_result(answer: UnitWithCounts | ChaupalError) -> pb.UnitResult:
    """One item of a batch of units."""
    if isinstance(answer, ChaupalError):
        return pb.UnitResult(status=error_to_status(answer, DOMAIN))
    return pb.UnitResult(unit=unit_to_proto(answer))


def ancestors_result(answer: Sequence[UnitWithCounts] | ChaupalError) -> pb.AncestorsResult:
    """One item of a batch of ancestors."""
    if isinstance(answer, ChaupalError):
        return pb.AncestorsResult(status=error_to_status(answer, DOMAIN))
    return pb.AncestorsResult(ancestors=pb.ListAncestorsResponse(units=map(unit_to_proto, answer)))


def children_page(
    children: ChildrenWithCounts, limit: int, token_of: TokenOf
) -> pb.ListChildrenResponse:
    """A page of at most `limit` children, shorter when they would not go into one message."""
    return _longest_that_fits(limit, partial(_children_to_proto, children, token_of))


def children_pages(
    pages: Sequence[ChildrenWithCounts | ChaupalError], limit: int, token_of: TokenOf
) -> pb.BatchListChildrenResponse:
    """A batch of pages, all cut to one length that lets them go into one message."""

    def cut_to(length: int) -> pb.BatchListChildrenResponse:
        results = (_children_result(page, token_of, length) for page in pages)
        return pb.BatchListChildrenResponse(results=results)

    return checked(_longest_that_fits(limit, cut_to), "parent_ids")


def checked(answer: A, field: str) -> A:
    """The answer, if it goes into a message.

    Raises:
        InvalidInput: ANSWER_TOO_LARGE on the field whose ids were too many.
    """
    if answer.ByteSize() > MAX_ANSWER_BYTES:
        raise InvalidInput.of(field, "ANSWER_TOO_LARGE", "over 4 MiB together: ask for fewer")
    return answer


def _longest_that_fits(limit: int, build: Callable[[int], A]) -> A:
    answer = build(limit)
    while answer.ByteSize() > MAX_ANSWER_BYTES and limit > 1:
        limit //= 2
        answer = build(limit)
    return answer


def _children_result(
    answer: ChildrenWithCounts | ChaupalError, token_of: TokenOf, limit: int
) -> pb.ChildrenResult:
    if isinstance(answer, ChaupalError):
        return pb.ChildrenResult(status=error_to_status(answer, DOMAIN))
    return pb.ChildrenResult(children=_children_to_proto(answer, token_of, limit))


def _children_to_proto(
    children: ChildrenWithCounts, token_of: TokenOf, limit: int
) -> pb.ListChildrenResponse:
    shown = children.units[:limit]
    has_more = children.has_more or len(children.units) > limit
    return pb.ListChildrenResponse(
        units=map(unit_to_proto, shown),
        next_page_token=token_of(children.parent, shown[-1].unit.key) if has_more else "",
        total_count=children.total_count,
    )
