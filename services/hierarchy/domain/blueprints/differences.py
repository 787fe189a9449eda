"""In what two blueprints differ, one entry for each thing, for people who are about to change one.

A blueprint is laid out flat: its own words, and for each section its items by key, each with its
words by path. Two blueprints that say the same have no difference, and others at least one.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from services.hierarchy.domain.model import (
    Blueprint,
    Category,
    Grant,
    GroupKind,
    Level,
    LocalizedText,
    Position,
    TeamKind,
)

Words = Mapping[str, str]
Items = Mapping[str, Words]
# What stands on each item of a section: units on levels, appointments on positions and so on.
Counts = Mapping[str, Mapping[str, int]]

_NOTHING: Mapping[str, int] = {}


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing in which two blueprints differ.

    Attributes:
        path: such as "positions[booth_president].seats".
        before: as it was; empty when it was not there.
        after: as it is; empty when it is gone.
        affected_count: how many units, appointments or teams stand on it.
    """

    path: str
    before: str
    after: str
    affected_count: int = 0


def differences(old: Blueprint | None, new: Blueprint, counts: Counts) -> tuple[Difference, ...]:
    """Everything in which the new one differs, in the order of a blueprint.

    Args:
        old: what stands; None when everything is new.
        new: what is to stand.
        counts: for "levels", "positions" and "team_kinds" what stands on each key.
    """
    return tuple(_differences(old, new, counts))


def _differences(old: Blueprint | None, new: Blueprint, counts: Counts) -> Iterator[Difference]:
    yield from _words(_own_words(old) if old else {}, _own_words(new), "", 0)
    before = _sections(old) if old else {}
    for section, items in _sections(new).items():
        standing = counts.get(section, _NOTHING)
        yield from _items(section, before.get(section, {}), items, standing)


def _items(
    section: str, before: Items, after: Items, counts: Mapping[str, int]
) -> Iterator[Difference]:
    stay = [key for key in after if key in before]
    ordered = [key for key in before if key in after]
    if stay != ordered:
        affected = sum(counts.get(key, 0) for key in stay)
        yield Difference(section, ", ".join(ordered), ", ".join(stay), affected)
    for key, words in before.items():
        if key not in after:
            path = f"{section}[{key}]"
            yield Difference(path, words["names.en"], "", counts.get(key, 0))
    for place, (key, words) in enumerate(after.items()):
        path = f"{section}[{key}]"
        if key in before:
            yield from _words(before[key], words, f"{path}.", counts.get(key, 0))
        else:
            where = _where(list(after.values()), place) if section == "levels" else ""
            yield Difference(path, "", words["names.en"] + where, counts.get(key, 0))


def _where(levels: Sequence[Words], place: int) -> str:
    return f", below {levels[place - 1]['names.en']}" if place else ", at the top"


def _words(before: Words, after: Words, path: str, count: int) -> Iterator[Difference]:
    for name in dict.fromkeys((*before, *after)):
        was, now = before.get(name, ""), after.get(name, "")
        if was != now:
            yield Difference(f"{path}{name}", was, now, count)


def _own_words(blueprint: Blueprint) -> Words:
    return {
        "style": blueprint.style,
        **_names(blueprint.names),
        "centre_level": blueprint.centre_level,
        "verification_days": str(blueprint.verification_days),
    }


def _sections(blueprint: Blueprint) -> Mapping[str, Items]:
    return {
        "levels": {each.key: _term_words(each) for each in blueprint.levels},
        "group_kinds": {each.key: _kind_words(each) for each in blueprint.group_kinds},
        "categories": {each.key: _term_words(each) for each in blueprint.categories},
        "positions": {each.key: _position_words(each) for each in blueprint.positions},
        "team_kinds": {each.key: _team_words(each) for each in blueprint.team_kinds},
    }


def _term_words(term: Level | Category) -> Words:
    return _names(term.names)


def _kind_words(kind: GroupKind) -> Words:
    return {**_names(kind.names), "has_category": "yes" if kind.has_category else "no"}


def _position_words(position: Position) -> Words:
    return {
        **_names(position.names),
        "levels": ", ".join(position.levels),
        "seats": _bound(position.seats),
        "roles": ", ".join(position.roles),
        "grants": "; ".join(map(_grant_text, position.grants)),
    }


def _team_words(kind: TeamKind) -> Words:
    return {
        **_names(kind.names),
        "levels": ", ".join(kind.levels),
        "max_members": _bound(kind.max_members),
    }


def _names(names: LocalizedText) -> Words:
    return {f"names.{tag}": text for tag, text in names.texts}


def _bound(number: int) -> str:
    return str(number) if number else "any number"


def _grant_text(grant: Grant) -> str:
    narrowed = [
        f"{what} {', '.join(keys)}"
        for what, keys in (("categories", grant.categories), ("group kinds", grant.group_kinds))
        if keys
    ]
    return f"{grant.capability} ({'; '.join(narrowed)})" if narrowed else grant.capability
