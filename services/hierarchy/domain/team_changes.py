"""Decides what becomes of teams: begun, changed, closed, with who is in them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from kit.errors import InvalidInput, Violations
from services.hierarchy.domain.errors import BlueprintNotFound, UnitNotFound
from services.hierarchy.domain.model import (
    Blueprint,
    LocalizedText,
    RequestId,
    TeamKind,
    Unit,
    UnitId,
)
from services.hierarchy.domain.operations import Decision, Found, Moment, Steps, Want
from services.hierarchy.domain.people import PersonId
from services.hierarchy.domain.people_errors import TeamEnded, TeamNotFound, TooManyTeams
from services.hierarchy.domain.records import (
    MEMBERSHIPS_BY_TEAM,
    PERSONS_BY_ID,
    TEAMS_BY_ID,
    TEAMS_BY_UNIT,
    UNITS_BY_ID,
)
from services.hierarchy.domain.teams import Membership, MembershipId, Team, TeamId
from services.hierarchy.domain.tenants import with_teams
from services.hierarchy.domain.tenures import ended, is_open

# A unit's teams are listed whole.
MAX_TEAMS = 100


@dataclass(frozen=True, slots=True)
class TeamMember:
    """Who is to be in a team, and the role that they have there."""

    person_id: PersonId
    role: str


@dataclass(frozen=True, slots=True)
class PutTeam:
    """A request for a team as it shall be; `id` is None for a new one.

    `unit_id` and `kind` are None, and `names` too, where those of the team that stands are meant.
    """

    request_id: RequestId = field(repr=False)
    id: TeamId | None
    unit_id: UnitId | None
    kind: str | None
    names: LocalizedText | None
    members: tuple[TeamMember, ...]
    closed: bool
    validate_only: bool


@dataclass(frozen=True, slots=True)
class TeamWithMembers:
    """A team, and who is in it by when they came."""

    team: Team
    members: tuple[Membership, ...]


def decide_put_team(request: PutTeam, moment: Moment) -> Steps[TeamWithMembers]:
    """Begin, change or close a team.

    Raises:
        TeamNotFound, TeamEnded, UnitNotFound: one of them is not there.
        InvalidInput: what is asked does not fit the unit, the kind, the persons.
        TooManyTeams: the unit has as many as it may.
    """
    if request.id is None:
        return (yield from _begun(request, moment))
    found = yield Want({TEAMS_BY_ID: [request.id], MEMBERSHIPS_BY_TEAM: [request.id]})
    team = found.one(TEAMS_BY_ID, request.id)
    if team is None:
        raise TeamNotFound(request.id)
    _require_same(request, team)
    members = [each for each in found.all(MEMBERSHIPS_BY_TEAM, team.id) if each.valid_to is None]
    if team.valid_to is not None:
        if request.closed:
            return Decision(TeamWithMembers(team, ()))
        raise TeamEnded(team.id)
    if request.closed:
        return (yield from _closed(team, members, moment))
    return (yield from _changed(request, team, members, moment))


def by_coming(members: Iterable[Membership]) -> tuple[Membership, ...]:
    """Members by when they came."""
    return tuple(sorted(members, key=lambda each: (each.valid_from, each.id)))


def _begun(request: PutTeam, moment: Moment) -> Steps[TeamWithMembers]:
    unit_id, kind_key, names = request.unit_id, request.kind, request.names
    if unit_id is None or kind_key is None or names is None or request.closed:
        # The edge has asked for all three of a new team.
        raise InvalidInput.of("team.id", "MISSING", "which team to close must be named")
    found = yield Want(
        {
            UNITS_BY_ID: [unit_id],
            TEAMS_BY_UNIT: [unit_id],
            PERSONS_BY_ID: [each.person_id for each in request.members],
        }
    )
    unit = found.one(UNITS_BY_ID, unit_id)
    if unit is None:
        raise UnitNotFound(unit_id)
    kind = team_kind(moment.header.blueprint, kind_key, unit)
    _require_members(request, kind, found)
    beside = found.all(TEAMS_BY_UNIT, unit_id)
    begun = begin_team(unit, kind, names, request.members, beside=beside, moment=moment)
    return Decision(
        begun,
        puts=[begun.team, *begun.members],
        header=with_teams(moment.header, began=[(kind.key, unit.level)]),
    )


def begin_team(
    unit: Unit,
    kind: TeamKind,
    names: LocalizedText,
    members: Iterable[TeamMember],
    *,
    beside: Iterable[Team],
    moment: Moment,
) -> TeamWithMembers:
    """A new team of a unit, which has those beside it.

    Raises:
        TooManyTeams: the unit has as many as it may.
    """
    if sum(is_open(each, moment.now) for each in beside) >= MAX_TEAMS:
        raise TooManyTeams(MAX_TEAMS)
    team = Team(TeamId(moment.new_id()), unit.id, kind.key, names, moment.now, None, revision=1)
    return TeamWithMembers(team, tuple(_joining(team, each, moment) for each in members))


def _changed(
    request: PutTeam, team: Team, members: Sequence[Membership], moment: Moment
) -> Steps[TeamWithMembers]:
    found = yield Want({PERSONS_BY_ID: [each.person_id for each in request.members]})
    _require_members(request, team_kind(moment.header.blueprint, team.kind), found)
    names = request.names or team.names
    after, puts = change_team(team, members, names, request.members, moment)
    return Decision(after, puts=puts)


def change_team(
    team: Team,
    members: Sequence[Membership],
    names: LocalizedText,
    wanted: Iterable[TeamMember],
    moment: Moment,
) -> tuple[TeamWithMembers, Sequence[Team | Membership]]:
    """A team that stands with other names and members, and what is to be put for that."""
    by_role = {(each.person_id, each.role): each for each in wanted}
    staying = [each for each in members if (each.person_id, each.role) in by_role]
    leaving = [ended(each, moment.now) for each in members if each not in staying]
    present = {(each.person_id, each.role) for each in staying}
    joining = [_joining(team, each, moment) for key, each in by_role.items() if key not in present]
    after = by_coming([*staying, *joining])
    if names == team.names and not leaving and not joining:
        return TeamWithMembers(team, after), ()
    team = replace(team, names=names, revision=team.revision + 1)
    return TeamWithMembers(team, after), [team, *leaving, *joining]


def _closed(team: Team, members: Sequence[Membership], moment: Moment) -> Steps[TeamWithMembers]:
    found = yield Want({UNITS_BY_ID: [team.unit_id]})
    unit = found.one(UNITS_BY_ID, team.unit_id)
    if unit is None:
        # Teams end with their unit, so it stands.
        raise UnitNotFound(team.unit_id)
    after = ended(team, moment.now)
    return Decision(
        TeamWithMembers(after, ()),
        puts=[after, *(ended(each, moment.now) for each in members)],
        header=with_teams(moment.header, ended=[(team.kind, unit.level)]),
    )


def _require_same(request: PutTeam, team: Team) -> None:
    faults = Violations()
    for name, asked, stands in (
        ("unit_id", request.unit_id, team.unit_id),
        ("kind", request.kind, team.kind),
    ):
        if asked is not None and asked != stands:
            faults.add(f"team.{name}", "CANNOT_CHANGE", f"the team's is {stands}")
    faults.raise_if_any()


def team_kind(blueprint: Blueprint | None, key: str, unit: Unit | None = None) -> TeamKind:
    """The kind of the blueprint, for such a unit.

    Raises:
        BlueprintNotFound: there is no blueprint.
        InvalidInput: UNKNOWN_TEAM_KIND, TEAM_KIND_NOT_AT_LEVEL on `team.kind`.
    """
    if blueprint is None:
        raise BlueprintNotFound
    kind = next((each for each in blueprint.team_kinds if each.key == key), None)
    if kind is None:
        raise InvalidInput.of("team.kind", "UNKNOWN_TEAM_KIND", "no such kind in the blueprint")
    if unit and unit.level not in kind.levels:
        said = f"units of the level {unit.level} have no such teams"
        raise InvalidInput.of("team.kind", "TEAM_KIND_NOT_AT_LEVEL", said)
    return kind


def require_room(kind: TeamKind, count: int) -> None:
    """Raise `InvalidInput` (TOO_MANY) on `team.members` for more members than the kind may have."""
    most = kind.max_members
    if most and count > most:
        raise InvalidInput.of("team.members", "TOO_MANY", f"has {count}, at most {most}")


def _require_members(request: PutTeam, kind: TeamKind, found: Found) -> None:
    require_room(kind, len(request.members))
    faults = Violations()
    for index, each in enumerate(request.members):
        person = found.one(PERSONS_BY_ID, each.person_id)
        path = f"team.members[{index}].person_id"
        if person is None:
            faults.add(path, "PERSON_NOT_FOUND", f"there is no person {each.person_id}")
        elif person.erased_at is not None:
            faults.add(path, "PERSON_ERASED", f"the data of person {each.person_id} was erased")
    faults.raise_if_any()


def _joining(team: Team, member: TeamMember, moment: Moment) -> Membership:
    return Membership(
        MembershipId(moment.new_id()),
        team.id,
        member.person_id,
        member.role,
        moment.now,
        None,
        revision=1,
    )
