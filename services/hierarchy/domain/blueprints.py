"""The rules of a blueprint: alone, and against the units that stand on its levels."""

from collections.abc import Container, Iterator, Sequence
from dataclasses import replace
from typing import Protocol

from kit.errors import FieldViolation
from services.hierarchy.domain.errors import BlueprintInUse
from services.hierarchy.domain.events import AccessChanged, BlueprintChanged, Change, TreeChanged
from services.hierarchy.domain.model import Blueprint, LocalizedText
from services.hierarchy.domain.operations import Decision, Moment, Steps, Want
from services.hierarchy.domain.tenants import TenantHeader
from services.hierarchy.domain.text import is_key, quoted, text_faults

STYLES = ("party", "category")
MAX_LEVELS = 16
MAX_GROUP_KINDS = 64
MAX_CATEGORIES = 256


class _Keyed(Protocol):
    @property
    def key(self) -> str: ...
    @property
    def names(self) -> LocalizedText: ...


def blueprint_violations(draft: Blueprint, path: str) -> tuple[FieldViolation, ...]:
    """Everything that is wrong with a blueprint by itself, under a request's field path."""
    return tuple(_violations(draft, path))


def decide_blueprint(draft: Blueprint, moment: Moment) -> Steps[Blueprint]:
    """Replace the blueprint. Levels may be added anywhere, and those without units may go.

    Args:
        draft: valid by itself (`blueprint_violations`).
        moment: of the write.

    Raises:
        BlueprintInUse: levels with units would go or change their order among each other.
    """
    header, old = moment.header, moment.header.blueprint
    if old and old.says_the_same_as(draft):
        return Decision(old)
    if old and (at_fault := _levels_at_fault(old, draft, header.used_levels)):
        raise BlueprintInUse(at_fault)
    yield Want({})  # what stands on positions and team kinds is asked for here
    new = replace(draft, version=old.version + 1 if old else 1)
    return _replaced(header, new)


def _replaced(header: TenantHeader, new: Blueprint) -> Decision[Blueprint]:
    """Units that stand on a list of levels that differs have changed with it.

    Whoever holds the tree holds indexes into that list.
    """
    old = header.blueprint
    levels_differ = old is not None and old.level_keys != new.level_keys
    changes_tree = levels_differ and bool(header.used_levels)
    tree_version = header.tree_version + changes_tree
    after = replace(
        header,
        blueprint=new,
        tree_version=tree_version,
        levels_version=tree_version if changes_tree else header.levels_version,
        access_version=header.access_version + 1,
    )
    changes: list[Change] = [TreeChanged(tree_version)] if changes_tree else []
    changes += BlueprintChanged(new.version), AccessChanged(after.access_version)
    return Decision(new, header=after, changes=changes)


def _levels_at_fault(old: Blueprint, new: Blueprint, used: Container[str]) -> tuple[str, ...]:
    kept = [key for key in new.level_keys if key in used]
    wanted = [key for key in old.level_keys if key in used]
    if kept == wanted:
        return ()
    missing = tuple(key for key in wanted if key not in kept)
    return missing or tuple(
        key for key, now in zip(wanted, kept, strict=True) if key != now
    )  # without a loss both hold the same keys


def _violations(draft: Blueprint, path: str) -> Iterator[FieldViolation]:
    if draft.style not in STYLES:
        said = f"{quoted(draft.style)} is not one of {', '.join(STYLES)}"
        yield FieldViolation(f"{path}.style", "UNKNOWN_STYLE", said)
    yield from _name_violations(draft.names, path)
    yield from _list_violations(draft.levels, f"{path}.levels", 1, MAX_LEVELS)
    yield from _list_violations(draft.group_kinds, f"{path}.group_kinds", 1, MAX_GROUP_KINDS)
    yield from _list_violations(draft.categories, f"{path}.categories", 0, MAX_CATEGORIES)


def _list_violations(
    items: Sequence[_Keyed], path: str, minimum: int, maximum: int
) -> Iterator[FieldViolation]:
    if len(items) < minimum:
        yield FieldViolation(path, "MISSING", f"needs at least {minimum}")
    if len(items) > maximum:
        yield FieldViolation(path, "TOO_MANY", f"has {len(items)}, at most {maximum}")
        return
    first_at: dict[str, int] = {}
    for index, item in enumerate(items):
        yield from _key_violations(item.key, f"{path}[{index}].key", first_at.get(item.key))
        yield from _name_violations(item.names, f"{path}[{index}]")
        first_at.setdefault(item.key, index)


def _key_violations(key: str, path: str, first_at: int | None) -> Iterator[FieldViolation]:
    if not is_key(key):
        said = f"{quoted(key)} is not lower_snake_case of at most 64 characters"
        yield FieldViolation(path, "BAD_KEY", said)
    elif first_at is not None:
        yield FieldViolation(path, "DUPLICATE_KEY", f"{key} is already at index {first_at}")


def _name_violations(names: LocalizedText, path: str) -> Iterator[FieldViolation]:
    for fault in text_faults(names):
        field = f"{path}.names.by_language" + (f".{fault.field}" if fault.field else "")
        yield FieldViolation(field, fault.reason, fault.description)
