"""The graph over the real hierarchy service and its embedded store: what is changed is then so."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette

from gateway.config import Settings
from tests.hierarchy_server import ISSUER, SERVICE_SUBJECT, Caller, a_caller
from tests.people_server import PeopleServer, staffed

from .examples import examples
from .fakes.servers import client, gateway
from .fakes.world import World

DAY = timedelta(days=1)
EXAMPLES = examples("hierarchy")


@dataclass(frozen=True)
class Live:
    """A staffed organisation, and a gateway in front of it."""

    people: PeopleServer
    app: Starlette

    async def ask(self, document: str, caller: Caller | None = None, **variables: Any) -> Any:
        """The data of an example by its name, or of a document; for the administrator."""
        example = EXAMPLES.get(document)
        token = (caller or self.people.hierarchy.caller).token
        async with client(self.app, World(), token) as asking:
            return await asking.data(example.text if example else document, **variables)

    async def change(self, name: str, caller: Caller | None = None, **given: Any) -> Any:
        """What an example mutation came to."""
        (result,) = (await self.ask(name, caller, input=given)).values()
        return result

    async def done(self, name: str, caller: Caller | None = None, **given: Any) -> Any:
        """What an example mutation made; it was not refused."""
        result = await self.change(name, caller, **given)
        assert "__typename" not in result, result
        return result

    async def unit(self, level: str, code: str) -> str:
        """The global id of a unit."""
        found = await self.ask(BY_CODE, level=level, code=code)
        return str(found["unitByCode"]["id"])

    async def person(self, name: str, **more: Any) -> str:
        """The global id of a new person."""
        put = await self.done("PutPerson", names=english(name), **more)
        return str(put["person"]["id"])

    async def appoint(self, unit: str, position: str, person: str) -> str:
        """The global id of a new appointment."""
        made = await self.done("Appoint", unitId=unit, position=position, personId=person)
        return str(made["appointment"]["id"])

    def later(self) -> str:
        """Lets a day pass; the instant before it."""
        before = self.people.clock.now()
        self.people.clock.advance(DAY)
        return before.isoformat()


BY_CODE = """query($level: String!, $code: String!) {
  unitByCode(level: $level, code: $code) { id } }"""


def english(text: str) -> list[dict[str, str]]:
    return [{"language": "en", "text": text}]


@pytest.fixture
async def live(tmp_path: Path) -> AsyncIterator[Live]:
    async with AsyncExitStack() as stack:
        people = await stack.enter_async_context(staffed(tmp_path))
        settings = Settings(
            oidc_issuer=ISSUER,
            oidc_jwks_file=tmp_path / "jwks.json",
            service_subjects=frozenset({SERVICE_SUBJECT}),
            hierarchy_target=f"unix:{tmp_path}/grpc.sock",
            groups_target=f"unix:{tmp_path}/groups.sock",
            messaging_target=f"unix:{tmp_path}/messaging.sock",
        )
        yield Live(people, await stack.enter_async_context(gateway(settings)))


async def test_a_booth_from_its_creation_to_its_watch(live: Live) -> None:
    """Created, staffed, moved with its mandal, and the past still as it was."""
    live.later()
    vacant = await live.ask("ToDo", level="booth", position="president")
    made = await live.done(
        "CreateUnit",
        unit={
            "level": "booth",
            "code": "B9",
            "names": [*english("Ajmeri Gate"), {"language": "hi", "text": "अजमेरी गेट"}],
            "parent": {"key": {"level": "mandal", "code": "M1"}},
        },
    )
    booth, mandal = made["unit"]["id"], await live.unit("mandal", "M1")
    more = await live.ask("ToDo", level="booth", position="president")
    assert more["vacancies"]["totalCount"] == vacant["vacancies"]["totalCount"] + 1
    assert more["vacancies"]["unitCount"] == vacant["vacancies"]["unitCount"] + 1

    asha = await live.person("Asha", phone="+919800000001")
    await live.appoint(booth, "president", asha)
    desk = await live.ask("UnitDesk", parentId=mandal)
    bearers = {each["code"]: each["appointments"]["nodes"] for each in desk["units"]["nodes"]}
    assert [each["person"]["name"]["text"] for each in bearers["B9"]] == ["Asha"]
    assert bearers["B1"] == []
    fewer = await live.ask("ToDo", level="booth", position="president")
    assert fewer["vacancies"]["totalCount"] == vacant["vacancies"]["totalCount"]
    assert {"position": "president", "verification": "UNVERIFIED", "appointmentCount": 1} in fewer[
        "appointmentCounts"
    ]

    before = live.later()
    ajmer = await live.unit("district", "AJM")
    preview = await live.done("MoveUnit", unitId=mandal, parentId=ajmer, validateOnly=True)
    assert preview["unit"] is None
    assert preview["report"]["applied"] is False
    assert (preview["report"]["movedCount"], preview["report"]["carriedCount"]) == (1, 3)
    assert preview["report"]["appointmentCarriedCount"] == 1
    assert preview["report"]["changes"][0]["before"]["parent"] == {"code": "JPR"}

    moved = await live.done(
        "Reorganise",
        steps=[{"move": {"unit": {"id": mandal}, "parent": {"id": ajmer}}}],
        treeVersion=preview["report"]["treeVersion"],
    )
    assert moved["report"]["applied"] is True
    now = "query($id: ID!, $at: DateTime) { unit(id: $id, asOf: $at) { ancestors { code } } }"
    assert await live.ask(now, id=booth) == {"unit": {"ancestors": codes("M1", "AJM", "RJ")}}
    then = await live.ask("Then", level="mandal", code="M1", asOf=before)
    assert then["unitByCode"]["parent"] == {"code": "JPR"}
    assert [each["code"] for each in then["unitByCode"]["children"]["nodes"]] == ["B1", "B2", "B9"]
    was = await live.ask(now, id=booth, at=before)
    assert was == {"unit": {"ancestors": codes("M1", "JPR", "RJ")}}
    past = await live.ask("Past", id=mandal)
    assert [each["parent"]["code"] for each in past["unitHistory"]["nodes"]] == ["AJM", "JPR"]

    await watched(live, ajmer, booth)


def codes(*codes: str) -> list[dict[str, str]]:
    return [{"code": each} for each in codes]


async def watched(live: Live, district: str, booth: str) -> None:
    """A monitor of the state watches the district, and so the booth."""
    state = await live.unit("state", "RJ")
    unwatched = await live.ask("ToDo", level="booth", position="president")
    chief, monitor = await live.person("Chitra"), await live.person("Mohan")
    refused = await live.change("AssignWatch", unitId=district, personId=monitor)
    assert (refused["__typename"], refused["reason"]) == ("NotPossible", "NOT_A_MONITOR")
    await live.appoint(state, "state_convenor", chief)
    await live.appoint(state, "monitor", monitor)
    watch = await live.done("AssignWatch", unitId=district, personId=monitor)

    line = (
        await live.ask(
            """query($id: ID!) { unit(id: $id) { watchLine { watches { id person { name { text } } }
            convenors { person { name { text } } } centre { code }
            centreHeads { position } } } }""",
            id=booth,
        )
    )["unit"]["watchLine"]
    assert line == {
        "watches": [{"id": watch["watch"]["id"], "person": {"name": {"text": "Mohan"}}}],
        "convenors": [{"person": {"name": {"text": "Chitra"}}}],
        "centre": {"code": "RJ"},
        "centreHeads": [{"position": "state_convenor"}],
    }
    left = await live.ask("ToDo", level="booth", position="president")
    assert left["unwatchedUnits"]["totalCount"] < unwatched["unwatchedUnits"]["totalCount"]
    listed = await live.ask("Who", id=monitor)
    assert [each["unit"]["code"] for each in listed["watches"]["nodes"]] == ["AJM"]
    ended = await live.done("EndWatch", watchId=watch["watch"]["id"])
    assert ended["watch"]["validTo"] is not None


async def test_whoever_holds_a_district_sees_that_district(live: Live) -> None:
    """Scope of an appointment: units, counts, search, people and writes."""
    await live.person("Far", phone="+919800000002")
    jaipur = await live.people.hierarchy.unit("district", "JPR")
    asha = await live.people.hierarchy.appoint("asha", "district_convenor", jaipur)
    district, mandal = await live.unit("district", "JPR"), await live.unit("mandal", "M1")
    far = await live.unit("district", "AJM")

    me = (await live.ask("Me", asha))["viewer"]
    assert [each["unit"]["code"] for each in me["appointments"]] == ["JPR"]
    assert {(each["capability"], each["unit"]["code"]) for each in me["grants"]} == {
        ("view", "JPR"),
        ("administer", "JPR"),
    }
    whole = await live.ask("{ unitCounts { level unitCount } }")
    seen = await live.ask("{ unitCounts { level unitCount } }", asha)
    assert counts(whole) == {"state": 1, "district": 2, "mandal": 3, "booth": 3}
    assert counts(seen) == {"state": 0, "district": 1, "mandal": 2, "booth": 2}
    desk = (await live.ask("UnitDesk", asha))["units"]
    assert (desk["totalCount"], [each["code"] for each in desk["nodes"]]) == (1, ["JPR"])
    assert desk["nodes"][0]["parent"] is None
    assert desk["nodes"][0]["ancestors"] == []
    todo = await live.ask("ToDo", asha, level="booth", position="president")
    assert (todo["vacancies"]["totalCount"], todo["vacancies"]["unitCount"]) == (2, 2)
    assert todo["unwatchedUnits"]["totalCount"] == 2
    assert [each["code"] for each in (await found(live, asha, "AJM"))] == []
    assert [each["code"] for each in (await found(live, asha, "M1"))] == ["M1"]
    assert (await live.ask("WhereAmI", asha, id=far))["unit"] is None
    assert (await live.ask("Whose", asha, phone="+919800000002"))["personByPhone"] is None

    unit = {"level": "booth", "code": "X1", "names": english("X")}
    refused = await live.change(
        "CreateUnit", asha, unit={**unit, "parent": {"key": {"level": "mandal", "code": "N1"}}}
    )
    assert (refused["__typename"], refused["reason"]) == ("InvalidInput", "UNKNOWN_UNIT")
    made = await live.done("CreateUnit", asha, unit={**unit, "parent": {"id": mandal}})
    assert made["unit"]["code"] == "X1"
    refused = await live.change("MoveUnit", asha, unitId=district, parentId=far)
    assert (refused["__typename"], refused["reason"]) == ("InvalidInput", "UNKNOWN_UNIT")
    assert (await live.ask(PARENT, id=district))["unit"]["parent"] == {"code": "RJ"}
    refused = await live.change("PutAreas", asha, areas=[AREA])
    assert (refused["__typename"], refused["capability"]) == ("NotAllowed", "administer")


PARENT = "query($id: ID!) { unit(id: $id) { parent { code } } }"
AREA = {"area": {"kind": "constituency", "code": "40", "names": english("Hawa Mahal")}}


def counts(data: Any) -> dict[str, int]:
    return {each["level"]: each["unitCount"] for each in data["unitCounts"]}


async def found(live: Live, caller: Caller, text: str) -> list[dict[str, Any]]:
    data = await live.ask("Find", caller, text=text)
    return [each["node"] for each in data["searchUnits"]["edges"]]


async def test_a_stranger_is_refused_and_knows_themself(live: Live) -> None:
    stranger = a_caller(capabilities=(), subject="nobody")
    me = (await live.ask("Me", stranger))["viewer"]
    assert (me["subject"], me["person"], me["appointments"], me["grants"]) == (
        "nobody",
        None,
        [],
        [],
    )
    async with client(live.app, World(), stranger.token) as asking:
        body = await asking.ask(
            '{ viewer { subject } unitCounts { level } searchUnits(query: "J") { nodes { id } } }'
        )
    assert body["data"] == {
        "viewer": {"subject": "nobody"},
        "unitCounts": None,
        "searchUnits": None,
    }
    assert {each["extensions"]["code"] for each in body["errors"]} == {"FORBIDDEN"}


async def test_a_person_from_their_office_to_being_forgotten(live: Live) -> None:
    district = await live.unit("district", "JPR")
    asha = await live.person("Asha", phone="+919800000001")
    refused = await live.change("PutPerson", names=english("Bina"), phone="+919800000001")
    assert (refused["__typename"], refused["reason"]) == ("AlreadyInUse", "PHONE_IN_USE")
    bina = await live.person("Bina")
    tenure = await live.appoint(district, "district_convenor", asha)
    again = await live.change(
        "Appoint", unitId=district, position="district_convenor", personId=asha
    )
    assert (again["__typename"], again["appointmentId"]) == ("AlreadyAppointed", tenure)
    taken = await live.change(
        "Appoint", unitId=district, position="district_convenor", personId=bina
    )
    assert (taken["__typename"], taken["seats"], taken["unitId"]) == ("SeatsTaken", 1, district)

    verified = await live.done("VerifyAppointments", appointmentIds=[tenure])
    assert verified["appointments"][0]["verification"] == "VERIFIED"
    queue = (await live.ask("ToDo", level="district", position="district_convenor"))[
        "verificationQueue"
    ]
    assert queue["nodes"] == []
    live.people.clock.advance(31 * DAY)
    queue = (await live.ask("ToDo", level="district", position="district_convenor"))[
        "verificationQueue"
    ]
    assert [each["verification"] for each in queue["nodes"]] == ["STALE"]

    whose = (await live.ask("Whose", phone="+919800000001"))["personByPhone"]
    assert whose["phone"]["isMasked"] is True
    assert whose["whole"] == {"number": "+919800000001", "isMasked": False}
    changed = await live.done(
        "PutPerson", personId=asha, names=english("Asha D"), etag=whose["etag"]
    )
    conflict = await live.change("PutPerson", personId=asha, clearPhone=True, etag=whose["etag"])
    assert (conflict["__typename"], conflict["reason"]) == ("Conflict", "PERSON_CHANGED")
    assert changed["person"]["name"] == {"text": "Asha D"}

    await live.done("EndAppointments", appointmentIds=[tenure])
    late = await live.change(
        "EndAppointments", appointmentIds=[tenure], validTo="2100-01-01T00:00:00Z"
    )
    assert (late["__typename"], late["reason"]) == ("NotPossible", "APPOINTMENT_ENDED")
    erased = await live.done("ErasePerson", personId=asha)
    assert erased["person"]["isErased"] is True
    assert erased["person"]["name"] is None
    held = (await live.ask("Who", id=asha))["person"]["appointments"]["nodes"]
    assert [each["unit"]["code"] for each in held] == ["JPR"]


TWICE = """mutation($there: MoveUnitInput!, $back: MoveUnitInput!, $appoint: AppointInput!) {
  there: moveUnit(input: $there) { ...Moved }
  back: moveUnit(input: $back) { ...Moved }
  appoint(input: $appoint) { ... on AppointSuccess { appointment { unit { ...Held } } } }
  end: closeUnit(input: {unitId: "", validateOnly: true}) { ... on Refusal { reason } }
}
fragment Moved on MoveUnitSuccess { unit { ...Held parent { code childCount } } }
fragment Held on Unit { appointments { nodes { position } } }"""


async def test_each_mutation_of_an_operation_reads_what_is_so_after_it(live: Live) -> None:
    mandal, asha = await live.unit("mandal", "M1"), await live.person("Asha")
    jaipur, ajmer = await live.unit("district", "JPR"), await live.unit("district", "AJM")
    data = await live.ask(
        TWICE,
        there={"unitId": mandal, "parentId": ajmer},
        back={"unitId": mandal, "parentId": jaipur},
        appoint={"unitId": mandal, "position": "secretary", "personId": asha},
    )
    nobody: dict[str, Any] = {"nodes": []}
    there, back = data["there"]["unit"], data["back"]["unit"]
    assert there == {"appointments": nobody, "parent": {"code": "AJM", "childCount": 2}}
    assert back == {"appointments": nobody, "parent": {"code": "JPR", "childCount": 2}}
    held = data["appoint"]["appointment"]["unit"]["appointments"]
    assert held == {"nodes": [{"position": "secretary"}]}
    assert data["end"] == {"reason": "BAD_ID"}


async def test_a_team_and_an_area(live: Live) -> None:
    mandal, booth = await live.unit("mandal", "M1"), await live.unit("booth", "B1")
    asha = await live.person("Asha")
    member = {"personId": asha, "role": "lead"}
    team = {"unitId": mandal, "kind": "it_cell", "names": english("Cell"), "members": [member]}
    put = (await live.done("PutTeam", team=team))["team"]
    assert (put["unit"], put["members"]["nodes"][0]["person"]) == ({"code": "M1"}, {"id": asha})
    wrong = await live.change("PutTeam", team={**team, "members": [member, member]})
    assert [each["field"] for each in wrong["violations"]] == ["team.members[1].personId"]
    await live.done("PutTeam", team={"id": put["id"]}, closed=True)
    ended = await live.change("PutTeam", team={"id": put["id"], "names": english("New")})
    assert (ended["__typename"], ended["reason"]) == ("NotPossible", "TEAM_ENDED")

    area = {**AREA, "units": [{"id": mandal}]}
    (made,) = (await live.done("PutAreas", areas=[area]))["areas"]
    assert made["code"] == "40"
    query = "query($id: ID!) { unit(id: $id) { areas { code name { text } } teams { id } } }"
    shown = await live.ask(query, id=booth)
    assert shown["unit"] == {"areas": [{"code": "40", "name": {"text": "Hawa Mahal"}}], "teams": []}
    listed = await live.ask("Areas", kind="constituency")
    assert listed["areas"]["nodes"] == [made]


async def test_what_stands_is_told_when_somebody_was_first(live: Live) -> None:
    district = await live.unit("district", "JPR")
    old = (await live.ask("query($id: ID!) { unit(id: $id) { etag } }", id=district))["unit"]
    first = await live.done(
        "UpdateUnit", unitId=district, names=english("Jaipur"), etag=old["etag"]
    )
    assert first["unit"]["name"] == {"text": "Jaipur"}
    second = await live.change(
        "UpdateUnit", unitId=district, names=english("Other"), etag=old["etag"]
    )
    assert (second["__typename"], second["reason"]) == ("Conflict", "UNIT_CHANGED")
    assert second["currentEtag"] == first["unit"]["etag"]

    request = "00000000-0000-7000-8000-000000000001"
    for _ in range(2):  # the first answer is given again
        kept = await live.done(
            "UpdateUnit", unitId=district, names=english("Jaipur City"), requestId=request
        )
        assert kept["unit"]["name"] == {"text": "Jaipur City"}
    reused = await live.change("UpdateUnit", unitId=district, names=english("X"), requestId=request)
    assert (reused["__typename"], reused["reason"]) == ("Conflict", "REQUEST_ID_REUSED")
    stale = await live.change(
        "Reorganise", steps=[{"close": {"unit": {"id": district}}}], treeVersion=1
    )
    assert (stale["__typename"], stale["reason"]) == ("Conflict", "TREE_CHANGED")
    assert stale["currentTreeVersion"] > 1


async def test_faults_are_named_where_they_are_in_the_input(live: Live) -> None:
    mandal = await live.unit("mandal", "M1")
    refused = await live.change(
        "Reorganise",
        steps=[
            {
                "create": {
                    "unit": {
                        "level": "booth",
                        "code": "not a code",
                        "names": [*english("X"), {"language": "hi", "text": " "}],
                        "parent": {"id": mandal},
                        "place": {"latitude": 91, "longitude": 0},
                    }
                }
            },
            {"close": {"unit": {"key": {"level": "booth", "code": "NONE"}}}},
        ],
    )
    assert refused["__typename"] == "InvalidInput"
    assert {each["field"] for each in refused["violations"]} == {
        "steps[0].create.unit.code",
        "steps[0].create.unit.names.hi",
        "steps[0].create.unit.place.latitude",
        "steps[1].close.unit",
    }
    closing = await live.change("CloseUnit", unitId=mandal)
    assert (closing["__typename"], closing["reason"]) == ("InvalidInput", "HAS_CHILDREN")


async def test_a_blueprint_is_previewed_and_refused_while_it_is_in_use(live: Live) -> None:
    standing = (await live.ask(WHOLE))["blueprint"]
    asha = await live.person("Asha")
    await live.appoint(await live.unit("booth", "B1"), "president", asha)
    wider = as_input(standing)
    wider["positions"][-1]["seats"] = 3
    preview = await live.done("PutBlueprint", blueprint=wider, validateOnly=True)
    assert [(each["path"], each["before"], each["after"]) for each in preview["differences"]] == [
        ("positions[president].seats", "1", "3")
    ]
    assert preview["differences"][0]["affectedCount"] == 1
    assert (await live.ask(WHOLE))["blueprint"] == standing
    put = await live.done("PutBlueprint", blueprint=wider)
    assert put["blueprint"]["version"] == standing["version"] + 1

    without = as_input(standing)
    without["positions"].pop()
    refused = await live.change("PutBlueprint", blueprint=without)
    assert (refused["__typename"], refused["positions"]) == ("BlueprintInUse", ["president"])
    wrong = as_input(standing)
    wrong["levels"][1]["key"] = "Not A Key"
    refused = await live.change("PutBlueprint", blueprint=wrong)
    assert "blueprint.levels[1].key" in {each["field"] for each in refused["violations"]}


WHOLE = """{ blueprint { version style name { ...All } levels { key name { ...All } }
  groupKinds { key name { ...All } hasCategory } categories { key name { ...All } }
  positions { key name { ...All } levels seats roles grants { capability categories groupKinds } }
  teamKinds { key name { ...All } levels maxMembers } centreLevel verificationDays } }
fragment All on LocalizedText { translations { language text } }"""


def as_input(blueprint: Any) -> Any:
    """A blueprint as it was read, to be put: names are a list there, and versions are not said."""
    match blueprint:
        case {"translations": texts}:
            return texts
        case dict():
            renamed = {"names" if key == "name" else key: each for key, each in blueprint.items()}
            return {key: as_input(each) for key, each in renamed.items() if key != "version"}
        case list():
            return [as_input(each) for each in blueprint]
        case _:
            return blueprint
