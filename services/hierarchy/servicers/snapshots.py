"""The tree as a whole."""

# ruff: noqa: ARG002  # the signatures are the contract's

from collections.abc import AsyncIterator

from chaupal.hierarchy.v1 import hierarchy_pb2 as pb
from chaupal.hierarchy.v1 import hierarchy_pb2_grpc as stubs

from kit.context import current
from services.hierarchy.servicers.common import Context
from services.hierarchy.translate import requests
from services.hierarchy.translate.snapshots import snapshot_to_proto
from services.hierarchy.use_cases.snapshots import TreeReader


class SnapshotCalls(stubs.HierarchyServiceServicer):
    """The call that streams it."""

    _trees: TreeReader

    async def StreamTree(
        self, request: pb.StreamTreeRequest, context: Context
    ) -> AsyncIterator[pb.StreamTreeResponse]:
        """The whole tree, or what changed."""
        known = requests.known_version(request)
        caller = current().caller
        answer = await self._trees.read(caller, known, accepts_deltas=request.accepts_deltas)
        for part in snapshot_to_proto(answer):
            yield part
