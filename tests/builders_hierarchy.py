"""Makes hierarchy's values with good defaults."""

import itertools
import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from services.hierarchy.domain.model import (
    Blueprint,
    Category,
    GroupKind,
    Level,
    LocalizedText,
    Place,
    RequestId,
    Unit,
    UnitId,
    UnitImport,
    UnitKey,
    UnitRow,
)

LEVELS = ("state", "district", "mandal", "booth")
_request_numbers = itertools.count(1)


def text(english: str, hindi: str = "") -> LocalizedText:
    return LocalizedText.of({"en": english} | ({"hi": hindi} if hindi else {}))


def a_blueprint(
    levels: Sequence[str] = LEVELS, *, name: str = "Neem Sangathan", style: str = "party"
) -> Blueprint:
    return Blueprint(
        style=style,
        names=text(name, "नीम संगठन"),
        levels=tuple(Level(key, text(key.title())) for key in levels),
        group_kinds=(
            GroupKind("internal", text("Internal"), has_category=False),
            GroupKind("category", text("Category", "वर्ग"), has_category=True),
        ),
        categories=(Category("farmers", text("Farmers", "किसान")),),
    )


def a_row(
    level: str,
    code: str,
    under: tuple[str, str] = ("", ""),
    *,
    name: str = "",
    hindi: str = "",
    place: Place | None = None,
    number: int = 0,
) -> UnitRow:
    """A row; its number is filled in by `numbered`, its name is level and code by default."""
    names = text(name or f"{level} {code}", hindi)
    return UnitRow(number, UnitKey(level, code), names, UnitKey(*under), place)


def numbered(rows: Sequence[UnitRow]) -> list[UnitRow]:
    """The rows as a file with one line of header has them: the first is row 2."""
    return [replace(row, row=line) for line, row in enumerate(rows, start=2)]


def a_request_id() -> RequestId:
    return RequestId(str(uuid.UUID(int=next(_request_numbers))))


def an_import(
    *rows: UnitRow,
    request_id: RequestId | None = None,
    validate_only: bool = False,
    effective_at: datetime | None = None,
) -> UnitImport:
    request_id = request_id or a_request_id()
    return UnitImport(request_id, numbered(rows), validate_only, effective_at)


def a_small_tree() -> list[UnitRow]:
    """A state with two districts; the first has two mandals, whose first has two booths."""
    state, first, mandal = ("state", "RJ"), ("district", "JPR"), ("mandal", "M1")
    return [
        a_row(*state, name="Rajasthan", hindi="राजस्थान", place=Place(26.92, 75.78)),
        a_row(*first, under=state),
        a_row("district", "AJM", under=state),
        a_row(*mandal, under=first),
        a_row("mandal", "M2", under=first),
        a_row("booth", "B1", under=mandal),
        a_row("booth", "B2", under=mandal),
    ]


def a_unit(
    level: str = "state",
    code: str = "RJ",
    *,
    unit_id: str = "",
    parent_id: str | None = None,
    revision: int = 1,
) -> Unit:
    return Unit(
        id=UnitId(unit_id or str(uuid.uuid5(uuid.NAMESPACE_OID, f"{level} {code}"))),
        level=level,
        code=code,
        names=text(f"{level} {code}"),
        parent_id=UnitId(parent_id) if parent_id else None,
        place=None,
        valid_from=datetime(2026, 1, 1, tzinfo=UTC),
        since=datetime(2026, 1, 1, tzinfo=UTC),
        revision=revision,
    )
