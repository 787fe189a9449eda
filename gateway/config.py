"""The gateway's settings. Read by `__main__` and `app` only."""

import importlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import AfterValidator, BeforeValidator, Field

from gateway.subgraph import Subgraph
from kit.settings import CommaSet, Port, ProcessSettings, Seconds

# One line for each room of the graph.
SUBGRAPHS = (
    "gateway.subgraphs.platform",
    "gateway.subgraphs.hierarchy",
    "gateway.subgraphs.groups",
    "gateway.subgraphs.messaging",
)


@dataclass(frozen=True, slots=True)
class ExtraSubgraph:
    """A room that is not ours: the module that holds its `SUBGRAPH`, and its service's address."""

    module: str
    target: str


def _extra(value: object) -> object:
    if not isinstance(value, str):
        return value
    pairs = [part.strip().partition("@") for part in value.split(",") if part.strip()]
    if not all(module and target for module, _, target in pairs):
        raise ValueError("write module@target, with commas between")
    return tuple(ExtraSubgraph(module, target) for module, _, target in pairs)


def _positive(value: timedelta) -> timedelta:
    if value <= timedelta(0):
        raise ValueError("must be more than zero")
    return value


Bound = Annotated[int, Field(ge=1)]


class Settings(ProcessSettings):
    """Everything that the gateway reads from its environment."""

    service_name: ClassVar[str] = "gateway"

    port: Port = Field(8000, description="Port to listen on; 0 lets the system choose.")
    hierarchy_target: str = Field(
        "127.0.0.1:50051", description="Address of the hierarchy service."
    )
    groups_target: str = Field("127.0.0.1:50052", description="Address of the groups service.")
    messaging_target: str = Field(
        "127.0.0.1:50053", description="Address of the messaging service."
    )
    extra_subgraphs: Annotated[tuple[ExtraSubgraph, ...], BeforeValidator(_extra)] = Field(
        (), description="More rooms of the graph: `module@target`, with commas between."
    )
    consoles_dir: Path | None = Field(
        None, description="Folder with the built consoles `party` and `category`; none serves none."
    )
    allowed_origins: CommaSet = Field(
        frozenset(),
        description="Other origins whose pages may open a WebSocket, with commas between.",
    )
    operation_budget: Annotated[Seconds, AfterValidator(_positive)] = Field(
        timedelta(seconds=15),
        alias="OPERATION_BUDGET_SECONDS",
        description="How long one query, mutation or look of a subscription may take.",
    )
    max_body_bytes: Bound = Field(1024 * 1024, description="Largest body of a request.")
    max_message_bytes: Bound = Field(
        256 * 1024, description="Largest message that a client sends over a WebSocket."
    )
    max_tokens: Bound = Field(1_000, description="Most tokens of a document.")
    max_depth: Bound = Field(24, description="Deepest nesting of fields in an operation.")
    max_aliases: Bound = Field(15, description="Most aliases of an operation.")
    max_root_fields: Bound = Field(20, description="Most root fields of an operation.")
    max_directives: Bound = Field(50, description="Most directives of an operation.")
    max_cost: Bound = Field(
        100_000,  # 10-20 us of the loop for each: one to two seconds
        description="Most values of an operation's answer if every page that it asks for is full.",
    )
    max_running_cost: Bound = Field(
        2_000_000,  # some ten times what is answered in the end: two to four seconds of the loop
        description="Most values, counted like that, of all operations that run at once; a query"
        " or mutation beyond it is sent away, a look of a subscription waits.",
    )
    max_subscriptions: Bound = Field(
        20, description="Most operations that one WebSocket runs at once."
    )
    max_operations: Bound = Field(
        500, description="Most requests that are answered at once; more are sent away."
    )
    max_sockets: Bound = Field(2_000, description="Most WebSockets of known callers open at once.")
    max_waiting_sockets: Bound = Field(
        200,
        description="Most WebSockets open at once whose callers are not known yet;"
        " beyond it the one that has waited longest is closed.",
    )


def load_subgraphs(modules: Iterable[str]) -> list[Subgraph]:
    """The rooms in these modules, in their order."""
    return [_load_subgraph(module) for module in modules]


def _load_subgraph(module: str) -> Subgraph:
    found = getattr(importlib.import_module(module), "SUBGRAPH", None)
    if not isinstance(found, Subgraph):
        raise TypeError(f"{module} has no SUBGRAPH")
    return found
