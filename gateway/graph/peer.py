"""How an operation calls a service: with its token, what is left of its time, and typed errors."""

from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Mapping
from typing import Any, Protocol, TypeVar

from gateway.context import Context
from gateway.graph.paths import PAGING, in_graphql_words
from kit.channel import outgoing
from kit.errors import ChaupalError, InvalidInput

Reply = TypeVar("Reply")
Reply_co = TypeVar("Reply_co", covariant=True)


class ReplyStream(AsyncIterable[Reply_co], Protocol[Reply_co]):
    """A running server stream, as grpc.aio hands it out."""

    def cancel(self) -> bool:
        """Tell the service that nobody listens any more."""
        ...


class Peer:
    """One service as one operation sees it."""

    def __init__(self, context: Context, service: str) -> None:
        self._context = context
        self._service = service
        # "chaupal.groups.v1.GroupsService" speaks as "groups.chaupal".
        self._domain = f"{service.split('.')[1]}.chaupal"

    async def call(
        self,
        name: str,
        rpc: Callable[..., Awaitable[Reply]],
        request: object,
        paths: Mapping[str, str] = PAGING,
    ) -> Reply:
        """One answer to one request.

        Args:
            name: of the method.
            rpc: the stub's method.
            request: its message.
            paths: what the request's first fields are called in GraphQL, where that differs.

        Raises:
            ChaupalError: what the service said, or that it could not be reached in time.
        """
        try:
            async with outgoing(f"{self._service}/{name}", **self._terms()) as options:
                return await rpc(request, **options)
        except ChaupalError as error:
            raise self._told(error, paths) from error

    async def stream(
        self, name: str, rpc: Callable[..., ReplyStream[Reply]], request: object
    ) -> AsyncGenerator[Reply, None]:
        """The answers of a server stream; closing the generator cancels the call.

        Raises:
            ChaupalError: what the service said, or that it could not be reached in time.
        """
        try:
            async with outgoing(f"{self._service}/{name}", **self._terms()) as options:
                replies = rpc(request, **options)
                try:
                    async for reply in replies:
                        yield reply
                finally:
                    replies.cancel()
        except ChaupalError as error:
            raise self._told(error, PAGING) from error

    def _terms(self) -> dict[str, Any]:
        return {
            "deadline": self._context.deadline,
            "token": self._context.caller.token,
            "request_id": self._context.request_id,
        }

    def _told(self, error: ChaupalError, paths: Mapping[str, str]) -> ChaupalError:
        """The error in GraphQL's words and signed by the service it is about."""
        if isinstance(error, InvalidInput):
            return in_graphql_words(error, paths)
        if error.domain:
            return error
        # It never reached the service, so nobody signed it yet.
        return type(error).from_wire(
            reason=error.reason,
            message=error.message,
            fields=error.fields(),
            domain=self._domain,
        )
