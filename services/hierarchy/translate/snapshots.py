"""The tree in pieces: a header, then pages, or what changed."""

from collections.abc import Iterator

import numpy as np
from chaupal.hierarchy.v1 import hierarchy_pb2 as pb

from services.hierarchy.domain.access import Scope
from services.hierarchy.domain.model import level_index
from services.hierarchy.use_cases.snapshots import TreeDelta, TreeSummary

TREE_PAGE_UNITS = 5_000


def snapshot_to_proto(answer: TreeSummary | TreeDelta | Scope) -> Iterator[pb.StreamTreeResponse]:
    """The header, and what belongs to it."""
    match answer:
        case TreeSummary():
            yield _header(answer)
        case TreeDelta(summary):
            yield _header(summary)
            yield pb.StreamTreeResponse(delta=_delta(answer))
        case Scope(tree=tree):
            yield _header(TreeSummary(tree.tree_version, answer.unit_count, tree.level_keys))
            yield from map(_page_response, _pages(answer))


def _header(summary: TreeSummary) -> pb.StreamTreeResponse:
    return pb.StreamTreeResponse(
        header=pb.TreeHeader(
            tree_version=summary.tree_version,
            unit_count=summary.unit_count,
            levels=summary.level_keys,
        )
    )


def _delta(delta: TreeDelta) -> pb.TreeDelta:
    index = level_index(delta.summary.level_keys)
    units = delta.changes.units
    return pb.TreeDelta(
        closed_ids=sorted(delta.changes.closed),
        ids=[unit.id for unit in units],
        parent_ids=[unit.parent_id or "" for unit in units],
        levels=[index[unit.level] for unit in units],
        codes=[unit.code for unit in units],
    )


def _pages(scope: Scope) -> Iterator[pb.TreePage]:
    """The runs of the scope behind each other: a forest of its own, as each is whole subtrees."""
    tree = scope.tree
    places = np.concatenate([np.arange(*run) for run in scope.ranges] or [np.arange(0)])
    # Where each place of the tree stands in the answer; what is above it stands nowhere.
    moved = np.full(tree.unit_count + 1, -1, dtype=np.int32)
    moved[places] = np.arange(len(places), dtype=np.int32)
    parents = moved[tree.forest.parents[places]]  # of a root -1: the last, which is -1
    for start in range(0, len(places), TREE_PAGE_UNITS):
        run = places[start : start + TREE_PAGE_UNITS].tolist()
        yield pb.TreePage(
            ids=[tree.forest.ids[place] for place in run],
            parents=parents[start : start + TREE_PAGE_UNITS].tolist(),
            levels=tree.levels[run].tolist(),
            codes=[tree.codes[place] for place in run],
        )


def _page_response(page: pb.TreePage) -> pb.StreamTreeResponse:
    return pb.StreamTreeResponse(page=page)
