"""The hierarchy's room in one operation: its loaders, and the calls that need none."""

from collections.abc import Awaitable, Callable, Hashable, Sequence
from datetime import datetime
from functools import partial
from typing import Any, ClassVar

import grpc.aio
from chaupal.hierarchy.v1 import access_pb2, people_pb2
from chaupal.hierarchy.v1 import hierarchy_pb2 as pb

from gateway.context import Context
from gateway.graph.loader import Loader
from gateway.subgraphs.hierarchy.client import HierarchyChanges, HierarchyClient
from gateway.subgraphs.hierarchy.people_client import AccessClient, PeopleChanges, PeopleClient
from kit.errors import InvalidInput

_MAX_UNITS = 1_000
_MAX_PARENTS = 500
_MAX_CHILDREN_OF_ALL = 50_000
_MAX_PERSONS = 1_000
# The contract takes 1,000, but what units and persons hold would seldom go into one answer then.
_MAX_HOLDERS = 250


class HierarchyRoom:
    """What is in units, and who, by batch; for each moment and each choice a loader of its own."""

    subgraph: ClassVar[str] = "hierarchy"

    def __init__(self, context: Context, channel: grpc.aio.Channel) -> None:
        self._context = context
        self.client = HierarchyClient(context, channel)
        self.people = PeopleClient(context, channel)
        self._access = AccessClient(context, channel)
        self._changes = HierarchyChanges(context, channel)
        self._people_changes = PeopleChanges(context, channel)
        self._loaders: dict[Hashable, Loader[str, Any]] = {}
        self._listed_history: str | None = None

    def units(self, as_of: datetime | None = None) -> Loader[str, pb.Unit]:
        """The loader of units as they stood."""
        fetch = partial(self.client.units, as_of=as_of)
        return self._loader("units", fetch, _MAX_UNITS, as_of)

    def ancestors(self, as_of: datetime | None) -> Loader[str, pb.ListAncestorsResponse]:
        """The loader of ancestors as they stood."""
        fetch = partial(self.client.ancestors, as_of=as_of)
        return self._loader("ancestors", fetch, _MAX_UNITS, as_of)

    def children(
        self, page_size: int, as_of: datetime | None
    ) -> Loader[str, pb.ListChildrenResponse]:
        """The loader of first pages of that size as they stood."""
        fetch = partial(self.client.children, page_size=page_size, as_of=as_of)
        most = min(_MAX_PARENTS, _MAX_CHILDREN_OF_ALL // page_size)
        return self._loader("children", fetch, most, page_size, as_of)

    def areas(self, as_of: datetime | None) -> Loader[str, pb.UnitAreas]:
        """The loader of units' areas as they stood."""
        fetch = partial(self.client.unit_areas, as_of=as_of)
        return self._loader("areas", fetch, _MAX_HOLDERS, as_of)

    def persons(self, *, unmask: bool = False) -> Loader[str, people_pb2.Person]:
        """The loader of persons, with whole numbers where the caller may see them or without."""
        fetch = partial(self.people.persons, unmask=unmask)
        return self._loader("persons", fetch, _MAX_PERSONS, unmask)

    def unit_appointments(
        self, positions: Sequence[str], as_of: datetime | None, *, with_ended: bool
    ) -> Loader[str, people_pb2.Appointments]:
        """The loader of units' appointments to these positions."""
        fetch = partial(
            self.people.unit_appointments,
            positions=positions,
            as_of=as_of,
            with_ended=with_ended,
        )
        chosen = (tuple(positions), as_of, with_ended)
        return self._loader("unit appointments", fetch, _MAX_HOLDERS, *chosen)

    def person_appointments(
        self, as_of: datetime | None, *, with_ended: bool
    ) -> Loader[str, people_pb2.Appointments]:
        """The loader of persons' appointments."""
        fetch = partial(self.people.person_appointments, as_of=as_of, with_ended=with_ended)
        return self._loader("person appointments", fetch, _MAX_HOLDERS, as_of, with_ended)

    def teams(self, as_of: datetime | None) -> Loader[str, people_pb2.Teams]:
        """The loader of units' teams as they stood."""
        return self._loader("teams", partial(self.people.teams, as_of=as_of), _MAX_HOLDERS, as_of)

    def watch_lines(self, as_of: datetime | None) -> Loader[str, people_pb2.WatchLine]:
        """The loader of units' lines of watch as they stood."""
        fetch = partial(self.people.watch_lines, as_of=as_of)
        return self._loader("watch lines", fetch, _MAX_HOLDERS, as_of)

    def viewer(self) -> Awaitable[access_pb2.GetViewerResponse]:
        """Who the caller is; asked for once in the operation."""
        fetch = partial(_for_one, self._access.viewer)
        return self._loader("viewer", fetch, 1).load("")

    def changes(self) -> HierarchyChanges:
        """The writes of units, for one mutation: what was read before it is read again after it.

        Mutations of one operation run one after the other, each with all that it selects.
        """
        self._loaders.clear()
        return self._changes

    def people_changes(self) -> PeopleChanges:
        """The writes of people, likewise."""
        self._loaders.clear()
        return self._people_changes

    async def history(self, request: pb.ListUnitHistoryRequest) -> pb.ListUnitHistoryResponse:
        """A page of history; of one unit in an operation, as no batch RPC lists many.

        Raises:
            InvalidInput: HISTORY_OF_ONE_UNIT when a second unit's is asked for.
        """
        if self._listed_history not in (None, request.unit_id):
            raise InvalidInput.of(
                "history",
                "HISTORY_OF_ONE_UNIT",
                "one operation can list the history of one unit; ask for each by itself",
            )
        self._listed_history = request.unit_id
        return await self.client.page_of_history(request)

    def _loader(
        self,
        name: str,
        fetch: Callable[[Sequence[str]], Awaitable[Sequence[Any]]],
        max_batch: int,
        *chosen: Hashable,
    ) -> Loader[str, Any]:
        key = (name, *chosen)
        loader = self._loaders.get(key)
        if loader is None:
            loader = self._loaders[key] = Loader(self._context, name, fetch, max_batch)
        return loader


async def _for_one(ask: Callable[[], Awaitable[Any]], _: Sequence[str]) -> Sequence[Any]:
    """The answer to a call that has no key, as a batch of one."""
    return [await ask()]
