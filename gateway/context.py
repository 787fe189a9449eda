"""What one operation carries: who asks, until when, and the rooms of the services it may reach.

Resolvers and loaders take identity and deadline from here and never from a contextvar: a batch of
a loader runs in the asyncio context of its first caller.
"""

import asyncio
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol, Self, TypeVar, cast

import grpc.aio
import strawberry

from gateway.entities import Entity
from kit.deadline import Deadline
from kit.tokens import Caller


class Room(Protocol):
    """One service's loaders and calls, for one operation."""

    subgraph: ClassVar[str]

    def __init__(self, context: "Context", channel: grpc.aio.Channel) -> None: ...


R = TypeVar("R", bound=Room)


@dataclass(slots=True)
class Context:
    """One operation. Use it as an asynchronous context manager: it ends the loaders' tasks."""

    caller: Caller
    deadline: Deadline
    request_id: str
    channels: Mapping[str, grpc.aio.Channel]
    entities: Mapping[str, Entity]
    _rooms: dict[type[Any], Room] = field(default_factory=dict)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def room(self, kind: type[R]) -> R:
        """The operation's one room of that kind, made when it is first asked for."""
        room = self._rooms.get(kind)
        if room is None:
            room = self._rooms[kind] = kind(self, self.channels[kind.subgraph])
        return cast(R, room)

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run a loader's work beside the resolvers, at most until the operation is over."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


Info = strawberry.Info[Context, None]
"""What a resolver may ask of the operation that it runs in."""
