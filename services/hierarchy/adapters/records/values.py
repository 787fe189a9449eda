"""Single values as stores keep them."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from services.hierarchy.domain.model import LocalizedText

Scalar = str | int | float | bool | None
# As a store gives it back; a column without a value may be None or absent.
Row = Mapping[str, Any]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
# One for all: json.dumps makes a new encoder each time, and an import has 60,000 names.
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def microseconds(instant: datetime) -> int:
    """The instant as whole microseconds since 1970, which lose nothing, unlike a float."""
    return (instant - _EPOCH) // _MICROSECOND


def instant_of(value: int) -> datetime:
    """The instant of `microseconds`."""
    return _EPOCH + value * _MICROSECOND


def microseconds_or_none(instant: datetime | None) -> int | None:
    """The instant in microseconds, where there is one."""
    return None if instant is None else microseconds(instant)


def instant_or_none(value: int | None) -> datetime | None:
    """The instant of `microseconds_or_none`."""
    return None if value is None else instant_of(value)


def names_to_json(names: LocalizedText) -> str:
    """The texts by language."""
    return _encode(names.by_language)


def names_from_json(text: str) -> LocalizedText:
    """The value of `names_to_json`."""
    return LocalizedText.of(json.loads(text))


def texts_to_json(texts: tuple[str, ...]) -> str:
    """The texts in their order."""
    return _encode(texts)


def texts_from_json(text: str) -> tuple[str, ...]:
    """The value of `texts_to_json`."""
    return tuple(json.loads(text))
