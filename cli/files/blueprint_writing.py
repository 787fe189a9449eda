"""Writes blueprint.yaml: in one order, with a comment on each section, as people edit it."""

import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence

from cli.files.blueprint import FORMAT
from cli.records import BlueprintRecord, GrantTerm, KindTerm, PositionTerm, TeamTerm, Term

_HEAD = """\
# The organisation's own definition of itself. Keys are lower_snake_case and stay; names are what
# people read, by language, English (en) at least.
"""
_COMMENTS = {
    "levels": "From the top down.",
    "group_kinds": "Groups of a kind with has_category carry one of the categories.",
    "categories": "What cuts across the levels.",
    "positions": (
        "Offices of the units of some levels. seats: how many may hold it in one unit, 0 for\n"
        "# any number. roles: head, state_executive, monitor, convenor. grants: what a holder may\n"
        "# do in the unit and below: view, compose, approve, administer, relay, monitor."
    ),
    "team_kinds": "Teams that units of some levels may have; max_members 0 for any number.",
}
# Words of YAML 1.1 that are no texts, for whoever reads the file with another tool.
_RESERVED = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})
# They join letters in Hindi and are no letters; YAML prints them.
_JOINERS = "\u200c\u200d"


def blueprint_yaml(record: BlueprintRecord) -> str:
    """Return the content of the file; reading it gives the same record."""
    return "".join(_file(record))


def _file(record: BlueprintRecord) -> Iterator[str]:
    yield _HEAD
    yield f"format: {FORMAT}\n"
    yield f"style: {_scalar(record.style)}\n"
    yield f"names: {_flow(record.names)}\n"
    if record.centre_level:
        yield "# The level whose only unit is the centre; it is the top level.\n"
        yield f"centre_level: {_scalar(record.centre_level)}\n"
    if record.verification_days:
        yield "# For so many days a verified appointment counts as verified.\n"
        yield f"verification_days: {record.verification_days}\n"
    yield from _section("levels", map(_term, record.levels))
    yield from _section("group_kinds", map(_kind, record.group_kinds))
    yield from _section("categories", map(_term, record.categories))
    yield from _section("positions", map(_position, record.positions))
    yield from _section("team_kinds", map(_team, record.team_kinds))


def _section(name: str, items: Iterable[str]) -> Iterator[str]:
    written = list(items)
    if written:
        yield f"\n# {_COMMENTS[name]}\n{name}:\n"
        yield from written


def _term(term: Term) -> str:
    return f"  - {{ key: {_scalar(term.key)}, names: {_flow(term.names)} }}\n"


def _kind(kind: KindTerm) -> str:
    flag = ", has_category: true" if kind.has_category else ""
    return f"  - {{ key: {_scalar(kind.key)}{flag}, names: {_flow(kind.names)} }}\n"


def _position(position: PositionTerm) -> str:
    lines = [*_head(position), f"seats: {position.seats}"]
    if position.roles:
        lines.append(f"roles: {_list(position.roles)}")
    if any(grant.categories or grant.group_kinds for grant in position.grants):
        lines += ["grants:", *(f"  - {_grant(grant)}" for grant in position.grants)]
    elif position.grants:
        lines.append(f"grants: {_list([grant.capability for grant in position.grants])}")
    return _block(lines)


def _team(team: TeamTerm) -> str:
    return _block([*_head(team), f"max_members: {team.max_members}"])


def _head(item: PositionTerm | TeamTerm) -> list[str]:
    return [
        f"key: {_scalar(item.key)}",
        f"names: {_flow(item.names)}",
        f"levels: {_list(item.levels)}",
    ]


def _grant(grant: GrantTerm) -> str:
    narrowed = [
        f"{name}: {_list(keys)}"
        for name, keys in (("categories", grant.categories), ("group_kinds", grant.group_kinds))
        if keys
    ]
    if not narrowed:
        return _scalar(grant.capability)
    return f"{{ capability: {_scalar(grant.capability)}, {', '.join(narrowed)} }}"


def _block(lines: Sequence[str]) -> str:
    return "".join(f"  {'  ' if index else '- '}{line}\n" for index, line in enumerate(lines))


def _list(texts: Sequence[str]) -> str:
    return f"[{', '.join(map(_scalar, texts))}]"


def _flow(texts: Mapping[str, str]) -> str:
    """English first, as the file's readers share it."""
    order = sorted(texts, key=lambda language: (language != "en", language))
    return f"{{ {', '.join(f'{_scalar(each)}: {_scalar(texts[each])}' for each in order)} }}"


def _scalar(text: str) -> str:
    return text if _is_plain(text) else f'"{"".join(map(_escaped, text))}"'


def _is_plain(text: str) -> bool:
    """Whether YAML reads the bare text as that text, anywhere: letters first, then words."""
    return (
        text[:1].isalpha()
        and text[-1:] != " "
        and text.casefold() not in _RESERVED
        and all(map(_is_word, text))
    )


def _is_word(char: str) -> bool:
    return (
        char.isalnum() or char in " _-" or char in _JOINERS or unicodedata.category(char)[0] == "M"
    )


def _escaped(char: str) -> str:
    if char in '"\\':
        return f"\\{char}"
    if char.isprintable() or char in _JOINERS:
        return char
    return f"\\U{ord(char):08X}" if ord(char) > 0xFFFF else f"\\u{ord(char):04X}"
