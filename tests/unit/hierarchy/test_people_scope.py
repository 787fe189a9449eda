"""A district convenor sees, counts and changes their own district, and nothing besides."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from chaupal.hierarchy.v1 import people_pb2 as pb

from kit.errors import ChaupalError, Forbidden, NotFound
from services.hierarchy.domain.people import Appointment, Person
from services.hierarchy.domain.teams import Team, Watch
from services.hierarchy.translate.values import names_to_proto
from tests.builders_hierarchy import a_request_id, text
from tests.hierarchy_server import Caller, a_caller
from tests.people_server import NEEM, PeopleServer, staffed

HERE, THERE = "+919876500001", "+919876500002"


@dataclass(frozen=True)
class World:
    """Two districts, and the convenor of the first.

    Attributes:
        convenor: who asks.
        here: president of a booth of the convenor's district, and in a team there.
        there: the same of the other district, where they also watch.
        nobody: holds nothing.
    """

    server: PeopleServer
    convenor: Caller
    here: pb.Person
    there: pb.Person
    nobody: pb.Person
    appointment_here: pb.Appointment
    appointment_there: pb.Appointment
    team_there: pb.Team
    watch_there: pb.Watch

    async def refusal(self, request: Any, caller: Caller | None = None) -> ChaupalError:
        before = await self.state()
        with pytest.raises(ChaupalError) as refused:
            await self.server.call(request, caller or self.convenor)
        assert await self.state() == before
        return refused.value

    async def state(self) -> list[Any]:
        graph = self.server.hierarchy.store.graph
        pages = [await graph.page(NEEM, of, limit=100) for of in (Person, Appointment, Team, Watch)]
        return [await graph.header(NEEM), pages]

    async def call(self, request: Any) -> Any:
        return await self.server.call(request, self.convenor)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with staffed(tmp_path) as server:
        district = await server.hierarchy.unit("district", "JPR")
        convenor = await server.hierarchy.appoint("convenor", "district_convenor", district)
        here, there = await server.person("Here", HERE), await server.person("There", THERE)
        here_held = await server.appoint("booth", "B1", "president", here)
        there_held = await server.appoint("booth", "C1", "president", there)
        await server.appoint("state", "RJ", "monitor", there)
        teams = [
            await put_team(server, await server.unit_id("district", code), person)
            for code, person in (("JPR", here), ("AJM", there))
        ]
        watch = await server.call(
            pb.AssignWatchRequest(
                unit_id=await server.unit_id("district", "AJM"),
                person_id=there.id,
                request_id=a_request_id(),
            )
        )
        yield World(
            server,
            convenor,
            here,
            there,
            await server.person("Nobody"),
            here_held,
            there_held,
            teams[1],
            watch.watch,
        )


async def put_team(server: PeopleServer, unit_id: str, *members: pb.Person) -> pb.Team:
    team = pb.Team(
        unit_id=unit_id,
        kind="it_cell",
        names=names_to_proto(text("Cell")),
        members=[pb.TeamMember(person_id=each.id, role="member") for each in members],
    )
    reply = await server.call(pb.PutTeamRequest(team=team, request_id=a_request_id()))
    made: pb.Team = reply.team
    return made


async def test_persons_are_seen_where_they_hold_something(world: World) -> None:
    results = await world.server.get(
        world.here.id, world.there.id, world.nobody.id, unmask=True, caller=world.convenor
    )

    assert results[0].person.phone == HERE
    assert [each.status.code for each in results[1:]] == [5, 5]
    found = await world.call(pb.FindPersonByPhoneRequest(phone=HERE))
    assert (found.person.id, found.person.phone_masked) == (world.here.id, True)
    for phone in (THERE, "+919876500003"):
        refused = await world.refusal(pb.FindPersonByPhoneRequest(phone=phone))
        assert (refused.reason, refused.fields()) == ("PERSON_NOT_FOUND", {})


async def test_who_held_something_is_still_seen_but_not_their_number(world: World) -> None:
    team = (await world.call(pb.BatchListTeamsRequest(
        unit_ids=[await world.server.unit_id("district", "JPR")]
    ))).results[0].teams.teams[0]  # fmt: skip
    await world.call(pb.PutTeamRequest(team=pb.Team(id=team.id), closed=True,
                                       request_id=a_request_id()))  # fmt: skip
    await world.call(
        pb.EndAppointmentsRequest(ids=[world.appointment_here.id], request_id=a_request_id())
    )

    (result,) = await world.server.get(world.here.id, unmask=True, caller=world.convenor)

    assert result.person.id == world.here.id
    assert (result.person.phone_masked, result.person.phone) == (True, world.here.phone)


async def test_everybody_sees_themself(world: World) -> None:
    await world.server.person("Login", "+919876500009", subject="login")
    me = (await world.server.call(pb.FindPersonByPhoneRequest(phone="+919876500009"))).person
    myself = a_caller(capabilities=(), subject="login")

    mine, other = await world.server.get(me.id, world.here.id, unmask=True, caller=myself)

    assert (mine.person.names, mine.person.phone_masked) == (me.names, True)
    assert other.status.code == 5


async def test_lists_and_counts_end_at_the_border(world: World) -> None:
    server = world.server
    here = await server.unit_id("booth", "B1")
    there = await server.unit_id("booth", "C1")
    ajm = await server.unit_id("district", "AJM")

    by_unit = await world.call(pb.BatchListUnitAppointmentsRequest(unit_ids=[here, there]))
    assert [each.person_id for each in by_unit.results[0].appointments.appointments] == [
        world.here.id
    ]
    assert by_unit.results[1].status.code == 5
    by_person = await world.call(
        pb.BatchListPersonAppointmentsRequest(person_ids=[world.here.id, world.there.id])
    )
    assert [each.WhichOneof("result") for each in by_person.results] == ["appointments", "status"]
    counts = await world.call(pb.CountAppointmentsRequest())
    assert {(each.position, each.appointment_count) for each in counts.counts} == {
        ("district_convenor", 1),
        ("president", 1),
    }
    vacant = await world.call(pb.ListVacanciesRequest(position="president", level="booth"))
    assert (vacant.total_count, vacant.unit_count) == (1, 2)
    assert list(vacant.unit_ids) == [await server.unit_id("booth", "B2")]
    queue = await world.call(pb.ListVerificationQueueRequest(position="president"))
    assert [each.id for each in queue.appointments] == [world.appointment_here.id]
    unwatched = await world.call(pb.ListUnwatchedRequest(level="district"))
    assert list(unwatched.unit_ids) == [await server.unit_id("district", "JPR")]
    assert list((await world.call(pb.ListWatchesRequest())).watches) == []
    for request in (
        pb.CountAppointmentsRequest(within_unit_id=ajm),
        pb.ListVacanciesRequest(position="president", level="booth", within_unit_id=ajm),
        pb.ListVerificationQueueRequest(within_unit_id=ajm),
        pb.ListUnwatchedRequest(level="booth", within_unit_id=ajm),
    ):
        refused = await world.refusal(request)
        assert (refused.reason, refused.fields()) == ("UNIT_NOT_FOUND", {"unit_id": ajm})
    hidden = await world.refusal(pb.ListWatchesRequest(person_id=world.there.id))
    assert hidden.reason == "PERSON_NOT_FOUND"
    batches = (
        pb.BatchListTeamsRequest(unit_ids=[ajm]),
        pb.BatchGetWatchLinesRequest(unit_ids=[ajm]),
    )
    assert [(await world.call(each)).results[0].status.code for each in batches] == [5, 5]


async def test_a_person_s_other_offices_stay_hidden(world: World) -> None:
    await world.server.appoint("mandal", "N1", "secretary", world.here)

    reply = await world.call(pb.BatchListPersonAppointmentsRequest(person_ids=[world.here.id]))

    assert [each.id for each in reply.results[0].appointments.appointments] == [
        world.appointment_here.id
    ]


async def test_what_is_out_of_sight_cannot_be_changed_and_is_not_there(world: World) -> None:
    ids = [world.appointment_there.id]
    names = names_to_proto(text("Renamed"))
    booth = await world.server.unit_id("booth", "C1")
    for request, reason in (
        (pb.PutPersonRequest(id=world.there.id, names=names), "PERSON_NOT_FOUND"),
        (
            pb.AppointRequest(unit_id=booth, position="president", person_id=world.here.id),
            "UNIT_NOT_FOUND",
        ),
        (pb.EndAppointmentsRequest(ids=ids), "APPOINTMENT_NOT_FOUND"),
        (
            pb.VerifyAppointmentsRequest(ids=[world.appointment_here.id, *ids]),
            "APPOINTMENT_NOT_FOUND",
        ),
        (pb.PutTeamRequest(team=world.team_there), "TEAM_NOT_FOUND"),
        (pb.AssignWatchRequest(unit_id=booth, person_id=world.here.id), "UNIT_NOT_FOUND"),
        (pb.EndWatchRequest(id=world.watch_there.id), "WATCH_NOT_FOUND"),
    ):
        request.request_id = a_request_id()
        refused = await world.refusal(request)
        assert isinstance(refused, NotFound)
        assert refused.reason == reason


async def test_what_is_seen_but_not_administered_is_forbidden(world: World) -> None:
    """The president of a booth sees it, and may not change anything in it."""
    booth = await world.server.hierarchy.unit("booth", "B2")
    president = await world.server.hierarchy.appoint("president", "president", booth)
    held = (
        await world.server.call(pb.BatchListUnitAppointmentsRequest(unit_ids=[booth.id]))
    ).results[0].appointments.appointments[0]  # fmt: skip
    for request in (
        pb.AppointRequest(unit_id=booth.id, position="president", person_id=world.here.id),
        pb.EndAppointmentsRequest(ids=[held.id]),
        pb.VerifyAppointmentsRequest(ids=[held.id]),
        pb.AssignWatchRequest(unit_id=booth.id, person_id=world.here.id),
        pb.PutTeamRequest(
            team=pb.Team(unit_id=booth.id, kind="it_cell", names=names_to_proto(text("x")))
        ),
    ):
        request.request_id = a_request_id()
        refused = await world.refusal(request, president)
        assert isinstance(refused, Forbidden)
        assert refused.fields() == {"capability": "administer", "unit_id": booth.id}
    new = pb.PutPersonRequest(names=names_to_proto(text("New")), request_id=a_request_id())
    assert isinstance(await world.refusal(new, president), Forbidden)
    (whole,) = await world.server.get(held.person_id, unmask=True, caller=president)
    assert whole.person.subject == ""


async def test_a_person_is_changed_by_who_administers_all_that_they_hold(world: World) -> None:
    names = names_to_proto(text("Renamed"))
    request = pb.PutPersonRequest(id=world.here.id, names=names, request_id=a_request_id())
    assert (await world.call(request)).person.names == names
    await world.server.appoint("mandal", "N1", "secretary", world.here)

    again = names_to_proto(text("Renamed again"))
    refused = await world.refusal(
        pb.PutPersonRequest(id=world.here.id, names=again, request_id=a_request_id())
    )

    assert isinstance(refused, Forbidden)
    assert refused.fields() == {"capability": "administer", "unit_id": ""}


async def test_a_convenor_brings_in_somebody_new(world: World) -> None:
    person = await world.server.person("New", "+919876500010", caller=world.convenor)
    assert (await world.server.get(person.id, caller=world.convenor))[0].status.code == 5
    booth = await world.server.unit_id("booth", "B2")

    await world.call(
        pb.AppointRequest(
            unit_id=booth, position="president", person_id=person.id, request_id=a_request_id()
        )
    )

    assert (await world.server.get(person.id, caller=world.convenor))[0].person == person


async def test_a_monitor_may_verify_and_no_more(world: World) -> None:
    state = await world.server.hierarchy.unit("state", "RJ")
    monitor = await world.server.hierarchy.appoint("monitor-1", "monitor", state)
    ids = [world.appointment_there.id]

    reply = await world.server.call(
        pb.VerifyAppointmentsRequest(ids=ids, request_id=a_request_id()), monitor
    )
    refused = await world.refusal(
        pb.EndAppointmentsRequest(ids=ids, request_id=a_request_id()), monitor
    )

    assert reply.appointments[0].verification == pb.VERIFICATION_STATE_VERIFIED
    assert isinstance(refused, Forbidden)


async def test_another_tenant_sees_and_changes_nothing(world: World) -> None:
    peepal = a_caller(tenant="peepal")
    names = names_to_proto(text("Renamed"))
    booth = await world.server.unit_id("booth", "B1")

    assert (await world.server.get(world.here.id, caller=peepal))[0].status.code == 5
    for request, reason in (
        (pb.FindPersonByPhoneRequest(phone=HERE), "PERSON_NOT_FOUND"),
        (
            pb.PutPersonRequest(id=world.here.id, names=names, request_id=a_request_id()),
            "PERSON_NOT_FOUND",
        ),
        (pb.ErasePersonRequest(id=world.here.id, request_id=a_request_id()), "PERSON_NOT_FOUND"),
        (pb.CountAppointmentsRequest(within_unit_id=booth), "UNIT_NOT_FOUND"),
    ):
        assert (await world.refusal(request, peepal)).reason == reason
    assert list((await world.server.call(pb.CountAppointmentsRequest(), peepal)).counts) == []
