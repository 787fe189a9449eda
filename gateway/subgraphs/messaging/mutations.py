"""What messaging adds to Mutation."""

from typing import Annotated

import strawberry
from chaupal.messaging.v1 import messaging_pb2 as pb

from gateway.context import Info
from gateway.graph.audience import audience_to_proto
from gateway.graph.fields import mutation
from gateway.graph.ids import decode_id
from gateway.graph.violations import MORE_VIOLATIONS, FieldViolation, bounded
from gateway.subgraphs.messaging.loaders import MessagingRoom
from gateway.subgraphs.messaging.results import (
    BroadcastAlreadyStarted,
    BroadcastNotFound,
    CreateBroadcastInput,
    CreateBroadcastResult,
    CreateBroadcastSuccess,
    InvalidAudience,
    StartBroadcastInput,
    StartBroadcastResult,
    StartBroadcastSuccess,
)
from gateway.subgraphs.messaging.types import Broadcast
from kit.errors import InvalidInput, NotFound, PreconditionFailed

_INPUT = "input."
_AUDIENCE = f"{_INPUT}audience"


@strawberry.type
class Mutation:
    """Making and starting broadcasts."""

    @mutation("Make a draft. Needs the capability `compose`.")
    async def create_broadcast(
        self,
        info: Info,
        input: Annotated[  # noqa: A002
            CreateBroadcastInput, strawberry.argument(description="The draft.")
        ],
    ) -> CreateBroadcastResult:
        """A new draft, or what is wrong with its audience."""
        client = info.context.room(MessagingRoom).client
        try:
            made = await client.create(_draft(input), input.request_id)
        except InvalidInput as error:
            return _invalid_audience(error)
        return CreateBroadcastSuccess(broadcast=Broadcast.from_proto(made))

    @mutation("Start a draft; it then runs by itself. Needs the capability `compose`.")
    async def start_broadcast(
        self,
        info: Info,
        input: Annotated[  # noqa: A002
            StartBroadcastInput, strawberry.argument(description="Which draft.")
        ],
    ) -> StartBroadcastResult:
        """The started broadcast, or why it cannot be started."""
        uuid = decode_id(input.broadcast_id, "Broadcast", "input.broadcastId")
        room = info.context.room(MessagingRoom)
        try:
            started = await room.client.start(uuid, input.request_id)
        except NotFound as error:
            return BroadcastNotFound(message=error.message, broadcast_id=input.broadcast_id)
        except PreconditionFailed as error:
            if error.reason != "BROADCAST_ALREADY_STARTED":
                raise
            standing = Broadcast.from_proto(await room.broadcasts.load(uuid))
            return BroadcastAlreadyStarted(message=error.message, broadcast=standing)
        return StartBroadcastSuccess(broadcast=Broadcast.from_proto(started))


def _draft(given: CreateBroadcastInput) -> pb.Broadcast:
    seen: set[str] = set()
    for index, each in enumerate(given.texts):
        if each.language in seen:
            raise InvalidInput.of(
                f"input.texts[{index}].language", "DUPLICATE_LANGUAGE", "is there already"
            )
        seen.add(each.language)
    return pb.Broadcast(
        title=given.title,
        texts={each.language: each.text for each in given.texts},
        audience=audience_to_proto(given.audience, _AUDIENCE),
        transport=given.transport or "",
    )


def _invalid_audience(error: InvalidInput) -> InvalidAudience:
    """The result for faults that lie in the audience alone; others are the caller's mistakes."""
    named = [each for each in error.violations if each.reason != MORE_VIOLATIONS]
    if not named or not all(each.field.startswith(_AUDIENCE) for each in named):
        raise error
    return InvalidAudience(
        message=error.message.replace(_AUDIENCE, _below_input(_AUDIENCE)),
        violations=[
            FieldViolation.of(each, _below_input(each.field)) for each in bounded(error.violations)
        ],
    )


def _below_input(path: str) -> str:
    return path.removeprefix(_INPUT)
