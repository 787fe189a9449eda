"""Reads everything that is kept of a tenant, for the tenant itself."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field

from services.hierarchy.domain.model import TenantId
from services.hierarchy.domain.people import Person, PersonId
from services.hierarchy.domain.phones import PhoneNumber
from services.hierarchy.domain.records import RECORD_TYPES, Record
from services.hierarchy.domain.tenant_changes import require_readable
from services.hierarchy.domain.tenants import TenantHeader
from services.hierarchy.ports import Caller, OrgGraph
from services.hierarchy.use_cases.secrets import Secrets
from services.hierarchy.use_cases.tenants import require_operator

# Some hundred kilobytes as text.
RECORDS_PER_PAGE = 1_000


@dataclass(frozen=True, slots=True)
class ExportPage:
    """Some records of one type, and the numbers of those of them that are persons with one."""

    of: type[Record]
    records: Sequence[Record]
    phones: Mapping[PersonId, PhoneNumber] = field(repr=False)


class TenantExport:
    """Reads tenants as wholes, also those that may not work."""

    def __init__(self, graph: OrgGraph, secrets: Secrets, per_page: int = RECORDS_PER_PAGE) -> None:
        self._graph = graph
        self._secrets = secrets
        self._per_page = per_page

    async def header(self, caller: Caller, tenant: TenantId) -> TenantHeader:
        """What an export begins with.

        Raises:
            OperatorRequired, TenantNotFound, TenantDeleting: see there.
        """
        require_operator(caller)
        header = await self._graph.header(tenant)
        require_readable(header)
        return header

    async def pages(self, header: TenantHeader) -> AsyncIterator[ExportPage]:
        """All records, type by type, each in the order of ids."""
        for of in RECORD_TYPES:
            after = ""
            while records := await self._graph.page(
                header.tenant, of, after=after, limit=self._per_page
            ):
                persons = [each for each in records if isinstance(each, Person)]
                phones = await self._secrets.open(header, persons)
                yield ExportPage(of, records, phones)
                after = records[-1].id
