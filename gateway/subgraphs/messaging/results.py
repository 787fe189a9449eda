"""Inputs and results of messaging's mutations: what may be expected to happen is a type."""

from typing import Annotated

import strawberry

from gateway.graph.audience import AudienceInput
from gateway.graph.fields import list_of
from gateway.graph.violations import MAX_VIOLATIONS, FieldViolation
from gateway.subgraphs.messaging.types import Broadcast

field = strawberry.field
_MESSAGE = "What happened, for people."
_REQUEST_ID = "A UUID chosen by you; the first answer to it is given again for 7 days."


@strawberry.input(description="A text in one language.")
class TranslationInput:
    """One entry of a localized text."""

    language: str = field(description="BCP 47 tag.")
    text: str = field(description="1 to 4,096 characters.")


@strawberry.input(description="A new broadcast.")
class CreateBroadcastInput:
    """What a draft is made of."""

    request_id: strawberry.ID = field(description=_REQUEST_ID)
    title: str = field(description="What you call it; 1 to 120 characters.")
    texts: list[TranslationInput] = field(description="The text, in at least one language.")
    audience: AudienceInput = field(description="Who it is for.")
    transport: str | None = field(
        default=strawberry.UNSET, description="How it travels; none for the default."
    )


@strawberry.input(description="Which draft to start.")
class StartBroadcastInput:
    """The draft to start."""

    request_id: strawberry.ID = field(description=_REQUEST_ID)
    broadcast_id: strawberry.ID = field(description="The draft.")


@strawberry.type(description="The draft was made.")
class CreateBroadcastSuccess:
    """The new draft."""

    broadcast: Broadcast = field(description="The draft.")


@strawberry.type(description="The audience is no rule that can be sent to. Nothing was made.")
class InvalidAudience:
    """Every fault that was found in the audience."""

    message: str = field(description=_MESSAGE)
    violations: list[FieldViolation] = field(
        description="Every fault, by field.", directives=list_of(MAX_VIOLATIONS + 1)
    )


@strawberry.type(description="The broadcast was started, now or by an earlier same request.")
class StartBroadcastSuccess:
    """The started broadcast."""

    broadcast: Broadcast = field(description="The broadcast.")


@strawberry.type(description="There is no broadcast of that id.")
class BroadcastNotFound:
    """Nothing was started."""

    message: str = field(description=_MESSAGE)
    broadcast_id: strawberry.ID = field(description="The id that was asked for.")


@strawberry.type(description="The broadcast is no draft any more. Nothing changed.")
class BroadcastAlreadyStarted:
    """Somebody started it before."""

    message: str = field(description=_MESSAGE)
    broadcast: Broadcast = field(description="As it stands.")


CreateBroadcastResult = Annotated[
    CreateBroadcastSuccess | InvalidAudience,
    strawberry.union("CreateBroadcastResult", description="What came of creating a broadcast."),
]
StartBroadcastResult = Annotated[
    StartBroadcastSuccess | BroadcastNotFound | BroadcastAlreadyStarted,
    strawberry.union("StartBroadcastResult", description="What came of starting a broadcast."),
]
