"""Executes operations over the composed graph: with a budget, a span and a fresh context each."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast

import grpc.aio
from graphql import ExecutionResult, GraphQLError, OperationType
from graphql.execution import Executor, create_source_event_stream, execute_subscription_event
from opentelemetry import trace
from opentelemetry.semconv._incubating.attributes import graphql_attributes

from gateway.composer import Supergraph
from gateway.context import Context
from gateway.http.body import GraphQLRequest
from gateway.http.cost import OperationTooCostly, estimated_cost
from gateway.http.documents import Document, Documents
from gateway.http.errors import Told, tell, tell_kind, tell_refused, tell_results
from gateway.http.gate import CostGate
from gateway.http.limits import Limits
from kit.clock import Clock, SystemClock
from kit.deadline import Deadline
from kit.errors import ChaupalError, DeadlineExceeded
from kit.telemetry import tracer
from kit.tokens import Caller

# Calls end with the budget itself; this much later what hangs for another reason is given up.
_BACKSTOP_SECONDS = 1.0
# No convention names it yet.
_COST_ESTIMATED = "graphql.cost.estimated"
_LARGEST_COST_TOLD = 2**53
_LONGEST_WATCH_SECONDS = 24 * 3600.0
_tracer = tracer(__name__)


@dataclass(frozen=True, slots=True)
class Answer:
    """One response of GraphQL."""

    body: Mapping[str, Any]
    executed: bool
    """False when the request was refused before a resolver ran; then there is no `data`."""

    @property
    def errors(self) -> Sequence[Mapping[str, Any]]:
        """The formatted errors, if any."""
        return cast(Sequence[Mapping[str, Any]], self.body.get("errors", ()))


@dataclass(frozen=True, slots=True)
class Asked:
    """An operation together with who asks for it."""

    request: GraphQLRequest
    caller: Caller
    request_id: str


class Engine:
    """The graph, ready to be asked.

    Args:
        graph: the composed schema and its entities.
        limits: of documents.
        channels: to the services, by the subgraph's name.
        budget: of one query or mutation, and of one event of a subscription.
        max_running_cost: of all operations that run at once.
        clock: measures the budget and how long a token lasts.
    """

    def __init__(
        self,
        graph: Supergraph,
        *,
        limits: Limits,
        channels: Mapping[str, grpc.aio.Channel],
        budget: timedelta,
        max_running_cost: int,
        clock: Clock | None = None,
    ) -> None:
        self._graph = graph
        self._channels = channels
        self._budget = budget.total_seconds()
        self._clock = clock or SystemClock()
        self._limits = limits
        self._gate = CostGate(max_running_cost)
        self.documents = Documents(graph.schema, limits)

    async def execute(self, asked: Asked) -> Answer:
        """The answer to a query or mutation.

        Raises:
            TooCostlyNow: before a resolver runs, when what runs already leaves no room for it.
        """
        document = self.documents.get(asked.request.query)
        with _span(asked, document) as span:
            if document.errors:
                return _refused(document.errors, asked)
            async with self._context(asked) as context:
                executor = self._executor(asked, document, context)
                if isinstance(executor, list):
                    return _unfit(executor, asked)
                cost = estimated_cost(executor)
                span.set_attribute(_COST_ESTIMATED, min(cost, _LARGEST_COST_TOLD))
                if cost > self._limits.cost:
                    return _refused([OperationTooCostly(cost, self._limits.cost)], asked)
                with self._gate.hold(cost):
                    return await self._run(executor, context, asked)

    async def watch(self, asked: Asked) -> AsyncGenerator[Answer, None]:
        """The answers of a subscription, one for each event; closing it ends what feeds it."""
        document = self.documents.get(asked.request.query)
        if document.errors:
            yield _refused(document.errors, asked)
            return
        async with self._context(asked, self._lifetime(asked.caller)) as context:
            executor = self._executor(asked, document, context)
            if isinstance(executor, list):
                yield _unfit(executor, asked)
                return
            cost = estimated_cost(executor)
            if cost > self._limits.cost:
                yield _refused([OperationTooCostly(cost, self._limits.cost)], asked)
                return
            events = self._events(executor, document, asked, cost)
            async with aclosing(events):
                async for answer in events:
                    yield answer

    async def _events(
        self, executor: Executor[None], document: Document, asked: Asked, cost: int
    ) -> AsyncGenerator[Answer, None]:
        source = create_source_event_stream(executor)
        if executor.is_awaitable(source):
            source = await source
        if isinstance(source, ExecutionResult):
            yield _failed(source.errors or [], asked)
            return
        looks = cast(AsyncGenerator[object, None], source)
        try:
            async with aclosing(looks):
                async for event in looks:
                    # It waits: a look refused is never seen, and the last one tells the end.
                    async with self._gate.hold_in_turn(cost):
                        answer = await self._event(
                            executor.build_per_event_executor(event), document, asked
                        )
                    yield answer
        except Exception as error:  # noqa: BLE001  # the edge: what the source raised is told, or masked
            yield _failed([GraphQLError(str(error), original_error=error)], asked)

    async def _event(self, executor: Executor[None], document: Document, asked: Asked) -> Answer:
        with _span(asked, document):
            async with self._context(asked) as context:
                # A context of its own: a fresh budget, and nothing loaded for an earlier event.
                executor.context_value = context
                return await self._run(executor, context, asked, event=True)

    def _context(self, asked: Asked, seconds: float | None = None) -> Context:
        return Context(
            caller=asked.caller,
            deadline=Deadline.after(self._budget if seconds is None else seconds, self._clock),
            request_id=asked.request_id,
            channels=self._channels,
            entities=self._graph.entities,
        )

    def _lifetime(self, caller: Caller) -> float:
        """Seconds that a subscription may last: as long as the token does, within reason."""
        left = (caller.expires_at - self._clock.now()).total_seconds()
        return min(left, _LONGEST_WATCH_SECONDS)

    def _executor(
        self, asked: Asked, document: Document, context: Context
    ) -> Executor[None] | list[GraphQLError]:
        assert document.node is not None  # noqa: S101  # it has no errors
        return Executor[None].build(
            self._graph.schema,
            document.node,
            context_value=context,
            raw_variable_values=dict(asked.request.variables or {}),
            operation_name=asked.request.operation_name,
        )

    async def _run(
        self, executor: Executor[None], context: Context, asked: Asked, *, event: bool = False
    ) -> Answer:
        backstop = Deadline.after(context.deadline.remaining() + _BACKSTOP_SECONDS, self._clock)
        try:
            async with backstop.bound():
                running = (
                    execute_subscription_event(executor) if event else executor.execute_operation()
                )
                result = await running if executor.is_awaitable(running) else running
        except DeadlineExceeded as error:
            return Answer({"data": None, **_told_kind(error, asked)}, executed=True)
        result = cast(ExecutionResult, result)
        body: dict[str, Any] = {"data": result.data}
        if result.errors:
            body |= _told(tell_results(result.errors, asked.request_id))
        return Answer(body, executed=True)


def _refused(errors: Sequence[GraphQLError], asked: Asked) -> Answer:
    told = [tell_refused(each, asked.request_id) for each in errors]
    return Answer({"errors": told}, executed=False)


def _unfit(errors: Sequence[GraphQLError], asked: Asked) -> Answer:
    """Variables that do not fit, or an operation that is not there."""
    told = [tell(each, asked.request_id) for each in errors]
    return Answer({"errors": told}, executed=False)


def _failed(errors: Sequence[GraphQLError], asked: Asked) -> Answer:
    """A subscription that cannot begin or go on."""
    return Answer(_told(tell_results(errors, asked.request_id)), executed=False)


def _told(told: Told) -> dict[str, Any]:
    body: dict[str, Any] = {"errors": told.errors}
    if told.degraded:
        body["extensions"] = {"degraded": told.degraded}
    return body


def _told_kind(error: ChaupalError, asked: Asked) -> dict[str, Any]:
    return {"errors": [tell_kind(error, asked.request_id)]}


def _span(asked: Asked, document: Document) -> Any:
    """The span of an operation, named by its type after the conventions for GraphQL servers."""
    name = asked.request.operation_name
    operation = document.operation(name)
    kind = operation.operation if operation else OperationType.QUERY
    attributes = {graphql_attributes.GRAPHQL_OPERATION_TYPE: kind.value}
    named = name or (operation.name.value if operation and operation.name else None)
    if named:
        attributes[graphql_attributes.GRAPHQL_OPERATION_NAME] = named
    return _tracer.start_as_current_span(
        kind.value, kind=trace.SpanKind.SERVER, attributes=attributes
    )
