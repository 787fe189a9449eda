"""An organisation as rows: drawn, put into a tenant, read out of one again, moved by files."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from chaupal.hierarchy.v1 import transfers_pb2 as pb
from chaupal.hierarchy.v1.transfers_pb2_grpc import TransfersServiceStub
from hypothesis import strategies as st

from cli.clients.transfers import Selection
from cli.files.report import ImportOutcome
from cli.files.transfer_rows import KINDS
from cli.importing import import_units
from cli.transferring import export_rows, import_rows
from kit.channel import open_channel, outgoing
from kit.clock import FakeClock
from kit.deadline import Deadline
from services.hierarchy.adapters.key_files import KeyFile
from services.hierarchy.domain.areas import Area
from services.hierarchy.domain.model import (
    LocalizedText,
    TenantId,
    Unit,
    UnitId,
    UnitKey,
    UnitRow,
)
from services.hierarchy.domain.people import Appointment, Person
from services.hierarchy.domain.records import AREA_LINKS_BY_AREA, MEMBERSHIPS_BY_TEAM, R
from services.hierarchy.domain.teams import Team
from services.hierarchy.domain.tenants import TenantHeader
from services.hierarchy.domain.transfers import (
    NOBODY,
    AppointmentRow,
    AreaRow,
    PersonRef,
    PersonRow,
    Row,
    RowKind,
    TeamRow,
)
from services.hierarchy.ports import OrgGraph
from services.hierarchy.servicers.transfers import SERVICE_NAME
from services.hierarchy.translate.rows import pages_to_proto
from services.hierarchy.use_cases.secrets import Secrets
from tests.builders_hierarchy import a_request_id, an_id
from tests.builders_people import a_staffed_blueprint
from tests.hierarchy_server import (
    KEY_FILE,
    Caller,
    Hierarchy,
    Neo4jAt,
    a_caller,
    import_messages,
    running,
)
from tests.strategies import CODES, NAMES, valid_trees

NUMBERS = {
    RowKind.AREAS: pb.ROW_KIND_AREAS,
    RowKind.PERSONS: pb.ROW_KIND_PERSONS,
    RowKind.APPOINTMENTS: pb.ROW_KIND_APPOINTMENTS,
    RowKind.TEAMS: pb.ROW_KIND_TEAMS,
}
ORDER = ("units", "areas", "persons", "appointments", "teams")


@dataclass(frozen=True)
class Organisation:
    """Rows of every kind, such as may stand together."""

    units: Sequence[UnitRow]
    areas: Sequence[AreaRow]
    persons: Sequence[PersonRow]
    appointments: Sequence[AppointmentRow]
    teams: Sequence[TeamRow]


NASTY = (
    '=HYPERLINK("http://evil.test","x")',
    "+91 98765",
    "-1",
    "@SUM(A1)",
    " =1",
    "'=1",
    "''",
    " edges ",
    "_x0041_",
    "_x005F_",
    "x005F_",
    "\ufffe",
    'a "quoted", name; with\N{LINE SEPARATOR}more',
    "#N/A",
    "TRUE",
    "007",
    "2026-01-31",
    "जयपुर",
)
_TEXTS = st.sampled_from(NASTY) | NAMES.map(lambda names: names.by_language["en"])
_INSTANTS = st.timedeltas(timedelta(0), timedelta(days=9_000)).map(
    lambda since: datetime(2000, 1, 1, tzinfo=UTC) + since
)
_ROLES = st.sampled_from(("lead", "member"))
BLUEPRINT = replace(a_staffed_blueprint(), centre_level="")


@st.composite
def nasty_names(draw: st.DrawFn) -> LocalizedText:
    """Names in several languages, some of which a spreadsheet would take for something else."""
    names = draw(NAMES).by_language
    return LocalizedText.of(names | {"en": draw(_TEXTS), "hi": draw(_TEXTS)})


@st.composite
def organisations(draw: st.DrawFn) -> Organisation:
    """Units, and persons who hold offices and are in teams there."""
    units = [replace(row, names=draw(nasty_names())) for row in draw(valid_trees(max_units=8))]
    persons = [_person(draw, number) for number in range(draw(st.integers(1, 6)))]
    return Organisation(
        units,
        _areas(draw, units),
        persons,
        [row for unit in units for row in _appointments(draw, unit, persons)],
        [row for unit in units for row in _teams(draw, unit, persons)],
    )


def _person(draw: st.DrawFn, number: int) -> PersonRow:
    phone = draw(st.sampled_from(("", f"+9198765{number:05}")))
    subject = draw(st.sampled_from(("", f"-user {number}", f"=user-{number}")))
    ref = PersonRef(an_id("person", number), phone, draw(nasty_names()))
    return PersonRow(number + 2, ref, subject)


def _areas(draw: st.DrawFn, units: Sequence[UnitRow]) -> list[AreaRow]:
    kinds = ("assembly_constituency", "polling_area")
    keys = draw(st.lists(st.tuples(st.sampled_from(kinds), CODES), max_size=3, unique=True))
    inside = st.lists(st.sampled_from([unit.key for unit in units]), max_size=4, unique=True)
    return [
        AreaRow(row, kind, code, draw(nasty_names()), tuple(draw(inside)))
        for row, (kind, code) in enumerate(keys, start=2)
    ]


def _appointments(
    draw: st.DrawFn, unit: UnitRow, persons: Sequence[PersonRow]
) -> list[AppointmentRow]:
    rows: list[AppointmentRow] = []
    for position in BLUEPRINT.positions:
        if unit.key.level not in position.levels:
            continue
        most = min(position.seats or 3, len(persons))
        for person in draw(st.lists(st.sampled_from(persons), max_size=most, unique=True)):
            begins = draw(_INSTANTS)
            ends = draw(st.none() | st.timedeltas(timedelta(microseconds=1), timedelta(days=900)))
            rows.append(
                AppointmentRow(
                    len(rows) + 2,
                    unit.key,
                    position.key,
                    person.person,
                    begins,
                    begins + ends if ends else None,
                    draw(st.none() | _INSTANTS),
                )
            )
    return rows


def _teams(draw: st.DrawFn, unit: UnitRow, persons: Sequence[PersonRow]) -> list[TeamRow]:
    rows: list[TeamRow] = []
    for kind in BLUEPRINT.team_kinds:
        if unit.key.level not in kind.levels:
            continue
        teams = st.lists(nasty_names(), max_size=2, unique_by=lambda each: each.by_language["en"])
        for names in draw(teams):
            some = st.lists(st.sampled_from(persons), max_size=kind.max_members or 3, unique=True)
            members = [(each.person, draw(_ROLES)) for each in draw(some)]
            for person, role in members or [(NOBODY, "")]:
                rows.append(TeamRow(len(rows) + 2, unit.key, kind.key, names, person, role))
    return rows


@dataclass(frozen=True)
class Transfers:
    """A running hierarchy, and rows that come and go."""

    hierarchy: Hierarchy
    stub: TransfersServiceStub
    folder: Path

    @property
    def target(self) -> str:
        """Where it listens."""
        return f"unix:{self.folder}/grpc.sock"

    async def send(
        self, *messages: pb.ImportRowsRequest, caller: Caller | None = None
    ) -> tuple[list[pb.ImportProgress], pb.RowsReport]:
        """What was answered to these messages. Raises the error that was told."""

        async def sending() -> AsyncIterator[pb.ImportRowsRequest]:
            for message in messages:
                yield message

        stub: Any = self.stub
        async with self.around("ImportRows", caller) as options:
            parts = [part async for part in stub.ImportRows(sending(), **options)]
        *progress, last = parts
        assert all(part.HasField("progress") for part in progress)
        return [part.progress for part in progress], last.report

    async def put(
        self, kind: RowKind, *pages: Sequence[Row], caller: Caller | None = None, **header: Any
    ) -> pb.RowsReport:
        """The report of an import of these pages."""
        header = {"request_id": a_request_id(), "kind": NUMBERS[kind], **header}
        first = pb.ImportRowsRequest(header=pb.ImportRowsHeader(**header))
        rest = [pb.ImportRowsRequest(page=a_page(rows)) for rows in pages]
        return (await self.send(first, *rest, caller=caller))[1]

    async def export(
        self, caller: Caller | None = None, **request: Any
    ) -> tuple[pb.ExportHeader, pb.RowPage]:
        """The header of an export, and all of its rows as one page."""
        stub: Any = self.stub
        async with self.around("ExportRows", caller) as options:
            stream = stub.ExportRows(pb.ExportRowsRequest(**request), **options)
            first, *rest = [part async for part in stream]
        rows = pb.RowPage()
        for part in rest:
            rows.MergeFrom(part.page)
        return first.header, rows

    async def fill(self, organisation: Organisation, caller: Caller | None = None) -> None:
        """Put all of an organisation into a tenant that has nothing but the blueprint."""
        report = await self.hierarchy.send_import(import_messages(organisation.units), caller)
        assert not report.errors
        for kind in NUMBERS:
            rows: Sequence[Row] = getattr(organisation, kind)
            done = await self.put(kind, rows, caller=caller)
            assert not done.errors, done.errors
            assert done.created_count == len(rows)

    async def save(self, folder: Path, suffix: str, caller: Caller) -> None:
        """Write all of a tenant to files, as the command line does."""
        for what in ORDER:
            file = folder / f"{what}{suffix}"
            with file.open("wb") as to:
                await export_rows(
                    KINDS[what],
                    file,
                    to,
                    self.target,
                    caller.token,
                    selection=Selection(with_ended=True),
                    progress=lambda _: None,
                )

    async def load(self, folder: Path, suffix: str, caller: Caller) -> list[ImportOutcome]:
        """Read all files into a tenant, as the command line does; those without rows left out."""
        outcomes = []
        for what in ORDER:
            file = folder / f"{what}{suffix}"
            outcome = await self.load_file(what, file, caller)
            if [each.reason for each in outcome.problems] != ["MISSING"]:
                outcomes.append(outcome)
        return outcomes

    async def load_file(
        self, what: str, file: Path, caller: Caller | None = None, *, dry_run: bool = False
    ) -> ImportOutcome:
        """Read one file into a tenant, as the command line does."""
        token = (caller or self.hierarchy.caller).token
        if what == "units":
            return await import_units(
                file, self.target, token, dry_run=dry_run, progress=lambda _: lambda _: None
            )
        return await import_rows(
            KINDS[what],
            file,
            self.target,
            token,
            dry_run=dry_run,
            request_id=a_request_id(),
            progress=lambda _: lambda _rows, _problems: None,
        )

    async def header(self, tenant: str = "neem") -> TenantHeader:
        """The tenant's header."""
        return await self.hierarchy.store.graph.header(TenantId(tenant))

    async def graph(self, tenant: str = "neem") -> Mapping[str, object]:
        """All that a tenant has, by what people know it by."""
        return await _Graph(self, TenantId(tenant)).read()

    def secrets(self) -> Secrets:
        """The secrets as another process over the same store has them."""
        store = self.hierarchy.store
        return Secrets(store.graph, KeyFile(self.folder / KEY_FILE), store.ids)

    def around(self, method: str, caller: Caller | None) -> Any:
        """What stands around a call."""
        caller = caller or self.hierarchy.caller
        return outgoing(
            f"{SERVICE_NAME}/{method}",
            deadline=Deadline.after(60),
            token=caller.token,
            tenant=caller.named_tenant,
        )


@dataclass
class _Graph:
    transfers: Transfers
    tenant: TenantId

    async def read(self) -> Mapping[str, object]:
        units = {each.id: each for each in await self._all(Unit)}
        persons = await self._all(Person)
        header = await self._graph.header(self.tenant)
        phones = await self.transfers.secrets().open(header, persons)
        keys = {each.id: each.key for each in units.values()}
        return {
            "units": {
                each.key: (each.names, each.parent_id and keys[each.parent_id], each.place)
                for each in units.values()
            },
            "areas": await self._areas(keys),
            "persons": {
                each.id: (each.names, phones[each.id].e164 if each.phone else "", each.subject)
                for each in persons
            },
            "appointments": sorted(
                (keys[x.unit_id], x.position, x.person_id, x.valid_from, x.valid_to, x.verified_at)
                for x in await self._all(Appointment)
            ),
            "teams": await self._teams(keys),
        }

    @property
    def _graph(self) -> OrgGraph:
        return self.transfers.hierarchy.store.graph

    async def _all(self, of: type[R]) -> Sequence[R]:
        return await self._graph.page(self.tenant, of, limit=10_000)

    async def _areas(self, keys: Mapping[UnitId, UnitKey]) -> object:
        areas = await self._all(Area)
        links = await self._graph.find(self.tenant, AREA_LINKS_BY_AREA, [x.id for x in areas])
        return {
            each.key: (
                each.names,
                sorted(keys[link.unit_id] for link in links.value.get(each.id, ())),
            )
            for each in areas
        }

    async def _teams(self, keys: Mapping[UnitId, UnitKey]) -> object:
        teams = await self._all(Team)
        found = await self._graph.find(self.tenant, MEMBERSHIPS_BY_TEAM, [x.id for x in teams])
        return {
            (keys[each.unit_id], each.kind, each.names): sorted(
                (member.person_id, member.role) for member in found.value.get(each.id, ())
            )
            for each in teams
        }


def a_page(rows: Sequence[Row]) -> pb.RowPage:
    """The rows as one page, with their numbers."""
    page = pb.RowPage()
    for part in pages_to_proto(rows):
        page.MergeFrom(part)
    for kind in NUMBERS:
        for message, row in zip(getattr(page, kind), rows, strict=False):
            message.row = row.row
    return page


@asynccontextmanager
async def transferring(
    folder: Path, *tenants: str, neo4j: Neo4jAt | None = None
) -> AsyncIterator[Transfers]:
    """A server whose tenants (`neem` if none is named) have a blueprint and nothing else."""
    async with (
        running(folder, FakeClock(), neo4j=neo4j) as hierarchy,
        open_channel(f"unix:{folder}/grpc.sock", service=SERVICE_NAME) as channel,
    ):
        for tenant in tenants or ("neem",):
            await hierarchy.put(BLUEPRINT, a_caller(tenant))
        yield Transfers(hierarchy, TransfersServiceStub(channel), folder)
