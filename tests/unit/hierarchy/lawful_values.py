"""What looks like a bad value and is lawful: what comes of it, and why.

Everything else that `bad_values` makes of a good request is refused with INVALID_ARGUMENT, which
names the field. A path stands for all that end with it, indexes left out.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Lawful:
    """A value that is no fault.

    Attributes:
        methods: of which methods; none for all.
        path: of the field, or its end.
        values: by their names.
        outcome: status codes, or field paths that are named instead.
        reason: why that is right.
    """

    methods: str
    path: str
    values: str
    outcome: str
    reason: str

    def holds_for(self, method: str, path: str, value: str) -> bool:
        """Whether it speaks of this value."""
        return (
            (path == self.path or path.endswith(f".{self.path}"))
            and value in self.values.split(", ")
            and (not self.methods or method in self.methods.split())
        )


# Of reads.
_READS = (
    Lawful("", "page_token", "empty", "OK", "the first page"),
    Lawful("", "page_size", "huge", "OK", "a page holds so many at most"),
    Lawful("", "as_of", "first instant", "NOT_FOUND", "nothing was there yet"),
    Lawful(
        "BatchListPersonAppointments ListWatches", "as_of", "first instant", "OK", "none was held"
    ),
    Lawful("", "as_of", "last instant", "OK", "as things stand, nobody having said otherwise"),
    Lawful("", "within_unit_id", "empty", "OK", "everything that the caller sees"),
    Lawful("ListDescendants CountUnits", "unit_id", "empty", "OK", "all that the caller sees"),
    Lawful("ListChildren", "parent_id", "empty", "OK", "the roots"),
    Lawful("ListDescendants SearchUnits", "levels", "empty", "OK", "of all levels"),
    Lawful("SearchUnits", "query", "control", "OK", "what is no letter stands between words"),
    Lawful("ListAreas", "kind", "empty", "OK", "of all kinds"),
    Lawful("StreamTree", "known_version", "huge", "OK", "a version that never was is as good as 0"),
    Lawful("BatchListUnitAppointments", "positions", "empty", "OK", "to all positions"),
    Lawful("ListVerificationQueue", "position", "empty", "OK", "to all positions"),
    Lawful("ListVerificationQueue", "state", "unspecified", "OK", "in either state"),
    Lawful("ListWatches", "person_id", "empty", "OK", "of all monitors"),
    Lawful("", "question.category", "empty", "OK", "about no category"),
    Lawful("", "questions.category", "empty", "OK", "about no category"),
    Lawful("", "question.group_kind", "empty", "OK", "about no kind"),
    Lawful("", "questions.group_kind", "empty", "OK", "about no kind"),
    Lawful(
        "GetViewer CheckAccess BatchCheckAccess",
        "subject",
        "empty, control, edges",
        "OK",
        "a peer passes on what a token says; whoever has such a login here holds nothing",
    ),
    Lawful("GetViewer", "known_access_version", "huge", "OK", "one that never was is never true"),
    Lawful("", "at_least_access_version", "huge", "UNAVAILABLE", "not reached yet"),
)
# Of writes of units and areas.
_UNITS = (
    Lawful("", "etag", "empty", "OK", "not checked"),
    Lawful("", "etag", "too long, control", "ABORTED etag", "not the present one; none if new"),
    Lawful("Reorganise", "tree_version", "huge", "ABORTED", "not the present one"),
    Lawful("", "unit.place", "unset", "OK", "where it lies is not known"),
    Lawful("UpdateUnit", "names", "unset", "OK", "they stay"),
    Lawful("UpdateUnit", "place", "unset", "OK", "it stays"),
    Lawful("Reorganise", "update.names", "unset", "OK", "they stay"),
    Lawful("Reorganise", "update.place", "unset", "OK", "it stays"),
    Lawful("UpdateUnit", "code", "empty", "OK", "it stays"),
    Lawful("Reorganise", "update.code", "empty", "OK", "it stays"),
    Lawful("Reorganise", "take", "empty", "OK", "a unit may have nothing under it"),
    Lawful("Reorganise", "parts.unit.level", "empty", "OK", "that of what is split"),
    Lawful("Reorganise", "parts.unit.parent", "unset", "OK", "that of what is split"),
    Lawful("PutAreas", "areas.units", "empty", "OK", "no unit lies in it any more"),
    Lawful("PutAreas", "effective_at", "first instant", "OK", "areas may be older than the tree"),
    Lawful("ImportUnits ImportRows", "row", "negative, huge", "OK", "the caller's own number"),
    Lawful("ImportUnits", "rows", "empty", "page", "an answer about the file as a whole"),
    Lawful("ImportUnits", "rows.place", "unset", "OK", "where it lies is not known"),
    Lawful("PutBlueprint", "positions.grants", "empty", "OK", "gives nothing"),
    Lawful("PutBlueprint", "grants.categories", "empty", "OK", "for groups of all categories"),
    Lawful("PutBlueprint", "grants.group_kinds", "empty", "OK", "for groups of all kinds"),
    Lawful("PutBlueprint", "centre_level", "empty", "OK", "no centre"),
    Lawful("PutBlueprint", "blueprint.positions", "empty", "FAILED_PRECONDITION", "some are held"),
    Lawful("PutBlueprint", "team_kinds", "empty", "FAILED_PRECONDITION", "there are such teams"),
    Lawful(
        "PutBlueprint",
        "blueprint.categories",
        "empty",
        "blueprint.positions[0].grants[0].categories[0]",
        "what names a category then is at fault",
    ),
)
# Of writes of people.
_PEOPLE = (
    Lawful("PutPerson", "id", "empty", "OK ALREADY_EXISTS names", "a new person"),
    Lawful("PutPerson", "phone", "empty", "OK", "it stays"),
    Lawful("PutPerson", "subject", "empty", "OK", "it stays"),
    Lawful("PutPerson", "names", "unset", "OK names", "they stay, if there are any"),
    Lawful("Appoint", "valid_from", "first instant, last instant", "OK", "held then, or planned"),
    Lawful("Appoint EndAppointments", "valid_to", "last instant", "OK", "planned"),
    Lawful(
        "AssignWatch", "valid_from", "first instant", "FAILED_PRECONDITION", "not a monitor yet"
    ),
    Lawful("AssignWatch", "valid_from", "last instant", "OK valid_to", "planned, if it then ends"),
    Lawful("AssignWatch EndWatch", "valid_to", "last instant", "OK", "planned"),
    Lawful("AssignWatch", "covers_watch_id", "empty", "OK", "a watch of one's own"),
    Lawful("PutTeam", "team.id", "empty", "OK", "a new team"),
    Lawful("PutTeam", "team.unit_id", "empty", "OK team.unit_id", "it stays, if there is one"),
    Lawful("PutTeam", "team.kind", "empty", "OK team.kind", "it stays, if there is one"),
    Lawful("PutTeam", "team.names", "unset", "OK team.names", "they stay, if there are any"),
    Lawful("PutTeam", "team.members", "empty", "OK", "nobody is in it"),
)
# Of rows of files, and of tenants as wholes.
_ROWS = (
    Lawful("ImportRows", "part", "none of", "header part", "a header is missing, or a page"),
    Lawful("ImportRows", "page.areas", "empty", "OK", "a page without rows"),
    Lawful("ImportRows", "page.persons", "empty", "OK", "a page without rows"),
    Lawful("ImportRows", "page.appointments", "empty", "OK", "a page without rows"),
    Lawful("ImportRows", "page.teams", "empty", "OK", "a page without rows"),
    Lawful("ImportRows", "areas.units", "empty", "OK", "no unit lies in it any more"),
    Lawful(
        "ImportRows",
        "areas.units.level",
        "empty, too long, control, no key",
        "page.areas[0].units[0]",
        "a column of a file has units as wholes",
    ),
    Lawful(
        "ImportRows",
        "areas.units.code",
        "empty, too long, control, no code",
        "page.areas[0].units[0]",
        "a column of a file has units as wholes",
    ),
    Lawful("ImportRows", "persons.id", "empty", "OK", "found by phone or login, or new"),
    Lawful("ImportRows", "persons.phone", "empty", "OK", "it stays"),
    Lawful("ImportRows", "persons.subject", "empty", "OK", "it stays"),
    Lawful("ImportRows", "person.id", "empty", "OK", "found by phone"),
    Lawful("ImportRows", "person.phone", "empty", "OK", "found by id"),
    Lawful("ImportRows", "person.names", "unset", "OK", "they stay"),
    Lawful("ImportRows", "person.names.by_language", "empty", "OK", "as if there were none"),
    Lawful("ImportRows", "teams.person", "unset", "page.teams[0].role", "nobody has no role"),
    Lawful("ImportRows", "appointments.valid_from", "first instant", "OK", "held then"),
    Lawful(
        "ImportRows",
        "appointments.valid_from",
        "last instant",
        "page.appointments[0].valid_to",
        "it would end before",
    ),
    Lawful("ImportRows", "appointments.valid_to", "last instant", "OK", "planned"),
    Lawful("ImportRows", "verified_at", "first instant", "OK", "long ago"),
    Lawful("CreateTenant", "tenant.quotas", "unset", "OK", "the usual ones"),
    Lawful("UpdateTenant", "quotas", "unset", "OK", "they stay"),
    Lawful("UpdateTenant", "status", "unspecified", "OK", "it stays"),
)
LAWFUL = (*_READS, *_UNITS, *_PEOPLE, *_ROWS)


def lawful(method: str, path: str, value: str, among: Iterable[Lawful] = LAWFUL) -> Lawful | None:
    """Why the value is lawful, if it is; what says of which methods it speaks goes first."""
    # An item of a list is not the list.
    here = re.sub(r"\[\d+\]", "", path) + ("[]" if path.endswith("]") else "")
    found = [each for each in among if each.holds_for(method, here, value)]
    return max(found, key=lambda each: (bool(each.methods), len(each.path)), default=None)
