"""A fourth service's room, as somebody else would write it: it adds tasks to units."""

from collections.abc import Sequence
from typing import ClassVar, Self

import grpc.aio
import strawberry

from gateway.context import Context, Info
from gateway.graph.fields import resolver
from gateway.graph.ids import decode_id
from gateway.graph.loader import Loader
from gateway.graph.node import Node
from gateway.subgraph import Subgraph
from kit.errors import ChaupalError


class TasksRoom:
    """Loads how many tasks each unit has."""

    subgraph: ClassVar[str] = "tasks"

    def __init__(self, context: Context, channel: grpc.aio.Channel) -> None:
        self.channel = channel
        self.counts: Loader[str, int] = Loader(context, "task counts", self._count, 100)

    async def _count(self, keys: Sequence[str]) -> list[int | ChaupalError]:
        BATCHES.append(len(keys))
        return [len(key) for key in keys]


BATCHES: list[int] = []


@strawberry.federation.type(keys=["id"], description="One thing to do.")
class Task(Node):
    title: str = strawberry.field(description="What to do.")

    @classmethod
    def resolve_reference(cls, info: Info, id: strawberry.ID) -> Self:  # noqa: A002, ARG003
        return cls(id=id, title=f"Call {decode_id(id, 'Task', 'id')[:4]}")


@strawberry.federation.type(keys=["id"], extend=True)
class Unit:
    id: strawberry.ID

    @resolver("How many tasks are open.")
    async def task_count(self, info: Info) -> int | None:
        return await info.context.room(TasksRoom).counts.load(self.id)

    @classmethod
    def resolve_reference(cls, info: Info, id: strawberry.ID) -> Self:  # noqa: A002, ARG003
        return cls(id=id)


@strawberry.type
class Query:
    @resolver("How many tasks there are.")
    def task_total(self) -> int:
        return 3


SUBGRAPH = Subgraph(
    name="tasks", query=Query, types=[Unit, Task], service="acme.tasks.v1.TasksService"
)
