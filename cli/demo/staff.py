"""Who holds which office in a demo organisation, and who held it before."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta
from random import Random

from cli.demo.names import person_names, phone_number
from cli.demo.samples import sample_people
from cli.demo.sites import Site
from cli.records import AppointmentRecord, PersonRecord
from kit.ids import stable_id

# Terms begin on days that stay, so that a row is found again on whatever day it is made anew.
_FIRST_TERM, _TERM_DAYS = date(2022, 4, 1), 900
_FORMER_TERM = date(2019, 4, 1)
_VACATED, _VACATED_DAYS = date(2025, 1, 1), 365

_VERIFIED, _STALE = 0.7, 0.85  # cumulative shares; the rest nobody has looked at
# Well within and well beyond the 180 days of the blueprints.
_VERIFIED_DAYS, _STALE_DAYS = (3, 150), (200, 500)
_SUCCEEDED = 0.02
_VACATED_SHARE = 0.3
_WITHOUT_PHONE = 0.02


class Staff:
    """Appoints one person after the other; the same seed makes the same ones.

    Args:
        tenant: Whose people they are.
        random: Where every choice comes from.
        day: From which on verified appointments count back.

    Attributes:
        persons: Rows of persons.csv.
        appointments: Rows of appointments.csv; those of a unit's office in the order of time.
        executives: Who of the state executive answers for the groups of a category.
    """

    def __init__(self, tenant: str, random: Random, day: date) -> None:
        self._tenant = tenant
        self._random = random
        self._names = person_names(random)
        self._samples = sample_people(tenant)
        self._day = day
        self._terms = [str(_FIRST_TERM + timedelta(days)) for days in range(_TERM_DAYS)]
        self._holders: defaultdict[tuple[str, str], dict[str, list[str]]] = defaultdict(dict)
        self.persons: list[PersonRecord] = []
        self.appointments: list[AppointmentRecord] = []
        self.executives: dict[str, list[str]] = {}

    def holders(self, unit: tuple[str, str], position: str) -> Sequence[str]:
        """Return the ids of those who hold an office, first seats first."""
        return self._holders[unit].get(position, ())

    def everybody(self, unit: tuple[str, str]) -> list[str]:
        """Return the ids of all who hold an office of a unit, in the order of appointment."""
        return [one for seats in self._holders[unit].values() for one in seats]

    def appoint(self, site: Site, position: str, count: int = 1) -> list[str]:
        """Give an office to so many new people, and return their ids."""
        return [self._appoint(site, position) for _ in range(count)]

    def fill(self, site: Site, position: str, vacant: float) -> None:
        """Give an office of one seat to somebody, or leave it vacant with some probability."""
        if self._random.random() >= vacant or (position, site.key) in self._samples:
            self._appoint(site, position)
        elif self._random.random() < _VACATED_SHARE:
            begins = self._random.choice(self._terms)
            ends = str(_VACATED + timedelta(self._random.randrange(_VACATED_DAYS)))
            self._hold(site, position, self._person(site, position, "former"), begins, ends)

    def _appoint(self, site: Site, position: str) -> str:
        seats = self._holders[site.key].setdefault(position, [])
        begins = self._random.choice(self._terms)
        if self._random.random() < _SUCCEEDED:
            former = self._person(site, position, f"{len(seats) + 1}.former")
            self._hold(site, position, former, str(_FORMER_TERM), begins)
        person = self._person(site, position, f"{len(seats) + 1}")
        self._hold(site, position, person, begins, "")
        seats.append(person)
        return person

    def _person(self, site: Site, position: str, seat: str) -> str:
        """Make a person, known for ever by the seat for which they are made."""
        code = f"{site.level}.{site.code}.{position}.{seat}"
        person_id = stable_id("chaupal.demo.person", self._tenant, code)
        sample = self._samples.get((position, site.key)) if seat == "1" else None
        name = next(self._names)
        has_phone = self._random.random() >= _WITHOUT_PHONE
        phone = phone_number(len(self.persons) + 1) if has_phone else ""
        subject = sample.subject if sample else ""
        self.persons.append(PersonRecord(person_id, phone, name.en, name.hi, subject))
        return person_id

    def _hold(self, site: Site, position: str, person: str, begins: str, ends: str) -> None:
        verified = "" if ends else self._verified_at(begins)
        self.appointments.append(
            AppointmentRecord(site.level, site.code, position, person, begins, ends, verified)
        )

    def _verified_at(self, begins: str) -> str:
        draw = self._random.random()
        if draw >= _STALE:
            return ""
        days = self._random.randint(*(_VERIFIED_DAYS if draw < _VERIFIED else _STALE_DAYS))
        return max(str(self._day - timedelta(days)), begins)
