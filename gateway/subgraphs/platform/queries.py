"""`viewer`, `node` and `nodes`."""

from datetime import datetime
from typing import Annotated, Self, cast

import strawberry

from gateway.context import Context, Info
from gateway.graph.fields import resolver
from gateway.graph.ids import GlobalId, parse_id
from gateway.graph.node import Node
from kit.errors import InvalidInput
from kit.tokens import Caller

field, argument = strawberry.field, strawberry.argument
MAX_NODES = 1_000
# The key of what has a global id.
_GLOBAL = ("id",)


@strawberry.federation.type(
    keys=["subject"], description="Who is asking, as the token and the organisation say."
)
class Viewer:
    """The caller of this operation; other subgraphs add what they know of them."""

    subject: str = field(description="Stable name of the caller.")
    tenant: str = field(description="The organisation that the caller acts in.")
    capabilities: list[str] = field(
        description="What the token lets the caller do anywhere, in alphabetical order."
    )
    expires_at: datetime = field(description="When the token stops working.")

    @classmethod
    def resolve_reference(cls, info: Info, subject: str) -> Self | None:
        """The caller; nothing is told of other subjects."""
        return cls.of(info.context.caller) if subject == info.context.caller.subject else None

    @classmethod
    def of(cls, caller: Caller) -> Self:
        """The caller as the token names them."""
        return cls(
            subject=caller.subject,
            tenant=caller.tenant_id,
            capabilities=sorted(caller.capabilities),
            expires_at=caller.expires_at,
        )


@strawberry.type
class Query:
    """What belongs to no service."""

    @resolver("Who is asking.")
    def viewer(self, info: Info) -> Viewer:
        """The caller."""
        return Viewer.of(info.context.caller)

    @resolver("Any object by its id; null when there is none.")
    async def node(
        self,
        info: Info,
        id: Annotated[strawberry.ID, argument(description="Its id.")],  # noqa: A002
    ) -> Node | None:
        """The object at its home."""
        return await _fetch(info, _known(info.context, id, "id"), id)

    @resolver("Objects by their ids, in their order; null where there is none.")
    def nodes(
        self,
        info: Info,
        ids: Annotated[list[strawberry.ID], argument(description="Up to 1,000 ids.")],
    ) -> list[Node | None]:
        """The objects at their homes."""
        if len(ids) > MAX_NODES:
            raise InvalidInput.of("ids", "TOO_MANY", f"at most {MAX_NODES}")
        known = [_known(info.context, each, f"ids[{at}]") for at, each in enumerate(ids)]
        # Awaited by the executor one by one, so that a service that is down nulls its items only.
        fetches = [_fetch(info, each, id_) for each, id_ in zip(known, ids, strict=True)]
        return cast(list[Node | None], fetches)


def _known(context: Context, global_id: str, argument_path: str) -> GlobalId:
    parsed = parse_id(global_id)
    home = context.entities.get(parsed.type_name) if parsed else None
    if parsed is None or home is None or home.keys != _GLOBAL:
        raise InvalidInput.of(argument_path, "BAD_ID", "must be the id of an object of this graph")
    return parsed


async def _fetch(info: Info, known: GlobalId, global_id: str) -> Node | None:
    found = await info.context.entities[known.type_name].resolve(info, {"id": global_id})
    return cast(Node | None, found)
