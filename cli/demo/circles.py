"""Who administers a unit's groups: its own people, then those nearest to it in the tree."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from cli.demo.sites import Site
from cli.demo.staff import Staff

# Enough for an owner, two admins and a backup.
MOST = 4
_LEAST = 2


class Circles:
    """Finds people for the groups of each unit.

    Args:
        sites: The units, parents before children.
        staff: Who holds what.
        heads: The office at the head of each level.
        desks: By level, the office whose first holder answers for the first category, the second
            for the second; others come after them.
    """

    def __init__(
        self,
        sites: Sequence[Site],
        staff: Staff,
        heads: Mapping[str, str],
        desks: Mapping[str, str],
        categories: Iterable[str],
    ) -> None:
        self._staff = staff
        self._heads = heads
        self._desks = desks
        self._desk_of = {category: number for number, category in enumerate(categories)}
        self._sites = {one.key: one for one in sites}
        self._below = _below(sites)
        # The neighbour: who comes next below the same parent, and after the last the first.
        self._next = {
            one.key: after
            for beside in self._below.values()
            for one, after in zip(beside, (*beside[1:], beside[0]), strict=True)
        }
        districts = [one.key for one in sites if one.level == "district"]
        self._turns = {key: turn for turn, key in enumerate(districts)}

    def admins(self, site: Site, category: str) -> Sequence[str]:
        """Return two to four people for a group, whoever is nearest first."""
        near = dict.fromkeys(self._near(site, category))
        for one in self._above(site):
            if len(near) >= _LEAST:
                break
            near.update(dict.fromkeys(self._staff.everybody(one.key)))
        return [*near][:MOST]

    def executive(self, site: Site, category: str) -> str:
        """Return who of the state executive answers for a category around here: by districts."""
        executives = self._staff.executives[category]
        district = next(one for one in (site, *self._above(site)) if one.key in self._turns)
        return executives[self._turns[district.key] % len(executives)]

    def head(self, site: Site) -> Sequence[str]:
        """Return who stands at the head of a unit, if anybody does."""
        position = self._heads.get(site.level)
        return self._staff.holders(site.key, position) if position else ()

    def below(self, site: Site) -> Sequence[Site]:
        """Return the units right below one."""
        return self._below.get(site.key, ())

    def _near(self, site: Site, category: str) -> Iterator[str]:
        parent = self._sites.get(site.parent)
        if category:
            yield from self._desk(site, category)
        yield from self._staff.everybody(site.key)[:MOST]
        for one in self.below(site)[:MOST]:
            yield from self.head(one)
        if parent:
            yield from self._desk(parent, category) if category else self.head(parent)
            yield from self.head(self._next[site.key])

    def _desk(self, site: Site, category: str) -> Sequence[str]:
        """Return who answers for a category in a unit, if anybody does."""
        position = self._desks.get(site.level)
        turn = self._desk_of[category]
        return self._staff.holders(site.key, position)[turn : turn + 1] if position else ()

    def _above(self, site: Site) -> Iterator[Site]:
        while site.parent in self._sites:
            site = self._sites[site.parent]
            yield site


def _below(sites: Sequence[Site]) -> Mapping[tuple[str, str], Sequence[Site]]:
    below: defaultdict[tuple[str, str], list[Site]] = defaultdict(list)
    for one in sites:
        below[one.parent].append(one)
    return below
