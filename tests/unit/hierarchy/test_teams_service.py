"""Teams and watches over gRPC: who is in them, who answers for what, and what nobody watches."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from chaupal.hierarchy.v1 import people_pb2 as pb

from kit.errors import ChaupalError, InvalidInput
from services.hierarchy.domain.teams import Watch
from services.hierarchy.translate.values import names_to_proto, timestamp
from tests.builders_hierarchy import BEGINNING, a_request_id, a_row, text
from tests.builders_people import DAY
from tests.people_server import NEEM, PeopleServer, staffed


@pytest.fixture
async def people(tmp_path: Path) -> AsyncIterator[PeopleServer]:
    async with staffed(tmp_path) as server:
        yield server


async def refusal(people: PeopleServer, request: Any) -> ChaupalError:
    graph = people.hierarchy.store.graph
    before = await graph.header(NEEM), await graph.page(NEEM, Watch, limit=100)
    with pytest.raises(ChaupalError) as refused:
        await people.call(request)
    assert before == (await graph.header(NEEM), await graph.page(NEEM, Watch, limit=100))
    return refused.value


async def monitor(people: PeopleServer, name: str) -> pb.Person:
    """A monitor appointed at the state."""
    person = await people.person(name)
    await people.appoint("state", "RJ", "monitor", person)
    return person


async def watch(
    people: PeopleServer, level: str, code: str, person: pb.Person, **more: Any
) -> pb.AssignWatchResponse:
    unit_id = await people.unit_id(level, code)
    request = pb.AssignWatchRequest(
        unit_id=unit_id, person_id=person.id, request_id=a_request_id(), **more
    )
    reply: pb.AssignWatchResponse = await people.call(request)
    return reply


async def line(people: PeopleServer, level: str, code: str, **more: Any) -> pb.WatchLine:
    unit_id = await people.unit_id(level, code)
    (result,) = (
        await people.call(pb.BatchGetWatchLinesRequest(unit_ids=[unit_id], **more))
    ).results
    found: pb.WatchLine = result.line
    return found


def a_team(unit_id: str, *members: pb.Person, kind: str = "it_cell", **more: Any) -> pb.Team:
    return pb.Team(
        unit_id=unit_id,
        kind=kind,
        names=names_to_proto(text("Cell")),
        members=[pb.TeamMember(person_id=each.id, role="member") for each in members],
        **more,
    )


async def test_teams_are_listed_as_they_stand_or_stood(people: PeopleServer) -> None:
    asha, bela = await people.person("Asha"), await people.person("Bela")
    unit = await people.unit_id("district", "JPR")
    request = pb.PutTeamRequest(team=a_team(unit, asha), request_id=a_request_id())
    made = (await people.call(request)).team
    people.clock.advance(DAY)
    changed = (
        await people.call(
            pb.PutTeamRequest(team=a_team(unit, bela, id=made.id), request_id=a_request_id())
        )
    ).team

    async def listed(**more: Any) -> list[pb.Team]:
        asked = pb.BatchListTeamsRequest(unit_ids=[unit, a_request_id()], **more)
        one, missing = (await people.call(asked)).results
        assert missing.status.code == 5
        return list(one.teams.teams)

    assert (made.etag, changed.etag, made.valid_from) == ("1", "2", timestamp(BEGINNING))
    assert [(each.person_id, each.valid_from) for each in changed.members] == [
        (bela.id, timestamp(BEGINNING + DAY))
    ]
    assert await listed() == [changed]
    (then,) = await listed(as_of=timestamp(BEGINNING))
    assert [each.person_id for each in then.members] == [asha.id]
    closing = pb.PutTeamRequest(team=pb.Team(id=made.id), closed=True, request_id=a_request_id())
    await people.call(closing)
    assert await listed() == []


async def test_all_that_is_wrong_with_a_team_is_told(people: PeopleServer) -> None:
    asha = await people.person("Asha")
    team = pb.Team(
        kind="IT",
        members=[
            pb.TeamMember(person_id=asha.id, role="lead"),
            pb.TeamMember(person_id=asha.id, role="a b"),
        ],
    )

    refused = await refusal(people, pb.PutTeamRequest(team=team))

    assert isinstance(refused, InvalidInput)
    assert [(each.field, each.reason) for each in refused.violations] == [
        ("request_id", "MISSING"),
        ("team.unit_id", "MISSING"),
        ("team.kind", "BAD_KEY"),
        ("team.names", "MISSING"),
        ("team.members[1].role", "BAD_KEY"),
        ("team.members[1].person_id", "DUPLICATE_MEMBER"),
    ]


async def test_the_line_goes_from_the_monitor_to_the_convenor_and_the_centre(
    people: PeopleServer,
) -> None:
    asha, bela = await monitor(people, "Asha"), await monitor(people, "Bela")
    convenor = await people.appoint(
        "state", "RJ", "state_convenor", await people.person("Convenor")
    )
    own = (await watch(people, "district", "JPR", asha)).watch
    covering = {"covers_watch_id": own.id, "valid_to": timestamp(BEGINNING + 9 * DAY)}
    cover = (await watch(people, "district", "JPR", bela, **covering)).watch

    found = await line(people, "booth", "B1")

    assert found == pb.WatchLine(
        watches=[cover, own],
        convenors=[convenor],
        centre_unit_id=await people.unit_id("state", "RJ"),
        centre_heads=[convenor],
    )
    assert await line(people, "district", "JPR") == found
    assert list((await line(people, "booth", "C1")).watches) == []
    later = await line(people, "booth", "B1", as_of=timestamp(BEGINNING + 9 * DAY))
    assert list(later.watches) == [own]


async def test_the_nearest_watch_answers(people: PeopleServer) -> None:
    asha, bela = await monitor(people, "Asha"), await monitor(people, "Bela")
    above = (await watch(people, "district", "JPR", asha)).watch
    near = (await watch(people, "mandal", "M1", bela)).watch

    assert list((await line(people, "booth", "B1")).watches) == [near]
    assert list((await line(people, "mandal", "M2")).watches) == [above]
    await people.call(pb.EndWatchRequest(id=near.id, request_id=a_request_id()))
    assert list((await line(people, "booth", "B1")).watches) == [above]


async def test_the_next_monitor_relieves_the_one_before(people: PeopleServer) -> None:
    asha, bela = await monitor(people, "Asha"), await monitor(people, "Bela")
    first = (await watch(people, "district", "JPR", asha)).watch
    people.clock.advance(DAY)

    reply = await watch(people, "district", "JPR", bela)

    first.valid_to.CopyFrom(timestamp(BEGINNING + DAY))
    assert list(reply.ended) == [first]
    assert list((await line(people, "district", "JPR")).watches) == [reply.watch]


async def test_a_preview_of_a_watch_changes_nothing(people: PeopleServer) -> None:
    asha = await monitor(people, "Asha")

    reply = await watch(people, "district", "JPR", asha, validate_only=True)

    assert reply.watch.person_id == asha.id
    assert await people.hierarchy.store.graph.page(NEEM, Watch, limit=1) == []


async def test_a_cover_needs_an_end(people: PeopleServer) -> None:
    asha, bela = await monitor(people, "Asha"), await monitor(people, "Bela")
    own = (await watch(people, "district", "JPR", asha)).watch
    request = pb.AssignWatchRequest(
        unit_id=own.unit_id,
        person_id=bela.id,
        covers_watch_id=own.id,
        request_id=a_request_id(),
    )

    refused = await refusal(people, request)

    assert isinstance(refused, InvalidInput)
    assert [(each.field, each.reason) for each in refused.violations] == [("valid_to", "MISSING")]


async def test_what_nobody_watches_is_listed_and_counted(people: PeopleServer) -> None:
    rows = [a_row("booth", f"Y{number}", under=("mandal", "N1")) for number in range(4)]
    await people.hierarchy.import_rows(*rows)
    await watch(people, "district", "JPR", await monitor(people, "Asha"))
    await watch(people, "booth", "Y2", await monitor(people, "Bela"))
    request = pb.ListUnwatchedRequest(level="booth", page_size=3)

    first = await people.call(request)
    request.page_token = first.next_page_token
    second = await people.call(request)

    expected = [await people.unit_id("booth", code) for code in ("C1", "Y0", "Y1", "Y3")]
    assert [*first.unit_ids, *second.unit_ids] == expected
    assert (first.total_count, second.total_count, second.next_page_token) == (4, 4, "")
    state = await people.unit_id("state", "RJ")
    districts = await people.call(pb.ListUnwatchedRequest(level="district", within_unit_id=state))
    assert list(districts.unit_ids) == [await people.unit_id("district", "AJM")]
    assert (await refusal(people, pb.ListUnwatchedRequest(level="ward"))).reason == "UNKNOWN_LEVEL"


async def test_watches_are_listed_in_pre_order_in_pages(people: PeopleServer) -> None:
    asha, bela = await monitor(people, "Asha"), await monitor(people, "Bela")
    made = {
        code: (await watch(people, level, code, person)).watch
        for level, code, person in (
            ("mandal", "M2", asha),
            ("district", "AJM", bela),
            ("district", "JPR", bela),
            ("booth", "B1", asha),
        )
    }
    request = pb.ListWatchesRequest(page_size=3)

    first = await people.call(request)
    request.page_token = first.next_page_token
    second = await people.call(request)

    assert [*first.watches, *second.watches] == [made[code] for code in ("AJM", "JPR", "B1", "M2")]
    assert second.next_page_token == ""
    of_asha = await people.call(pb.ListWatchesRequest(person_id=asha.id))
    assert list(of_asha.watches) == [made["B1"], made["M2"]]
    before = pb.ListWatchesRequest(as_of=timestamp(BEGINNING - DAY))
    assert list((await people.call(before)).watches) == []
    nobody = await refusal(people, pb.ListWatchesRequest(person_id=a_request_id()))
    assert nobody.reason == "PERSON_NOT_FOUND"


async def test_a_watch_ends_with_the_office_of_its_monitor(people: PeopleServer) -> None:
    asha = await people.person("Asha")
    office = await people.appoint("state", "RJ", "monitor", asha)
    await watch(people, "district", "JPR", asha)
    people.clock.advance(DAY)

    await people.call(pb.EndAppointmentsRequest(ids=[office.id], request_id=a_request_id()))

    assert list((await line(people, "district", "JPR")).watches) == []
    again = pb.AssignWatchRequest(
        unit_id=await people.unit_id("district", "JPR"),
        person_id=asha.id,
        request_id=a_request_id(),
    )
    assert (await refusal(people, again)).reason == "NOT_A_MONITOR"
