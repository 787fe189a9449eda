"""A blueprint under a living tree, over gRPC: what people hold is asked of the store itself."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from chaupal.hierarchy.v1 import hierarchy_pb2 as pb

from kit.clock import FakeClock
from kit.errors import ChaupalError, Forbidden, InvalidInput, PreconditionFailed
from kit.ids import SeededIds
from kit.tokens import Caller
from services.hierarchy.domain.errors import HoldersChanged
from services.hierarchy.domain.model import Blueprint, Grant, Position, TeamKind, TenantId, UnitId
from services.hierarchy.domain.people import Appointment, AppointmentId, PersonId
from services.hierarchy.translate.blueprints import blueprint_to_proto
from services.hierarchy.use_cases.access import Access
from services.hierarchy.use_cases.blueprints import Blueprints
from services.hierarchy.use_cases.trees import Trees
from tests.builders_hierarchy import a_blueprint, a_row, text
from tests.hierarchy_operations import keeping
from tests.hierarchy_server import Hierarchy, a_caller, running

NEEM = TenantId("neem")
DAY = timedelta(days=1)
STATE = ("state", "RJ")
CONVENOR = Position("convenor", text("Convenor"), ("state", "district"), grants=(Grant("view"),))
MEMBER = Position("member", text("Member"), ("state", "district", "mandal"), seats=0)
CORE = TeamKind("core", text("Core team"), ("state",))
STANDS = replace(a_blueprint(), positions=(CONVENOR, MEMBER), team_kinds=(CORE,))


def with_positions(*positions: Position) -> Blueprint:
    return replace(STANDS, positions=positions)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def hierarchy(tmp_path: Path, clock: FakeClock) -> AsyncIterator[Hierarchy]:
    """A state with three districts, each with a member and the first with three."""
    async with running(tmp_path, clock) as server:
        await server.put(STANDS)
        districts = [a_row("district", code, under=STATE) for code in ("AJM", "JPR", "KTA")]
        await server.import_rows(a_row(*STATE), *districts)
        units = [await server.unit("district", row.key.code) for row in districts]
        await server.appoint("member-1", "member", *units)
        await server.appoint("member-2", "member", units[0])
        await server.appoint("member-3", "member", units[0])
        yield server


async def put(
    hierarchy: Hierarchy, draft: Blueprint, *, validate_only: bool = False
) -> pb.PutBlueprintResponse:
    request = pb.PutBlueprintRequest(
        blueprint=blueprint_to_proto(draft), validate_only=validate_only
    )
    response: pb.PutBlueprintResponse = await hierarchy.call("PutBlueprint", request)
    return response


async def refusal(hierarchy: Hierarchy, draft: Blueprint) -> ChaupalError:
    """Why a put is refused, as a preview is too; nothing changes."""
    before = await hierarchy.store.graph.header(NEEM)
    told = []
    for validate_only in (True, False):
        with pytest.raises(PreconditionFailed) as refused:
            await put(hierarchy, draft, validate_only=validate_only)
        told.append((refused.value.reason, refused.value.message))
    assert told[0] == told[1]
    assert told[0][0] == "BLUEPRINT_IN_USE"
    assert await hierarchy.store.graph.header(NEEM) == before
    return refused.value


def told(differences: Sequence[pb.BlueprintDifference]) -> list[tuple[str, str, str, int]]:
    return [(each.path, each.before, each.after, each.affected_count) for each in differences]


async def test_a_preview_tells_what_a_put_then_tells_and_does(hierarchy: Hierarchy) -> None:
    draft = with_positions(CONVENOR, replace(MEMBER, seats=3, roles=("monitor",)))

    preview = await put(hierarchy, draft, validate_only=True)
    stood = await hierarchy.call("GetBlueprint", pb.GetBlueprintRequest())
    real = await put(hierarchy, draft)
    again = await put(hierarchy, draft)

    assert told(preview.differences) == [
        ("positions[member].seats", "any number", "3", 5),
        ("positions[member].roles", "", "monitor", 5),
    ]
    assert preview == real
    assert stood.blueprint == blueprint_to_proto(replace(STANDS, version=1))
    assert (real.blueprint.version, again.blueprint.version) == (2, 2)
    assert told(again.differences) == []


async def test_the_first_blueprint_differs_in_everything(tmp_path: Path) -> None:
    async with running(tmp_path) as hierarchy:
        answer = await put(hierarchy, STANDS)
    assert ("positions[member]", "", "Member", 0) in told(answer.differences)


async def test_a_position_that_is_held_stays(hierarchy: Hierarchy) -> None:
    error = await refusal(hierarchy, with_positions(CONVENOR))

    assert error.fields() == {"levels": "", "positions": "member", "team_kinds": ""}
    assert "the position member has 5 appointments in force" in error.message
    assert (await put(hierarchy, with_positions(MEMBER))).blueprint.version == 2


async def test_a_position_stays_on_the_levels_on_which_it_is_held(hierarchy: Hierarchy) -> None:
    error = await refusal(
        hierarchy, with_positions(CONVENOR, replace(MEMBER, levels=("state", "mandal")))
    )
    elsewhere = with_positions(CONVENOR, replace(MEMBER, levels=("district",)))

    assert "held in 3 units of the level district" in error.message
    assert (await put(hierarchy, elsewhere)).blueprint.version == 2


async def test_there_stay_seats_for_all_who_sit(hierarchy: Hierarchy) -> None:
    error = await refusal(hierarchy, with_positions(CONVENOR, replace(MEMBER, seats=2)))
    enough = with_positions(CONVENOR, replace(MEMBER, seats=3))

    assert "held by 3 in one unit, above 2" in error.message
    assert (await put(hierarchy, enough)).blueprint.version == 2


async def test_one_seat_is_enough_where_each_unit_has_one_holder(hierarchy: Hierarchy) -> None:
    units = [await hierarchy.unit("district", code) for code in ("AJM", "JPR")]
    two = with_positions(replace(CONVENOR, seats=2), MEMBER)
    await put(hierarchy, two)
    await hierarchy.appoint("convenor-1", "convenor", *units)

    assert (await put(hierarchy, STANDS)).blueprint.version == 3


async def test_an_appointment_in_force_counts_and_one_that_ended_or_is_to_begin_does_not(
    hierarchy: Hierarchy, clock: FakeClock
) -> None:
    unit = await hierarchy.unit(*STATE)
    now = clock.now()
    await hierarchy.appoint("convenor-1", "convenor", unit, valid_from=now, valid_to=now + DAY)
    await hierarchy.appoint("convenor-2", "convenor", unit, valid_from=now + 2 * DAY)

    assert "1 appointment in force" in (await refusal(hierarchy, with_positions(MEMBER))).message
    clock.advance(DAY)
    assert (await put(hierarchy, with_positions(MEMBER))).blueprint.version == 2


async def test_everything_wrong_with_positions_and_teams_is_named(hierarchy: Hierarchy) -> None:
    draft = replace(
        STANDS,
        positions=(replace(MEMBER, levels=("ward",), grants=(Grant("fly", ("poets",)),)),),
        team_kinds=(replace(CORE, levels=()),),
        centre_level="booth",
        verification_days=-1,
    )

    with pytest.raises(InvalidInput) as refused:
        await put(hierarchy, draft)

    assert [(each.field, each.reason) for each in refused.value.violations] == [
        ("blueprint.positions[0].levels[0]", "UNKNOWN_LEVEL"),
        ("blueprint.positions[0].grants[0].capability", "UNKNOWN_CAPABILITY"),
        ("blueprint.positions[0].grants[0].categories[0]", "UNKNOWN_CATEGORY"),
        ("blueprint.team_kinds[0].levels", "MISSING"),
        ("blueprint.centre_level", "NOT_TOP_LEVEL"),
        ("blueprint.verification_days", "OUT_OF_RANGE"),
    ]


async def test_whoever_sees_all_but_administers_nothing_puts_nothing(hierarchy: Hierarchy) -> None:
    request = pb.PutBlueprintRequest(blueprint=blueprint_to_proto(STANDS), validate_only=True)
    with pytest.raises(Forbidden):
        await hierarchy.call("PutBlueprint", request, a_caller(capabilities=("view",)))


class Appointing:
    """The graph itself, in which somebody is appointed right after it was asked who holds what."""

    def __init__(self, hierarchy: Hierarchy, unit_id: str, times: int) -> None:
        self._graph = hierarchy.store.graph
        self._unit_id = UnitId(unit_id)
        self.left = times

    def __getattr__(self, name: str) -> Any:
        return getattr(self._graph, name)

    async def tally(self, *arguments: Any, **named: Any) -> Any:
        answer = await self._graph.tally(*arguments, **named)
        if self.left:
            self.left -= 1
            ids = SeededIds(self.left)
            began = datetime(2020, 1, 1, tzinfo=UTC)
            await self._graph.write(
                NEEM,
                keeping(
                    Appointment(
                        AppointmentId(ids.new()),
                        self._unit_id,
                        "convenor",
                        PersonId(ids.new()),
                        began,
                        None,
                        None,
                        1,
                    )
                ),
            )
        return answer


@pytest.fixture
async def administrator() -> Caller:
    expires = datetime(2100, 1, 1, tzinfo=UTC)
    return Caller("user", NEEM, "user", frozenset({"administer"}), expires, "")


def blueprints(graph: Any, clock: FakeClock) -> Blueprints:
    return Blueprints(graph, Access(graph, Trees(graph), clock), clock, SeededIds(3))


async def test_whoever_is_appointed_meanwhile_is_not_overlooked(
    hierarchy: Hierarchy, clock: FakeClock, administrator: Caller
) -> None:
    graph = Appointing(hierarchy, (await hierarchy.unit(*STATE)).id, 1)

    with pytest.raises(PreconditionFailed) as refused:
        await blueprints(graph, clock).put(
            administrator, with_positions(MEMBER), validate_only=False
        )

    assert "the position convenor has 1 appointment in force" in refused.value.message


async def test_where_people_are_appointed_all_the_time_the_put_gives_up(
    hierarchy: Hierarchy, clock: FakeClock, administrator: Caller
) -> None:
    graph = Appointing(hierarchy, (await hierarchy.unit(*STATE)).id, 100)

    with pytest.raises(HoldersChanged):
        await blueprints(graph, clock).put(
            administrator, with_positions(CONVENOR), validate_only=False
        )

    assert graph.left == 95
