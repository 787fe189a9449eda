"""Makes the groups of a demo organisation, with the flaws that a real register has."""

from random import Random

from cli.demo.circles import Circles
from cli.demo.facts import Name
from cli.demo.sites import Site
from cli.records import GroupRecord

# What an ordinary WhatsApp group holds at most.
CAPACITY = 1_024

_PLANNED, _RETIRED, _UNVERIFIED = 0.02, 0.035, 0.095  # cumulative shares
_ORPHANED = 0.015
# Only large groups fill up; a team of forty does not.
_FULL = 0.03
_LARGE = 500
_WITHOUT_BACKUP = 0.3
_ONE_ADMIN = 0.5
# Work for somebody: a category group needs one, and gets no message of its category without.
_WITHOUT_EXECUTIVE = 0.02
_RAJASTHANI = 0.03


class Registrar:
    """Registers groups one after the other; the same seed makes the same groups.

    Args:
        random: Where every choice comes from.
        circles: Who administers which groups.
    """

    def __init__(self, random: Random, circles: Circles) -> None:
        self._random = random
        self._circles = circles
        self.groups: list[GroupRecord] = []

    def register(
        self, site: Site, kind: str, noun: Name, members: tuple[int, int], category: str = ""
    ) -> None:
        """Add a group of a unit, named by the unit and a noun, with so many members or nearly."""
        state = self._state()
        name = site.label + noun
        owner, admins, backup = self._admins(site, category, state)
        record = GroupRecord(
            code=f"{site.level}.{site.code}.{category or kind}",
            name=name.en,
            name_hi=name.hi,
            kind=kind,
            category=category,
            unit_level=site.level,
            unit_code=site.code,
            language="raj" if self._random.random() < _RAJASTHANI else "hi",
            member_count=self._member_count(state, members),
            capacity=CAPACITY,
            state=state,
            owner=owner,
            admins=admins,
            backup=backup,
            state_executive=self._executive(site, category, owner),
        )
        self.groups.append(record)

    def _state(self) -> str:
        draw = self._random.random()
        if draw < _PLANNED:
            return "planned"
        if draw < _RETIRED:
            return "retired"
        return "unverified" if draw < _UNVERIFIED else "active"

    def _member_count(self, state: str, members: tuple[int, int]) -> int:
        if state == "planned":
            return 0
        if members[1] >= _LARGE and self._random.random() < _FULL:
            return CAPACITY
        return self._random.randint(*members)

    def _admins(self, site: Site, category: str, state: str) -> tuple[str, tuple[str, ...], str]:
        if state != "planned" and self._random.random() < _ORPHANED:
            return "", (), ""
        owner, *others = self._circles.admins(site, category)
        has_backup = len(others) > 1 and self._random.random() >= _WITHOUT_BACKUP
        backup = others.pop() if has_backup else ""
        count = 1 if self._random.random() < _ONE_ADMIN else 2
        return owner, tuple(others[:count]), backup

    def _executive(self, site: Site, category: str, owner: str) -> str:
        # A group without any admin is orphaned, and so has none of the state executive either.
        if not category or not owner or self._random.random() < _WITHOUT_EXECUTIVE:
            return ""
        return self._circles.executive(site, category)
