"""RegisterGroup, GetGroup and BatchGetGroups over the wire."""

import pytest
from chaupal.groups.v1 import groups_pb2 as pb

from kit import errors
from kit.ids import is_uuid, stable_id
from tests.unit.groups.builders import unit_id
from tests.unit.groups.messages import a_group, a_request_id
from tests.unit.groups.platform import Platform


async def register(platform: Platform, group: pb.Group, **more: object) -> pb.Group:
    request = pb.RegisterGroupRequest(
        **{"group": group, "request_id": a_request_id(), **more}  # type: ignore[arg-type]
    )
    return (await platform.ask(platform.stub.RegisterGroup, request)).group


async def get(platform: Platform, group_id: str) -> pb.Group:
    return (await platform.ask(platform.stub.GetGroup, pb.GetGroupRequest(id=group_id))).group


async def count(platform: Platform) -> int:
    return (await platform.ask(platform.stub.ListGroups, pb.ListGroupsRequest())).total_count


class TestRegistering:
    async def test_a_group_is_there_as_it_was_registered(self, platform: Platform) -> None:
        said = a_group(
            kind="category",
            category="farmers",
            member_count=1024,
            names={"en": "Farmers", "hi": "किसान"},
            admins=[
                pb.Admin(person="p-1", role=pb.ADMIN_ROLE_OWNER),
                pb.Admin(person="p-1", role=pb.ADMIN_ROLE_BACKUP),
            ],
        )

        told = await register(platform, said)

        assert is_uuid(told.id)
        assert told.etag
        assert told.registered_at.seconds > 0
        assert list(told.flags) == [pb.GROUP_FLAG_INCOMPLETE, pb.GROUP_FLAG_FULL]
        assert await get(platform, told.id) == told
        for output in ("id", "etag", "registered_at", "flags"):
            told.ClearField(output)
        assert told == said

    async def test_what_only_we_say_is_ignored_in_a_request(self, platform: Platform) -> None:
        said = a_group(id="mine", etag="mine", flags=[pb.GROUP_FLAG_FULL])
        told = await register(platform, said)
        assert is_uuid(told.id)
        assert told.etag != "mine"
        assert list(told.flags) == []

    async def test_validating_changes_nothing(self, platform: Platform) -> None:
        told = await register(platform, a_group(), validate_only=True)
        assert told.id == ""
        assert told.code == "g-1"
        assert await count(platform) == 0

    async def test_a_code_is_there_once(self, platform: Platform) -> None:
        first = await register(platform, a_group("g-1"))
        for validate_only in (True, False):
            with pytest.raises(errors.AlreadyExists) as refused:
                await register(platform, a_group("g-1", "b-2"), validate_only=validate_only)
            assert refused.value.reason == "GROUP_CODE_TAKEN"
            assert refused.value.fields() == {"code": "g-1", "group_id": first.id}
        assert await count(platform) == 1

    async def test_a_repeat_is_told_the_first_answer(self, platform: Platform) -> None:
        request_id = a_request_id()
        first = await register(platform, a_group(), request_id=request_id)
        assert await register(platform, a_group(), request_id=request_id) == first
        assert await count(platform) == 1

    async def test_a_request_id_serves_one_request(self, platform: Platform) -> None:
        request_id = a_request_id()
        await register(platform, a_group("g-1"), request_id=request_id)
        with pytest.raises(errors.Conflict) as refused:
            await register(platform, a_group("g-2"), request_id=request_id)
        assert refused.value.reason == "REQUEST_ID_REUSED"
        assert refused.value.fields() == {"request_id": request_id}
        assert await count(platform) == 1

    async def test_a_unit_that_was_made_a_moment_ago_is_known(self, platform: Platform) -> None:
        await register(platform, a_group("g-1"))
        platform.peer.trees[platform.tenant].add("b-9", "booth", "dausa").version = 2
        assert (await register(platform, a_group("g-2", "b-9"))).unit_id == unit_id("b-9")

    async def test_every_fault_is_named_at_once(self, platform: Platform) -> None:
        wrong = pb.Group(
            code="no spaces",
            names={"en": " ", "hindi_": "x"},
            kind="category",
            category="fishers",
            admins=[
                pb.Admin(person="+91 98", role=pb.ADMIN_ROLE_OWNER),
                pb.Admin(person="p-2"),
                pb.Admin(person="p-3", role=77),  # type: ignore[arg-type]
            ],
            language="h",
            member_count=-1,
            unit_id=unit_id("nowhere"),
        )
        with pytest.raises(errors.InvalidInput) as refused:
            await register(platform, wrong)
        assert sorted((each.field, each.reason) for each in refused.value.violations) == [
            ("group.admins", "BAD_ADMIN"),
            ("group.admins", "BAD_ADMIN"),
            ("group.admins", "BAD_ADMIN"),
            ("group.capacity", "BAD_NUMBER"),
            ("group.category", "UNKNOWN_CATEGORY"),
            ("group.code", "BAD_CODE"),
            ("group.language", "BAD_LANGUAGE"),
            ("group.member_count", "BAD_NUMBER"),
            ("group.names", "BAD_NAME"),
            ("group.names", "BAD_NAME"),
            ("group.state", "MISSING"),
            ("group.unit_id", "UNKNOWN_UNIT"),
        ]
        assert await count(platform) == 0

    async def test_an_empty_request_misses_everything(self, platform: Platform) -> None:
        with pytest.raises(errors.InvalidInput) as refused:
            await register(platform, pb.Group())
        assert {each.field for each in refused.value.violations if each.reason == "MISSING"} == {
            f"group.{name}" for name in ("code", "names", "kind", "language", "state", "unit_id")
        }

    @pytest.mark.parametrize(
        ("kind", "category", "reason"),
        [
            ("category", "", "CATEGORY_NEEDED"),
            ("internal", "farmers", "CATEGORY_NOT_ALLOWED"),
            ("unheard_of", "", "UNKNOWN_KIND"),
        ],
    )
    async def test_kind_and_category_must_fit(
        self, platform: Platform, kind: str, category: str, reason: str
    ) -> None:
        with pytest.raises(errors.InvalidInput) as refused:
            await register(platform, a_group(kind=kind, category=category))
        assert [each.reason for each in refused.value.violations] == [reason]

    @pytest.mark.parametrize(
        ("request_id", "reason"), [("", "MISSING"), ("7", "BAD_ID"), ("A" * 36, "BAD_ID")]
    )
    async def test_a_request_id_is_a_uuid(
        self, platform: Platform, request_id: str, reason: str
    ) -> None:
        with pytest.raises(errors.InvalidInput) as refused:
            await register(platform, a_group(), request_id=request_id)
        [violation] = refused.value.violations
        assert (violation.field, violation.reason) == ("request_id", reason)

    async def test_a_state_of_a_later_version_is_refused(self, platform: Platform) -> None:
        with pytest.raises(errors.InvalidInput) as refused:
            await register(platform, a_group(state=99))
        [violation] = refused.value.violations
        assert (violation.field, violation.reason) == ("group.state", "BAD_STATE")

    async def test_without_the_right_nothing_is_registered(self, platform: Platform) -> None:
        request = pb.RegisterGroupRequest(group=a_group(), request_id=a_request_id())
        with pytest.raises(errors.Forbidden) as refused:
            await platform.ask(platform.stub.RegisterGroup, request, capabilities=["view"])
        assert refused.value.fields() == {"capability": "administer"}
        assert await count(platform) == 0


class TestGetting:
    async def test_a_stranger_is_not_found(self, platform: Platform) -> None:
        stranger = stable_id("group", "nobody")
        with pytest.raises(errors.NotFound) as refused:
            await get(platform, stranger)
        assert (refused.value.reason, refused.value.fields()) == (
            "GROUP_NOT_FOUND",
            {"group_id": stranger},
        )

    @pytest.mark.parametrize(("asked", "reason"), [("", "MISSING"), ("x", "BAD_ID")])
    async def test_an_id_is_a_uuid(self, platform: Platform, asked: str, reason: str) -> None:
        with pytest.raises(errors.InvalidInput) as refused:
            await get(platform, asked)
        [violation] = refused.value.violations
        assert (violation.field, violation.reason) == ("id", reason)

    async def test_a_batch_answers_each_id_in_order(self, platform: Platform) -> None:
        one = await register(platform, a_group("g-1"))
        two = await register(platform, a_group("g-2"))
        stranger = stable_id("group", "nobody")
        asked = [two.id, "x", stranger, one.id, two.id, ""]

        answer = await platform.ask(
            platform.stub.BatchGetGroups, pb.BatchGetGroupsRequest(ids=asked)
        )

        told = [
            each.group.code if each.HasField("group") else each.status.code
            for each in answer.results
        ]
        assert told == ["g-2", 3, 5, "g-1", "g-2", 3]

    @pytest.mark.parametrize(("number", "reason"), [(0, "MISSING"), (1_001, "TOO_MANY")])
    async def test_a_batch_has_one_to_a_thousand_ids(
        self, platform: Platform, number: int, reason: str
    ) -> None:
        request = pb.BatchGetGroupsRequest(ids=[a_request_id()] * number)
        with pytest.raises(errors.InvalidInput) as refused:
            await platform.ask(platform.stub.BatchGetGroups, request)
        [violation] = refused.value.violations
        assert (violation.field, violation.reason) == ("ids", reason)


class TestTenants:
    async def test_another_tenant_sees_nothing(self, platform: Platform) -> None:
        group = await register(platform, a_group())
        other = f"{platform.tenant}-x"
        asked = pb.BatchGetGroupsRequest(ids=[group.id])
        with pytest.raises(errors.NotFound):
            await platform.ask(
                platform.stub.GetGroup, pb.GetGroupRequest(id=group.id), tenant=other
            )
        answer = await platform.ask(platform.stub.BatchGetGroups, asked, tenant=other)
        assert [each.status.code for each in answer.results] == [5]

    async def test_a_service_names_the_tenant_it_works_for(self, platform: Platform) -> None:
        group = await register(platform, a_group())
        answer = await platform.ask(
            platform.stub.GetGroup, pb.GetGroupRequest(id=group.id), subject="service:messaging"
        )
        assert answer.group == group

    async def test_the_peer_is_called_as_ourselves(self, platform: Platform) -> None:
        await register(platform, a_group())
        assert platform.peer.callers == {"service:groups"}
