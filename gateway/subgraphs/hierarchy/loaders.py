"""The hierarchy's room in one operation: its loaders, and the calls that need none."""

from collections.abc import Iterable
from functools import partial
from typing import ClassVar

import grpc.aio
from chaupal.hierarchy.v1 import hierarchy_pb2 as pb

from gateway.context import Context
from gateway.graph.loader import Loader
from gateway.subgraphs.hierarchy.client import HierarchyClient

_MAX_UNITS = 1_000
_MAX_PARENTS = 500
_MAX_CHILDREN_OF_ALL = 50_000


class HierarchyRoom:
    """Units, ancestors and children by batch."""

    subgraph: ClassVar[str] = "hierarchy"

    def __init__(self, context: Context, channel: grpc.aio.Channel) -> None:
        self._context = context
        self.client = HierarchyClient(context, channel)
        self.units: Loader[str, pb.Unit] = Loader(context, "units", self.client.units, _MAX_UNITS)
        self.ancestors: Loader[str, Iterable[pb.Unit]] = Loader(
            context, "ancestors", self.client.ancestors, _MAX_UNITS
        )
        self._children: dict[int, Loader[str, pb.ListChildrenResponse]] = {}

    def children(self, page_size: int) -> Loader[str, pb.ListChildrenResponse]:
        """The loader of first pages of that size."""
        loader = self._children.get(page_size)
        if loader is None:
            loader = self._children[page_size] = Loader(
                self._context,
                "children",
                partial(self.client.children, page_size=page_size),
                min(_MAX_PARENTS, _MAX_CHILDREN_OF_ALL // page_size),
            )
        return loader
