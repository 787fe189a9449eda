"""The register's room in one operation: its loaders, and the calls that need none."""

from functools import partial
from typing import ClassVar

import grpc.aio
from chaupal.groups.v1 import groups_pb2 as pb

from gateway.context import Context
from gateway.graph.loader import Loader
from gateway.subgraphs.groups.client import GroupsClient

_MAX_GROUPS = 1_000
_MAX_COUNTED_UNITS = 1_000
_MAX_LISTED_UNITS = 500
_MAX_GROUPS_OF_ALL = 50_000


class GroupsRoom:
    """Groups, groups of units and counts by batch."""

    subgraph: ClassVar[str] = "groups"

    def __init__(self, context: Context, channel: grpc.aio.Channel) -> None:
        self._context = context
        self.client = GroupsClient(context, channel)
        self.groups: Loader[str, pb.Group] = Loader(
            context, "groups", self.client.groups, _MAX_GROUPS
        )
        self.counts: Loader[str, pb.GroupCounts] = Loader(
            context, "group counts", self.client.counts, _MAX_COUNTED_UNITS
        )
        self._of_units: dict[tuple[int, bool], Loader[str, pb.ListGroupsResponse]] = {}

    def of_units(self, page_size: int, *, own_only: bool) -> Loader[str, pb.ListGroupsResponse]:
        """The loader of units' first pages of groups, of that size and reach."""
        arguments = (page_size, own_only)
        loader = self._of_units.get(arguments)
        if loader is None:
            loader = self._of_units[arguments] = Loader(
                self._context,
                "groups of units",
                partial(self.client.groups_of_units, page_size=page_size, own_only=own_only),
                min(_MAX_LISTED_UNITS, _MAX_GROUPS_OF_ALL // page_size),
            )
        return loader
