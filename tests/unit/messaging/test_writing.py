"""Creating and starting, over the wire: what is kept, what is replayed, what is refused."""

from collections.abc import Callable

import pytest
from chaupal.groups.v1.audience_pb2 import AudienceTerm
from chaupal.messaging.v1 import messaging_pb2 as pb

from kit.errors import (
    ChaupalError,
    Conflict,
    Forbidden,
    InvalidInput,
    NotFound,
    PreconditionFailed,
    Unauthenticated,
    Unavailable,
)
from tests.unit.messaging.platform import Client, Platform, new_id, raised


def asked(platform: Platform, **changes: object) -> pb.CreateBroadcastRequest:
    request = pb.CreateBroadcastRequest(
        broadcast=pb.Broadcast(title="Meeting", texts={"en": "Come.", "hi": "आइए।"}),
        request_id=new_id(),
    )
    request.broadcast.audience.include.add(unit_ids=[platform.register.state])
    for name, value in changes.items():
        setattr(request.broadcast, name, value)
    return request


async def create(client: Client, request: pb.CreateBroadcastRequest) -> pb.Broadcast:
    made: pb.Broadcast = (await client.call("CreateBroadcast", request)).broadcast
    return made


async def all_broadcasts(platform: Platform) -> list[pb.Broadcast]:
    answer = await platform.composer.call("ListBroadcasts", pb.ListBroadcastsRequest())
    return list(answer.broadcasts)


class TestCreate:
    async def test_a_draft_has_everything_that_was_written(self, platform: Platform) -> None:
        request = asked(platform)
        request.broadcast.audience.exclude.add(
            unit_ids=[platform.register.districts[0]], kinds=["internal"], categories=["farmers"]
        )
        request.broadcast.id = "ignored"
        request.broadcast.state = pb.BROADCAST_STATE_COMPLETED

        made = await create(platform.composer, request)

        assert made.title == "Meeting"
        assert dict(made.texts) == {"en": "Come.", "hi": "आइए।"}
        assert made.audience == request.broadcast.audience
        assert (made.state, made.transport) == (pb.BROADCAST_STATE_DRAFT, "simulator")
        assert (made.author, made.delivery_count) == ("asha", 0)
        assert not made.HasField("started_at")
        assert made == await platform.composer.get(made.id)

    async def test_a_repeated_request_is_answered_with_the_first_draft(
        self, platform: Platform
    ) -> None:
        request = asked(platform)
        first = await create(platform.composer, request)
        await platform.composer.start(first)
        platform.groups.down = 1_000  # the register need not be asked again

        assert await create(platform.composer, request) == first
        assert len(await all_broadcasts(platform)) == 1

    @pytest.mark.parametrize("change", ["title", "texts", "audience", "author"])
    async def test_a_request_id_with_other_content_is_a_conflict(
        self, platform: Platform, change: str
    ) -> None:
        request = asked(platform)
        first = await create(platform.composer, request)
        client = platform.composer
        if change == "title":
            request.broadcast.title = "Another meeting"
        elif change == "texts":
            request.broadcast.texts["mr"] = "या."
        elif change == "audience":
            request.broadcast.audience.include[0].kinds.append("internal")
        else:
            client = platform.client("view", "compose", subject="balbir")

        with raised(Conflict, "REQUEST_ID_REUSED"):
            await create(client, request)
        assert await all_broadcasts(platform) == [first]

    @pytest.mark.parametrize("request_id", ["", "seven", "1" * 36])
    async def test_a_request_id_is_a_uuid(self, platform: Platform, request_id: str) -> None:
        request = asked(platform)
        request.request_id = request_id
        with raised(InvalidInput, "REQUEST_ID_INVALID"):
            await create(platform.composer, request)
        assert await all_broadcasts(platform) == []

    async def test_every_fault_is_named_at_once(self, platform: Platform) -> None:
        request = pb.CreateBroadcastRequest(request_id=new_id())
        request.broadcast.title = "x" * 121
        request.broadcast.texts["en"] = " "
        request.broadcast.texts["no tag"] = "y" * 4_097
        request.broadcast.transport = "pigeon"
        request.broadcast.audience.include.add(kinds=["k" * 65])
        request.broadcast.audience.exclude.add(unit_ids=["here", platform.register.state])

        with pytest.raises(InvalidInput) as refused:
            await create(platform.composer, request)

        assert {(each.field, each.reason) for each in refused.value.violations} == {
            ("broadcast.title", "TITLE_TOO_LONG"),
            ('broadcast.texts["en"]', "TEXT_MISSING"),
            ('broadcast.texts["no tag"]', "BAD_LANGUAGE"),
            ('broadcast.texts["no tag"]', "TEXT_TOO_LONG"),
            ("broadcast.transport", "UNKNOWN_TRANSPORT"),
            ("broadcast.audience.include[0].unit_ids", "UNIT_NEEDED"),
            ("broadcast.audience.include[0].kinds[0]", "BAD_KEY"),
            ("broadcast.audience.exclude[0].unit_ids[0]", "BAD_ID"),
        }
        assert await all_broadcasts(platform) == []
        assert platform.groups.calls == []

    async def test_an_empty_draft_says_what_is_missing(self, platform: Platform) -> None:
        with pytest.raises(InvalidInput) as refused:
            await create(platform.composer, pb.CreateBroadcastRequest(request_id=new_id()))
        assert {(each.field, each.reason) for each in refused.value.violations} == {
            ("broadcast.title", "TITLE_MISSING"),
            ("broadcast.texts", "TEXT_MISSING"),
            ("broadcast.audience.include", "EMPTY_AUDIENCE"),
        }

    @pytest.mark.parametrize(
        ("widen", "path"),
        [
            (lambda a: [a.include.add(unit_ids=[new_id()]) for _ in range(50)], ".include"),
            (lambda a: [a.exclude.add(kinds=["internal"]) for _ in range(51)], ".exclude"),
            (lambda a: a.include[0].unit_ids.extend([new_id()] * 1_000), ".include[0].unit_ids"),
            (lambda a: a.include[0].kinds.extend(["k"] * 65), ".include[0].kinds"),
            (lambda a: a.include[0].categories.extend(["c"] * 257), ".include[0].categories"),
            (
                lambda a: [a.exclude.add(unit_ids=["u" * 36] * 1_000) for _ in range(50)],
                "",
            ),
        ],
        ids=["terms", "exclusions", "units", "kinds", "categories", "altogether"],
    )
    async def test_audiences_are_bounded(
        self, platform: Platform, widen: Callable[[object], object], path: str
    ) -> None:
        request = asked(platform)
        widen(request.broadcast.audience)
        with pytest.raises(InvalidInput) as refused:
            await create(platform.composer, request)
        assert [(each.field, each.reason) for each in refused.value.violations] == [
            (f"broadcast.audience{path}", "TOO_MANY")
        ]

    async def test_the_longest_texts_pass(self, platform: Platform) -> None:
        request = asked(platform, title="श" * 120)
        request.broadcast.texts["hi"] = "श" * 4_096
        assert (await create(platform.composer, request)).texts["hi"] == "श" * 4_096

    async def test_an_unknown_unit_is_named_as_the_caller_named_it(
        self, platform: Platform
    ) -> None:
        request = asked(platform)
        request.broadcast.audience.include.append(AudienceTerm(unit_ids=[new_id(), new_id()]))

        with pytest.raises(InvalidInput) as refused:
            await create(platform.composer, request)

        assert [(each.field, each.reason) for each in refused.value.violations] == [
            ("broadcast.audience.include[1].unit_ids[0]", "UNKNOWN_UNIT"),
            ("broadcast.audience.include[1].unit_ids[1]", "UNKNOWN_UNIT"),
        ]
        assert await all_broadcasts(platform) == []

    async def test_an_audience_that_selects_nothing_is_refused(self, platform: Platform) -> None:
        request = asked(platform)
        request.broadcast.audience.exclude.add(unit_ids=[platform.register.state])
        with raised(InvalidInput, "AUDIENCE_SELECTS_NOTHING"):
            await create(platform.composer, request)
        assert await all_broadcasts(platform) == []

    async def test_a_register_that_is_down_makes_it_unavailable(self, platform: Platform) -> None:
        platform.groups.down = 1_000
        with pytest.raises(Unavailable):
            await create(platform.composer, asked(platform))
        assert await all_broadcasts(platform) == []

    @pytest.mark.parametrize("refusal", [Unauthenticated(), Forbidden()], ids=["token", "right"])
    async def test_our_own_credential_is_no_fault_of_the_callers(
        self, platform: Platform, refusal: ChaupalError
    ) -> None:
        platform.groups.refusal = refusal
        with raised(Unavailable, "REGISTER_REFUSED_US"):
            await create(platform.composer, asked(platform))
        platform.groups.refusal = None
        await create(platform.composer, asked(platform))


class TestStart:
    async def test_a_draft_goes_to_planning(self, platform: Platform) -> None:
        draft = await create(platform.composer, asked(platform))
        started = await platform.composer.start(draft)
        assert started.state == pb.BROADCAST_STATE_PLANNING
        assert started.HasField("started_at")
        assert started.etag != draft.etag

    async def test_twice_is_refused_unless_it_is_the_same_request(self, platform: Platform) -> None:
        draft = await create(platform.composer, asked(platform))
        request = pb.StartBroadcastRequest(id=draft.id, request_id=new_id())
        first = await platform.composer.call("StartBroadcast", request)

        assert await platform.composer.call("StartBroadcast", request) == first
        with raised(PreconditionFailed, "BROADCAST_ALREADY_STARTED"):
            await platform.composer.start(draft)
        assert await platform.composer.get(draft.id) == first.broadcast

    async def test_a_request_id_starts_one_broadcast_only(self, platform: Platform) -> None:
        one, two = [await create(platform.composer, asked(platform)) for _ in range(2)]
        request_id = new_id()
        request = pb.StartBroadcastRequest(id=one.id, request_id=request_id)
        await platform.composer.call("StartBroadcast", request)
        request.id = two.id
        with raised(Conflict, "REQUEST_ID_REUSED"):
            await platform.composer.call("StartBroadcast", request)
        assert await platform.composer.get(two.id) == two

    async def test_only_what_is_there(self, platform: Platform) -> None:
        with raised(NotFound, "BROADCAST_NOT_FOUND"):
            await platform.composer.start(pb.Broadcast(id=new_id()))
        with raised(InvalidInput, "BAD_ID"):
            await platform.composer.start(pb.Broadcast(id="seven"))
        with raised(InvalidInput, "MISSING"):
            await platform.composer.start(pb.Broadcast())


class TestWhoMay:
    async def test_writing_needs_compose(self, platform: Platform) -> None:
        draft = await create(platform.composer, asked(platform))
        viewer = platform.client("view", "monitor", "approve", "administer", "relay")

        with raised(Forbidden, "CAPABILITY_MISSING"):
            await create(viewer, asked(platform))
        with raised(Forbidden, "CAPABILITY_MISSING"):
            await viewer.start(draft)

        assert await all_broadcasts(platform) == [draft]

    @pytest.mark.parametrize(
        ("method", "request_type", "fields"),
        [
            ("GetBroadcast", pb.GetBroadcastRequest, {"id": new_id()}),
            ("BatchGetBroadcasts", pb.BatchGetBroadcastsRequest, {"ids": [new_id()]}),
            ("ListBroadcasts", pb.ListBroadcastsRequest, {}),
            ("BatchGetProgress", pb.BatchGetProgressRequest, {"broadcast_ids": [new_id()]}),
            ("ListDeliveries", pb.ListDeliveriesRequest, {"broadcast_id": new_id()}),
        ],
    )
    async def test_reading_needs_view(
        self, platform: Platform, method: str, request_type: type, fields: dict[str, object]
    ) -> None:
        with raised(Forbidden, "CAPABILITY_MISSING"):
            await platform.client("compose").call(method, request_type(**fields))

    async def test_watching_needs_view(self, platform: Platform) -> None:
        watch = platform.client("compose").watch(pb.WatchProgressRequest(broadcast_id=new_id()))
        with raised(Forbidden, "CAPABILITY_MISSING"):
            await anext(watch)

    async def test_a_caller_needs_a_tenant(self, platform: Platform) -> None:
        token = platform.identity.token("asha", None, "view")
        with pytest.raises(Unauthenticated):
            await Client.with_token(platform.channel, token).call(
                "ListBroadcasts", pb.ListBroadcastsRequest()
            )

    async def test_a_service_works_for_the_tenant_that_it_names(self, platform: Platform) -> None:
        draft = await create(platform.composer, asked(platform))
        token = platform.identity.token("service:gateway", None)
        peer = Client.with_token(platform.channel, token, tenant=platform.tenant)
        assert await peer.get(draft.id) == draft
        nobody = Client.with_token(platform.channel, token)
        with raised(Unauthenticated, "TENANT_REQUIRED"):
            await nobody.get(draft.id)
