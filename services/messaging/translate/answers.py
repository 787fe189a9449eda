"""Answers that have to fit into a message."""

from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import TypeVar

from chaupal.messaging.v1 import messaging_pb2 as pb
from google.protobuf.message import Message

from kit.errors import ChaupalError, answer_too_large
from kit.status import error_to_status
from services.messaging.domain.broadcasts import Broadcast
from services.messaging.domain.progress import Progress
from services.messaging.ports import BroadcastsPage
from services.messaging.translate.values import broadcast_to_proto, progress_to_proto

DOMAIN = "messaging.chaupal"
# gRPC's receivers take 4 MiB a message; what is left is for the frame around it.
MAX_ANSWER_BYTES = 4 * 1024 * 1024 - 64 * 1024

A = TypeVar("A", bound=Message)


def broadcast_result(answer: Broadcast | ChaupalError) -> pb.BroadcastResult:
    """One item of a batch of broadcasts."""
    if isinstance(answer, ChaupalError):
        return pb.BroadcastResult(status=error_to_status(answer, DOMAIN))
    return pb.BroadcastResult(broadcast=broadcast_to_proto(answer))


def progress_result(answer: Progress | ChaupalError) -> pb.ProgressResult:
    """One item of a batch of progress."""
    if isinstance(answer, ChaupalError):
        return pb.ProgressResult(status=error_to_status(answer, DOMAIN))
    return pb.ProgressResult(progress=progress_to_proto(answer))


def broadcasts_page(
    page: BroadcastsPage, token_of: Callable[[str], str]
) -> pb.ListBroadcastsResponse:
    """A page; a shorter one when all would not go into one message."""
    messages = list(map(broadcast_to_proto, page.broadcasts))
    shown = _how_many_fit(messages)
    has_more = page.has_more or shown < len(messages)
    return pb.ListBroadcastsResponse(
        broadcasts=messages[:shown],
        next_page_token=token_of(page.cursors[shown - 1]) if has_more else "",
    )


def checked(answer: A, field: str) -> A:
    """The answer, if it goes into a message.

    Raises:
        InvalidInput: ANSWER_TOO_LARGE on the field that asked for too much.
    """
    if answer.ByteSize() > MAX_ANSWER_BYTES:
        raise answer_too_large(field)
    return answer


def _how_many_fit(messages: Sequence[Message]) -> int:
    sizes = list(accumulate(message.ByteSize() for message in messages))
    # At least one: a page without any would be asked for again and again.
    return max(sum(size <= MAX_ANSWER_BYTES for size in sizes), min(1, len(messages)))
