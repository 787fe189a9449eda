"""The shapes in which stores keep values that they never look into: JSON text, microseconds.

Shared by the stores, so that what one has written means the same in another.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, assert_never

from services.hierarchy.domain.events import BlueprintChanged, Change, TreeChanged
from services.hierarchy.domain.model import (
    Blueprint,
    Category,
    GroupKind,
    ImportReport,
    Level,
    LocalizedText,
    RowError,
)


@dataclass(frozen=True, slots=True)
class Answer:
    """The first answer under a request id, and what it was the answer to."""

    fingerprint: str
    report: ImportReport


EventKind = Literal["tree_changed", "blueprint_changed"]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# One for all: json.dumps makes a new encoder each time, and an import has 60,000 names.
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_MICROSECOND = timedelta(microseconds=1)


def microseconds(instant: datetime) -> int:
    """The instant as whole microseconds since 1970, which lose nothing, unlike a float."""
    return (instant - _EPOCH) // _MICROSECOND


def instant_of(value: int) -> datetime:
    """The instant of `microseconds`."""
    return _EPOCH + value * _MICROSECOND


def names_to_json(names: LocalizedText) -> str:
    """The texts by language."""
    return _encode(names.by_language)


def names_from_json(text: str) -> LocalizedText:
    """The value of `names_to_json`."""
    return LocalizedText.of(json.loads(text))


def blueprint_to_json(blueprint: Blueprint) -> str:
    """The whole blueprint with its version."""
    record = {
        "version": blueprint.version,
        "style": blueprint.style,
        "names": blueprint.names.by_language,
        "levels": [_keyed(level) for level in blueprint.levels],
        "group_kinds": [
            _keyed(kind) | {"has_category": kind.has_category} for kind in blueprint.group_kinds
        ],
        "categories": [_keyed(category) for category in blueprint.categories],
    }
    return json.dumps(record, ensure_ascii=False)


def blueprint_from_json(text: str) -> Blueprint:
    """The value of `blueprint_to_json`."""
    record = json.loads(text)
    return Blueprint(
        version=record["version"],
        style=record["style"],
        names=LocalizedText.of(record["names"]),
        levels=tuple(Level(*_key_and_names(each)) for each in record["levels"]),
        group_kinds=tuple(
            GroupKind(*_key_and_names(each), each["has_category"]) for each in record["group_kinds"]
        ),
        categories=tuple(Category(*_key_and_names(each)) for each in record["categories"]),
    )


def report_to_json(report: ImportReport) -> str:
    """The answer to an import, to be replayed."""
    return json.dumps(asdict(report), ensure_ascii=False)


def report_from_json(text: str) -> ImportReport:
    """The value of `report_to_json`."""
    record = json.loads(text)
    errors: Sequence[dict[str, Any]] = record.pop("errors")
    return ImportReport(**record, errors=tuple(RowError(**each) for each in errors))


def change_to_record(change: Change) -> tuple[EventKind, int]:
    """The kind of a change and the version that it tells."""
    match change:
        case TreeChanged(version):
            return "tree_changed", version
        case BlueprintChanged(version):
            return "blueprint_changed", version
        case _:
            assert_never(change)


def change_from_record(kind: EventKind, version: int) -> Change:
    """The value of `change_to_record`."""
    return TreeChanged(version) if kind == "tree_changed" else BlueprintChanged(version)


def _keyed(item: Level | GroupKind | Category) -> dict[str, Any]:
    return {"key": item.key, "names": item.names.by_language}


def _key_and_names(record: dict[str, Any]) -> tuple[str, LocalizedText]:
    return record["key"], LocalizedText.of(record["names"])
