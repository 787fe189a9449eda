"""How the hierarchy's batch answers are read: one value or error for each key, in key order."""

from collections.abc import Iterable
from typing import Any

from google.protobuf.message import Message

from kit.errors import ChaupalError
from kit.status import status_to_error


def outcomes(results: Iterable[Any], field: str) -> list[Any | ChaupalError]:
    """What each result holds in its field, or the error that its status tells."""
    return [_outcome(each, field) for each in results]


def _outcome(result: Any, field: str) -> Message | ChaupalError:
    if result.HasField(field):
        found: Message = getattr(result, field)
        return found
    return status_to_error(result.status)
