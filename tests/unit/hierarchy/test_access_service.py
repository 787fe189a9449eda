"""AccessService: who somebody is and what they may do where, from the organisation itself."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, timedelta
from pathlib import Path
from typing import Any

import pytest
from chaupal.hierarchy.v1 import access_pb2 as pb
from chaupal.hierarchy.v1 import people_pb2

from kit.errors import Forbidden, InvalidInput, Unavailable
from services.hierarchy.domain.model import CAPABILITIES
from tests.access_server import PEER, AccessServer, access_of
from tests.builders_hierarchy import a_request_id, an_id
from tests.hierarchy_server import Caller, a_caller
from tests.people_server import PeopleServer, staffed

DAY = timedelta(days=1)
ASHA = a_caller(capabilities=(), subject="asha")
JPR, AJM = ("district", "JPR"), ("district", "AJM")
QUESTION = pb.AccessQuestion(capability="view", unit_id=an_id("unit", 1))


@dataclass(frozen=True)
class World:
    """A staffed organisation, in which Asha has a login and no office yet."""

    access: AccessServer
    people: PeopleServer
    asha: people_pb2.Person

    async def appoint_asha(
        self, position: str = "district_convenor", level: str = "district", code: str = "JPR"
    ) -> people_pb2.Appointment:
        return await self.people.appoint(level, code, position, self.asha)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with staffed(tmp_path) as people, access_of(tmp_path) as access:
        yield World(access, people, await people.person("Asha", subject="asha"))


def told(reply: pb.GetViewerResponse) -> list[tuple[str, str]]:
    """What may be done where; none of it is narrowed."""
    assert not any(each.grant.categories or each.grant.group_kinds for each in reply.grants)
    return [(each.grant.capability, each.unit_id) for each in reply.grants]


class TestGetViewer:
    async def test_it_tells_person_appointments_and_rights(self, world: World) -> None:
        appointed = await world.appoint_asha()

        reply = await world.access.viewer(ASHA)

        jaipur = await world.people.unit_id(*JPR)
        assert reply.person == world.asha
        assert list(reply.appointments) == [appointed]
        assert told(reply) == [("view", jaipur), ("administer", jaipur)]
        assert reply.access_version == await world.access.version(ASHA)
        assert (reply.unchanged, reply.HasField("valid_until")) == (False, False)

    async def test_what_the_token_gives_is_over_the_whole_tenant(self, world: World) -> None:
        await world.appoint_asha("president", "booth", "B1")
        booth = await world.people.unit_id("booth", "B1")

        reply = await world.access.viewer(a_caller(capabilities=["relay"], subject="asha"))

        assert told(reply) == [("relay", ""), ("view", booth)]

    async def test_a_login_without_a_person_has_what_its_token_gives(self, world: World) -> None:
        reply = await world.access.viewer(a_caller(capabilities=["view"], subject="nobody"))

        assert not reply.HasField("person")
        assert (list(reply.appointments), told(reply)) == ([], [("view", "")])

    async def test_a_service_itself_may_do_everything(self, world: World) -> None:
        reply = await world.access.viewer(PEER)

        assert not reply.HasField("person")
        assert told(reply) == [(each, "") for each in CAPABILITIES]

    async def test_of_a_subject_a_service_is_told_what_the_offices_give(self, world: World) -> None:
        await world.appoint_asha()
        jaipur = await world.people.unit_id(*JPR)

        reply = await world.access.viewer(PEER, "asha")

        assert reply.person == world.asha
        assert told(reply) == [("view", jaipur), ("administer", jaipur)]

    async def test_of_an_unknown_subject_there_is_nothing(self, world: World) -> None:
        reply = await world.access.viewer(PEER, "nobody")

        assert reply == pb.GetViewerResponse(access_version=await world.access.version())

    async def test_one_office_twice_over_gives_its_rights_once(self, world: World) -> None:
        jaipur = await world.people.unit_id(*JPR)
        caller = await world.people.hierarchy.appoint(
            "twice", "district_convenor", *[await world.people.hierarchy.unit(*JPR)] * 2
        )

        reply = await world.access.viewer(caller)

        assert len(reply.appointments) == 2
        assert told(reply) == [("view", jaipur), ("administer", jaipur)]

    async def test_a_subject_of_another_tenant_is_nobody(self, world: World) -> None:
        await world.appoint_asha()
        stranger = a_caller(tenant="peepal", capabilities=(), subject="asha")

        for reply in (
            await world.access.viewer(stranger),
            await world.access.viewer(replace(PEER, named_tenant="peepal"), "asha"),
        ):
            assert reply == pb.GetViewerResponse()

    async def test_it_tells_when_it_ends_by_itself(self, world: World) -> None:
        clock, unit = world.people.clock, await world.people.hierarchy.unit(*JPR)
        begins, ends = clock.now() + DAY, clock.now() + 3 * DAY
        caller = await world.people.hierarchy.appoint(
            "ravi", "district_convenor", unit, valid_from=begins, valid_to=ends
        )
        version = await world.access.version()

        for rights, until in (
            ([], begins),
            ([("view", unit.id), ("administer", unit.id)], ends),
        ):
            reply = await world.access.viewer(caller)
            assert (reply.access_version, told(reply)) == (version, rights)
            assert reply.valid_until.ToDatetime(UTC) == until
            clock.advance(until - clock.now())
        assert await world.access.viewer(caller) == pb.GetViewerResponse(
            access_version=version, person=reply.person
        )

    async def test_names_and_verifications_are_as_they_stand(self, world: World) -> None:
        """They change without the version, by which rights are remembered."""
        appointed = await world.appoint_asha()
        before = await world.access.viewer(ASHA)
        await world.people.call(
            people_pb2.VerifyAppointmentsRequest(ids=[appointed.id], request_id=a_request_id())
        )
        await world.people.call(
            people_pb2.PutPersonRequest(
                id=world.asha.id, phone="+919800000001", request_id=a_request_id()
            )
        )

        reply = await world.access.viewer(ASHA)

        assert reply.access_version == before.access_version
        assert reply.appointments[0].verification == people_pb2.VERIFICATION_STATE_VERIFIED
        assert reply.person.phone.endswith("0001")
        assert reply.person.phone_masked is True
        assert "980000" not in reply.person.phone


class TestVersions:
    async def test_who_holds_the_answer_is_told_no_more(self, world: World) -> None:
        version = (await world.access.viewer(ASHA)).access_version

        reply = await world.access.viewer(ASHA, known=version)

        assert reply == pb.GetViewerResponse(access_version=version, unchanged=True)

    async def test_another_version_is_answered_in_full(self, world: World) -> None:
        version = (await world.access.viewer(ASHA)).access_version
        await world.appoint_asha()

        for known in (version, version + 100):
            reply = await world.access.viewer(ASHA, known=known)
            assert (reply.access_version, reply.unchanged) == (version + 1, False)
            assert len(reply.grants) == 2

    @pytest.mark.parametrize(
        "request_",
        [
            pb.GetViewerRequest(),
            pb.GetViewerRequest(subject="asha"),
            pb.CheckAccessRequest(question=QUESTION, subject="asha"),
            pb.BatchCheckAccessRequest(questions=[QUESTION], subject="asha"),
        ],
        ids=["own", "viewer", "check", "batch"],
    )
    async def test_nothing_is_answered_from_before_what_the_asker_has_seen(
        self, world: World, request_: Any
    ) -> None:
        version = await world.access.version()
        request_.at_least_access_version = version
        assert (await world.access.call(request_, PEER)).access_version == version

        request_.at_least_access_version = version + 1
        with pytest.raises(Unavailable) as refused:
            await world.access.call(request_, PEER)
        assert refused.value.reason == "ACCESS_BEHIND"
        assert refused.value.fields() == {"access_version": str(version)}


class TestCheckAccess:
    async def test_rights_reach_down_and_not_up(self, world: World) -> None:
        await world.appoint_asha()
        for level, code, allowed in (
            (*JPR, True),
            ("mandal", "M1", True),
            ("booth", "B2", True),
            ("state", "RJ", False),
            (*AJM, False),
            ("booth", "C1", False),
        ):
            unit_id = await world.people.unit_id(level, code)
            for caller, subject in ((ASHA, ""), (ASHA, "asha"), (PEER, "asha")):
                assert await world.access.may(caller, "administer", unit_id, subject) is allowed
                assert await world.access.may(caller, "approve", unit_id, subject) is False

    async def test_a_service_itself_may(self, world: World) -> None:
        assert await world.access.may(PEER, "approve", await world.people.unit_id(*JPR)) is True

    async def test_the_users_token_is_the_services_matter(self, world: World) -> None:
        unit_id = await world.people.unit_id(*JPR)
        caller = a_caller(capabilities=["compose"], subject="asha")

        assert await world.access.may(caller, "compose", unit_id) is True
        assert await world.access.may(PEER, "compose", unit_id, "asha") is False

    @pytest.mark.parametrize("caller", [a_caller(capabilities=CAPABILITIES), PEER])
    async def test_nobody_may_anything_in_a_unit_that_does_not_exist(
        self, world: World, caller: Caller
    ) -> None:
        assert await world.access.may(caller, "view", an_id("unit", 999)) is False

    async def test_a_batch_answers_each_in_order(self, world: World) -> None:
        await world.appoint_asha()
        inside, outside = [await world.people.unit_id(*key) for key in (JPR, AJM)]
        request = pb.BatchCheckAccessRequest(
            questions=[
                pb.AccessQuestion(capability="view", unit_id=outside),
                pb.AccessQuestion(capability="view", unit_id="JPR"),
                pb.AccessQuestion(capability="view", unit_id=inside),
                pb.AccessQuestion(capability="fly", unit_id=inside),
                pb.AccessQuestion(capability="view", unit_id=inside),
            ]
        )

        reply = await world.access.call(request, ASHA)

        said = [each.WhichOneof("result") for each in reply.results]
        assert said == ["allowed", "status", "allowed", "status", "allowed"]
        assert [each.allowed for each in reply.results] == [False, False, True, False, True]
        assert [each.status.code for each in reply.results] == [0, 3, 0, 3, 0]
        assert reply.access_version == await world.access.version()

    async def test_a_thousand_at_once(self, world: World) -> None:
        await world.appoint_asha()
        units = [await world.people.unit_id(*key) for key in (JPR, AJM)]
        questions = [
            pb.AccessQuestion(capability="view", unit_id=units[number % 2])
            for number in range(1_000)
        ]

        reply = await world.access.call(pb.BatchCheckAccessRequest(questions=questions), ASHA)

        assert [each.allowed for each in reply.results] == [True, False] * 500


class TestWhatIsRefused:
    @pytest.mark.parametrize(
        "request_",
        [
            pb.GetViewerRequest(subject="ravi"),
            pb.CheckAccessRequest(question=QUESTION, subject="ravi"),
            pb.BatchCheckAccessRequest(questions=[QUESTION], subject="ravi"),
        ],
        ids=["viewer", "check", "batch"],
    )
    async def test_a_user_who_asks_about_another(self, world: World, request_: Any) -> None:
        administrator = a_caller(capabilities=CAPABILITIES, subject="asha")
        with pytest.raises(Forbidden) as refused:
            await world.access.call(request_, administrator)
        assert refused.value.reason == "OTHERS_SUBJECT"

    @pytest.mark.parametrize(
        ("request_", "faults"),
        [
            (
                pb.GetViewerRequest(subject="x" * 256, at_least_access_version=-1),
                {"subject": "BAD_SUBJECT", "at_least_access_version": "OUT_OF_RANGE"},
            ),
            (
                pb.GetViewerRequest(known_access_version=-1),
                {"known_access_version": "OUT_OF_RANGE"},
            ),
            (
                pb.CheckAccessRequest(),
                {"question.capability": "MISSING", "question.unit_id": "MISSING"},
            ),
            (
                pb.CheckAccessRequest(
                    question=pb.AccessQuestion(
                        capability="fly", unit_id="JPR", category="No Key", group_kind="-"
                    )
                ),
                {
                    "question.capability": "UNKNOWN_CAPABILITY",
                    "question.unit_id": "BAD_ID",
                    "question.category": "BAD_KEY",
                    "question.group_kind": "BAD_KEY",
                },
            ),
            (pb.BatchCheckAccessRequest(), {"questions": "MISSING"}),
            (
                pb.BatchCheckAccessRequest(questions=[QUESTION] * 1_001),
                {"questions": "TOO_MANY"},
            ),
            (
                pb.BatchCheckAccessRequest(questions=[QUESTION], at_least_access_version=-1),
                {"at_least_access_version": "OUT_OF_RANGE"},
            ),
        ],
    )
    async def test_what_can_never_work(
        self, world: World, request_: Any, faults: dict[str, str]
    ) -> None:
        with pytest.raises(InvalidInput) as refused:
            await world.access.call(request_, PEER)
        assert {each.field: each.reason for each in refused.value.violations} == faults
