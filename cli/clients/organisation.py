"""The words of a tenant's organisation over GraphQL: levels, kinds, categories and unit codes."""

import difflib
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from cli.clients.graphql import GraphQLClient
from cli.errors import Refusal

BLUEPRINT = """
query Blueprint { blueprint { levels { key } groupKinds { key } categories { key } } }
"""
UNIT = """
query Unit($level: String!, $code: String!) {
  unitByCode(level: $level, code: $code) { id name { text } }
}
"""
CHILDREN = """
query Children($parentId: ID) {
  units(parentId: $parentId, first: 1000) { nodes { id level code childCount } }
}
"""
# Units that are asked for their children: down to the districts, in about a second.
_MAX_PARENTS = 20
_SHOWN = 8


@dataclass(frozen=True, slots=True)
class Words:
    """The keys of a blueprint, in its order."""

    levels: Sequence[str]
    kinds: Sequence[str]
    categories: Sequence[str]

    def check(self, kinds: Sequence[str], categories: Sequence[str]) -> None:
        """Make sure that the blueprint has all of these.

        Raises:
            Refusal: Names each that it has not, and those that it has.
        """
        lines = _unknown("kind", "UNKNOWN_KIND", kinds, self.kinds)
        lines += _unknown("category", "UNKNOWN_CATEGORY", categories, self.categories)
        if lines:
            raise Refusal(
                "INVALID_AUDIENCE", "the audience names what is not there", "\n".join(lines)
            )


class Organisation:
    """The organisation of the token's tenant."""

    def __init__(self, client: GraphQLClient) -> None:
        self._client = client

    def words(self) -> Words | None:
        """Return the keys of the blueprint; none before one was put."""
        blueprint = self._client.execute(BLUEPRINT, {})["blueprint"]
        if blueprint is None:
            return None
        lists = (blueprint[name] for name in ("levels", "groupKinds", "categories"))
        return Words(*([str(one["key"]) for one in each] for each in lists))

    def unit_id(self, level: str, code: str, words: Words) -> str:
        """Return the id of a unit by level and code.

        Raises:
            Refusal: There is none; names the levels, or the codes that are nearest.
        """
        if level not in words.levels:
            known = f"The levels are {', '.join(words.levels)}."
            raise Refusal("UNKNOWN_UNIT", f"there is no level {level}", known)
        unit = self._client.execute(UNIT, {"level": level, "code": code})["unitByCode"]
        if unit is None:
            codes = self._codes(level, words.levels)
            cure = _nearest(level, code, codes)
            raise Refusal("UNKNOWN_UNIT", f"there is no unit {level}:{code}", cure)
        return str(unit["id"])

    def _codes(self, level: str, levels: Sequence[str]) -> list[str]:
        """Return the codes of a level; none when it takes too many questions."""
        above = set(levels[: levels.index(level)])
        codes: list[str] = []
        parents: deque[str | None] = deque([None])
        for _ in range(_MAX_PARENTS):
            page = self._client.execute(CHILDREN, {"parentId": parents.popleft()})["units"]
            codes += [str(unit["code"]) for unit in page["nodes"] if unit["level"] == level]
            parents += [
                str(unit["id"])
                for unit in page["nodes"]
                if unit["childCount"] and unit["level"] in above
            ]
            if not parents:
                return codes
        return []


def _nearest(level: str, code: str, codes: Sequence[str]) -> str:
    if not codes:
        return "See the tree in a console, or the units.csv that was imported, for the codes."
    folded = {one.casefold(): one for one in codes}
    near = difflib.get_close_matches(code.casefold(), folded, _SHOWN, cutoff=0.5)
    if near:
        return f"Near to it: {', '.join(f'{level}:{folded[one]}' for one in near)}."
    more = f" and {len(codes) - _SHOWN} more" if len(codes) > _SHOWN else ""
    return f"There are {', '.join(f'{level}:{one}' for one in codes[:_SHOWN])}{more}."


def _unknown(what: str, reason: str, given: Sequence[str], known: Sequence[str]) -> list[str]:
    return [
        f'there is no {what} "{one}", there are {", ".join(known) or "none"} ({reason})'
        for one in given
        if one not in known
    ]
