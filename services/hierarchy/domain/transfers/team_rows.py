"""What a page of teams, a row for each member, begins and changes."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from kit.errors import ChaupalError, InvalidInput
from services.hierarchy.domain.errors import BlueprintNotFound
from services.hierarchy.domain.model import Blueprint, LocalizedText, TeamKind, Unit, UnitKey
from services.hierarchy.domain.operations import Decision, Moment, Steps, Want
from services.hierarchy.domain.pending import Pending
from services.hierarchy.domain.people import Person, PersonId
from services.hierarchy.domain.persons import header_with_persons
from services.hierarchy.domain.records import (
    MEMBERSHIPS_BY_TEAM,
    TEAMS_BY_UNIT,
    UNITS_BY_KEY,
    Record,
)
from services.hierarchy.domain.team_changes import (
    TeamMember,
    begin_team,
    change_team,
    require_room,
    team_kind,
)
from services.hierarchy.domain.teams import Membership, Team
from services.hierarchy.domain.tenants import with_teams
from services.hierarchy.domain.text import Fault, is_key, quoted, text_faults
from services.hierarchy.domain.transfers.newcomers import Newcomers, person_faults, persons_wanted
from services.hierarchy.domain.transfers.notes import RowNotes
from services.hierarchy.domain.transfers.numbers import Numbers
from services.hierarchy.domain.transfers.rows import PageReport, TeamRow
from services.hierarchy.domain.transfers.units import (
    Rights,
    unit_fault,
    unit_key_faults,
    unit_keys,
    unit_of,
)

# By what a team is found: its unit, kind and English name.
_TeamKey = tuple[UnitKey, str, str]


def decide_team_rows(
    rows: Sequence[TeamRow], numbers: Numbers, rights: Rights, moment: Moment
) -> Steps[PageReport]:
    """Begin and change teams as the rows say, or answer with all that is wrong with them.

    Raises:
        BlueprintNotFound: the tenant has no kinds of team yet.
        QuotaExceeded: there would be more persons than the tenant may have.
        SecretsChanged: the numbers are hashed under other secrets than the tenant's.
    """
    blueprint = moment.header.blueprint
    if blueprint is None:
        raise BlueprintNotFound
    numbers.require_current(moment.header)
    notes, known = RowNotes(), Pending()
    sound = [row for row in rows if not notes.wrong(row, _faults(row, numbers))]
    persons = persons_wanted((row.person for row in sound), numbers)
    known.learn((yield Want({**persons.keys, UNITS_BY_KEY: unit_keys(x.unit for x in sound)})))
    units = {unit.id for row in sound if (unit := unit_of(row.unit, known))}
    known.learn((yield Want({TEAMS_BY_UNIT: units})))
    teams = {team.id for unit in units for team in known.all(TEAMS_BY_UNIT, unit)}
    known.learn((yield Want({MEMBERSHIPS_BY_TEAM: teams})))
    page = _Page(moment, blueprint, Newcomers(numbers, known, moment), rights, notes)
    for run in _by_team(sound).values():
        page.put(run)
    report = notes.report(len(rows))
    puts: list[Record] = [*known.puts(Person), *known.puts(Team), *known.puts(Membership)]
    if notes.any_wrong or not puts:
        return Decision(report)
    new_persons = [(None, each) for each in known.puts(Person)]
    header, _ = header_with_persons(new_persons, moment.header)
    header = with_teams(header, began=page.began)
    return Decision(report, puts=puts, header=header if header != moment.header else None)


def _faults(row: TeamRow, numbers: Numbers) -> Iterator[Fault]:
    yield from unit_key_faults(row.unit)
    if not row.kind:
        yield Fault("kind", "MISSING", "the kind is needed")
    elif not is_key(row.kind):
        yield Fault("kind", "BAD_KEY", f"{quoted(row.kind)} is no key of a kind of team")
    for fault in text_faults(row.names):
        yield fault._replace(field=f"names.{fault.field}" if fault.field else "names")
    yield from person_faults(row.person, numbers)
    if not row.person.is_given:
        if row.role:
            yield Fault("role", "CONTRADICTION", "a role, but nobody who has it")
    elif not row.role:
        yield Fault("role", "MISSING", "what the person does there is needed")
    elif not is_key(row.role):
        said = f"{quoted(row.role)} is not lower_snake_case of at most 64 characters"
        yield Fault("role", "BAD_KEY", said)


def _by_team(rows: Iterable[TeamRow]) -> Mapping[_TeamKey, Sequence[TeamRow]]:
    teams: dict[_TeamKey, list[TeamRow]] = {}
    for row in rows:
        teams.setdefault((row.unit, row.kind, _english(row.names)), []).append(row)
    return teams


def _english(names: LocalizedText) -> str:
    return names.by_language.get("en", "")


@dataclass(slots=True)
class _Page:
    """What the teams so far come to; all that changes is put among what is known."""

    moment: Moment
    blueprint: Blueprint
    newcomers: Newcomers
    rights: Rights
    notes: RowNotes
    # The kind of each new team, and the level of its unit.
    began: list[tuple[str, str]] = field(default_factory=list)

    def put(self, rows: Sequence[TeamRow]) -> None:
        """Take all rows of one team."""
        first = rows[0]
        unit = unit_of(first.unit, self.newcomers.known)
        fault = unit_fault(unit, first.unit, self.rights)
        if unit is None or fault is not None:
            for row in rows:
                self.notes.wrong(row, [fault] if fault else ())
            return
        try:
            kind = team_kind(self.blueprint, first.kind, unit)
            members = self._members(rows)
            require_room(kind, len(members))
            self._begin_or_change(rows, unit, kind, members)
        except ChaupalError as error:
            self.notes.refused(first, error)

    def _begin_or_change(
        self, rows: Sequence[TeamRow], unit: Unit, kind: TeamKind, members: Iterable[TeamMember]
    ) -> None:
        known, names = self.newcomers.known, rows[0].names
        beside = known.all(TEAMS_BY_UNIT, unit.id)
        team = self._standing(rows[0], beside)
        if team is None:
            begun = begin_team(unit, kind, names, members, beside=beside, moment=self.moment)
            self._learn([begun.team, *begun.members])
            self.began.append((kind.key, unit.level))
            note = self.notes.created
        else:
            all_time = known.all(MEMBERSHIPS_BY_TEAM, team.id)
            present = [each for each in all_time if each.valid_to is None]
            _, puts = change_team(team, present, names, members, self.moment)
            self._learn(puts)
            note = self.notes.updated if puts else self.notes.unchanged
        for _ in rows:
            note()

    def _members(self, rows: Sequence[TeamRow]) -> list[TeamMember]:
        """Who is to be in the team; notes what is wrong with rows beside others of the team."""
        first_in: dict[PersonId, int] = {}
        members: list[TeamMember] = []
        for row in rows:
            if row.names != rows[0].names:
                said = f"the team has other names in row {rows[0].row}"
                self.notes.wrong(row, [Fault("names", "NAMES_DIFFER", said)])
            if not row.person.is_given:
                continue
            try:
                person = self.newcomers.find_or_make(row.person)
            except ChaupalError as error:
                self.notes.refused(row, error)
                continue
            if person.id in first_in:
                said = f"is in the team by row {first_in[person.id]} already"
                self.notes.wrong(row, [Fault("person", "DUPLICATE_MEMBER", said)])
            first_in.setdefault(person.id, row.row)
            members.append(TeamMember(person.id, row.role))
        return members

    def _standing(self, row: TeamRow, beside: Iterable[Team]) -> Team | None:
        teams = [
            each
            for each in beside
            if each.kind == row.kind
            and _english(each.names) == _english(row.names)
            and each.valid_to is None
        ]
        if len(teams) > 1:
            said = f"the unit has {len(teams)} such teams with this name"
            raise InvalidInput.of("names.en", "AMBIGUOUS_TEAM", said)
        return teams[0] if teams else None

    def _learn(self, records: Iterable[Team | Membership]) -> None:
        for each in records:
            self.newcomers.known.put(each)
