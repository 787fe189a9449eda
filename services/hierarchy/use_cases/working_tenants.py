"""Keeps writes out of tenants that may not work, in one place for all use cases."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TypeVar

from services.hierarchy.domain.model import TenantId
from services.hierarchy.domain.operations import Moment, Operation, Steps
from services.hierarchy.domain.tenant_changes import require_working
from services.hierarchy.ports import OrgGraph

T = TypeVar("T")


class WorkingTenants:
    """An `OrgGraph` through which only tenants that may work are written.

    `Access.enter` has asked before. But a call may have entered long ago, as an import's rows take
    minutes to come; written after the removal of its tenant they would stay for ever, proof or
    not. So it is asked once more, under the tenant's lock.
    """

    def __init__(self, graph: OrgGraph, *, implicit: bool) -> None:
        self._graph = graph
        self._implicit = implicit
        self.header = graph.header
        self.settled_header = graph.settled_header
        self.find = graph.find
        self.page = graph.page
        self.children = graph.children
        self.ancestors = graph.ancestors
        self.tree = graph.tree
        self.unit_changes = graph.unit_changes
        self.units_with = graph.units_with
        self.tally = graph.tally
        self.tenants = graph.tenants
        self.forget_tenant = graph.forget_tenant

    async def write(self, tenant: TenantId, operation: Operation[T]) -> T:
        """As the port has it.

        Raises:
            TenantSuspended, TenantUnknown: see `require_working`.
        """
        decide = partial(self._decide, operation.decide)
        return await self._graph.write(tenant, replace(operation, decide=decide))

    def _decide(self, decide: Callable[[Moment], Steps[T]], moment: Moment) -> Steps[T]:
        require_working(moment.header, implicit=self._implicit)
        return decide(moment)
