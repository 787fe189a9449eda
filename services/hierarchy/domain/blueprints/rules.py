"""What a blueprint must be by itself, whatever stands on it.

Not asked for: a convenor wherever there are monitors. Without one a watch line goes from the
monitor straight to the centre, and an organisation may want just that.
"""

from collections.abc import Iterator, Sequence
from typing import Protocol

from kit.errors import FieldViolation
from services.hierarchy.domain.model import (
    CAPABILITIES,
    ROLES,
    Blueprint,
    Grant,
    LocalizedText,
    Position,
)
from services.hierarchy.domain.text import is_key, quoted, text_faults

STYLES = ("party", "category")
MAX_LEVELS = 16
MAX_GROUP_KINDS = 64
MAX_CATEGORIES = 256
MAX_POSITIONS = 256
MAX_TEAM_KINDS = 64
MAX_GRANTS = 16
MAX_SEATS = 1_000
MAX_MEMBERS = 10_000
MAX_VERIFICATION_DAYS = 3_650
# As many as there are categories, the longest list to choose from.
MAX_CHOICES = MAX_CATEGORIES
# So many of what there is are named where something is not among them.
_NAMED_MOST = 16

Violations = Iterator[FieldViolation]


class _Keyed(Protocol):
    @property
    def key(self) -> str: ...
    @property
    def names(self) -> LocalizedText: ...


def blueprint_violations(draft: Blueprint, path: str) -> tuple[FieldViolation, ...]:
    """Everything that is wrong with a blueprint by itself, under a request's field path.

    Reasons: MISSING, UNKNOWN_STYLE, BAD_NAME, BAD_KEY, DUPLICATE_KEY, DUPLICATE, TOO_MANY,
    OUT_OF_RANGE, UNKNOWN_LEVEL, UNKNOWN_ROLE, UNKNOWN_CAPABILITY, UNKNOWN_CATEGORY, UNKNOWN_KIND,
    SECOND_HEAD, NOT_TOP_LEVEL.
    """
    return tuple(_violations(draft, path))


def _violations(draft: Blueprint, path: str) -> Violations:
    if draft.style not in STYLES:
        said = f"{quoted(draft.style)} is not one of {', '.join(STYLES)}"
        yield FieldViolation(f"{path}.style", "UNKNOWN_STYLE", said)
    yield from _name_violations(draft.names, path)
    yield from _list_violations(draft.levels, f"{path}.levels", 1, MAX_LEVELS)
    yield from _list_violations(draft.group_kinds, f"{path}.group_kinds", 1, MAX_GROUP_KINDS)
    yield from _list_violations(draft.categories, f"{path}.categories", 0, MAX_CATEGORIES)
    yield from _list_violations(draft.positions, f"{path}.positions", 0, MAX_POSITIONS)
    yield from _list_violations(draft.team_kinds, f"{path}.team_kinds", 0, MAX_TEAM_KINDS)
    yield from _position_violations(draft, f"{path}.positions")
    yield from _head_violations(draft, f"{path}.positions")
    yield from _team_kind_violations(draft, f"{path}.team_kinds")
    yield from _centre_violations(draft, f"{path}.centre_level")
    yield from _range_violations(
        draft.verification_days, f"{path}.verification_days", 1, MAX_VERIFICATION_DAYS
    )


def _list_violations(items: Sequence[_Keyed], path: str, minimum: int, maximum: int) -> Violations:
    if len(items) < minimum:
        yield FieldViolation(path, "MISSING", f"needs at least {minimum}")
    if len(items) > maximum:
        yield _too_many(path, len(items), maximum)
        return
    first_at: dict[str, int] = {}
    for index, item in enumerate(items):
        yield from _key_violations(item.key, f"{path}[{index}].key", first_at.get(item.key))
        yield from _name_violations(item.names, f"{path}[{index}]")
        first_at.setdefault(item.key, index)


def _key_violations(key: str, path: str, first_at: int | None) -> Violations:
    if not is_key(key):
        said = f"{quoted(key)} is not lower_snake_case of at most 64 characters"
        yield FieldViolation(path, "BAD_KEY", said)
    elif first_at is not None:
        yield FieldViolation(path, "DUPLICATE_KEY", f"{key} is already at index {first_at}")


def _name_violations(names: LocalizedText, path: str) -> Violations:
    for fault in text_faults(names):
        field = f"{path}.names.by_language" + (f".{fault.field}" if fault.field else "")
        yield FieldViolation(field, fault.reason, fault.description)


def _position_violations(draft: Blueprint, path: str) -> Violations:
    for index, position in enumerate(draft.positions[:MAX_POSITIONS]):
        at = f"{path}[{index}]"
        yield from _level_violations(position.levels, f"{at}.levels", draft)
        yield from _range_violations(position.seats, f"{at}.seats", 0, MAX_SEATS)
        yield from _choice_violations(position.roles, f"{at}.roles", ROLES, "UNKNOWN_ROLE")
        yield from _grant_violations(position.grants, f"{at}.grants", draft)


def _grant_violations(grants: Sequence[Grant], path: str, draft: Blueprint) -> Violations:
    if len(grants) > MAX_GRANTS:
        yield _too_many(path, len(grants), MAX_GRANTS)
        return
    categories = [each.key for each in draft.categories]
    kinds = [each.key for each in draft.group_kinds]
    for index, grant in enumerate(grants):
        at = f"{path}[{index}]"
        if grant.capability not in CAPABILITIES:
            said = f"{quoted(grant.capability)} is not one of {', '.join(CAPABILITIES)}"
            yield FieldViolation(f"{at}.capability", "UNKNOWN_CAPABILITY", said)
        yield from _choice_violations(
            grant.categories, f"{at}.categories", categories, "UNKNOWN_CATEGORY"
        )
        yield from _choice_violations(grant.group_kinds, f"{at}.group_kinds", kinds, "UNKNOWN_KIND")
        if (first_at := grants.index(grant)) < index:
            yield FieldViolation(at, "DUPLICATE", f"says the same as index {first_at}")


def _head_violations(draft: Blueprint, path: str) -> Violations:
    """What is handed up goes to the head of a unit: two of them, and nobody would know to whom."""
    heads: dict[str, Position] = {}
    for index, position in enumerate(draft.positions[:MAX_POSITIONS]):
        if "head" not in position.roles:
            continue
        for level in dict.fromkeys(position.levels):
            head = heads.setdefault(level, position)
            if head is not position:
                said = f"{head.key} is already head of units of the level {quoted(level)}"
                yield FieldViolation(f"{path}[{index}].roles", "SECOND_HEAD", said)


def _team_kind_violations(draft: Blueprint, path: str) -> Violations:
    for index, kind in enumerate(draft.team_kinds[:MAX_TEAM_KINDS]):
        yield from _level_violations(kind.levels, f"{path}[{index}].levels", draft)
        yield from _range_violations(
            kind.max_members, f"{path}[{index}].max_members", 0, MAX_MEMBERS
        )


def _centre_violations(draft: Blueprint, path: str) -> Violations:
    if draft.centre_level and draft.centre_level not in draft.level_keys:
        yield FieldViolation(path, "UNKNOWN_LEVEL", _unknown(draft.centre_level, draft.level_keys))
    elif draft.centre_level and draft.centre_level != draft.level_keys[0]:
        said = f"the centre is above all: name the top level, {draft.level_keys[0]}"
        yield FieldViolation(path, "NOT_TOP_LEVEL", said)


def _level_violations(keys: Sequence[str], path: str, draft: Blueprint) -> Violations:
    if not keys:
        yield FieldViolation(path, "MISSING", "needs at least 1")
    yield from _choice_violations(keys, path, draft.level_keys, "UNKNOWN_LEVEL")


def _choice_violations(
    keys: Sequence[str], path: str, known: Sequence[str], reason: str
) -> Violations:
    if len(keys) > MAX_CHOICES:
        yield _too_many(path, len(keys), MAX_CHOICES)
        return
    first_at: dict[str, int] = {}
    for index, key in enumerate(keys):
        if key not in known:
            yield FieldViolation(f"{path}[{index}]", reason, _unknown(key, known))
        elif key in first_at:
            said = f"{key} is already at index {first_at[key]}"
            yield FieldViolation(f"{path}[{index}]", "DUPLICATE", said)
        first_at.setdefault(key, index)


def _range_violations(number: int, path: str, minimum: int, maximum: int) -> Violations:
    if not minimum <= number <= maximum:
        said = f"{number} is not between {minimum} and {maximum:,}"
        yield FieldViolation(path, "OUT_OF_RANGE", said)


def _unknown(key: str, known: Sequence[str]) -> str:
    more = ", …" if len(known) > _NAMED_MOST else ""
    named = ", ".join(known[:_NAMED_MOST]) or "none"
    return f"{quoted(key)} is not among those that there are: {named}{more}"


def _too_many(path: str, count: int, maximum: int) -> FieldViolation:
    return FieldViolation(path, "TOO_MANY", f"has {count}, at most {maximum}")
