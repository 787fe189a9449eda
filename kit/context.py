"""The context of the call that is being served, for servicers and log lines.

It lives in the task of one server call. It is handed on as plain arguments from there: nothing
below a servicer, and no other call, reads identity or deadline from here.
"""

import asyncio
from contextvars import ContextVar
from dataclasses import dataclass, field

from kit.deadline import Deadline
from kit.tokens import Caller


@dataclass(frozen=True, slots=True)
class CallContext:
    """Who calls, until when, and under which request id.

    `draining` is set when the server is going; a stream that has no end of its own ends then.
    """

    caller: Caller
    deadline: Deadline
    request_id: str
    draining: asyncio.Event = field(default_factory=asyncio.Event, repr=False, compare=False)


_call: ContextVar[CallContext] = ContextVar("chaupal_call")
_request_id: ContextVar[str] = ContextVar("chaupal_request_id", default="")


def current() -> CallContext:
    """The call being served. Raises LookupError outside of one."""
    return _call.get()


def bind(call: CallContext) -> None:
    """Make this the current call of the running task; for the server's interceptor."""
    _call.set(call)


def request_id() -> str:
    """The request id for log lines; empty outside of a request."""
    return _request_id.get()


def bind_request_id(text: str) -> None:
    """Name the request that the running task works for; for edges and workers."""
    _request_id.set(text)
