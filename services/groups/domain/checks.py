"""Whether what somebody says about a group can be so: every fault is found, not just the first."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.groups.domain.blueprint import Blueprint
from services.groups.domain.model import Admin, AdminRole, GroupContent, GroupState, UnitId

MAX_ADMINS = 20
MAX_MEMBERS = 2_000_000
MAX_LANGUAGES = 10
MAX_NAME_CHARS = 200

# What a caller may not do, where they may see it.
NOT_ALLOWED = "NOT_ALLOWED"

# A code of a group, and a reference of a person.
_REFERENCE = re.compile(r"[A-Za-z0-9._-]{1,64}")
# The shape of BCP 47 (RFC 5646, section 2.1) without its registry: subtags of up to 8.
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8}){0,3}")
# Not str.isprintable(): it refuses the joiners (U+200C, U+200D) that Devanagari is written with.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault of one field: stable reason, and what to do about it in words."""

    field: str
    reason: str
    description: str


@dataclass(frozen=True, slots=True)
class Draft:
    """What somebody says about a group before anything is checked.

    `state` and a role are None where the sender said none.
    """

    code: str
    names: Mapping[str, str]
    kind: str
    category: str
    admins: tuple[tuple[str, AdminRole | None], ...]
    language: str
    member_count: int
    capacity: int
    state: GroupState | None

    def said(self) -> tuple[object, ...]:
        """All of it in one order, whatever order the sender's map of names had."""
        return (
            *(self.code, sorted(self.names.items()), self.kind, self.category),
            # As numbers: the repr of an enumeration's member takes as long as all the rest.
            [(person, role and int(role)) for person, role in self.admins],
            *(self.language, self.member_count, self.capacity, self.state and int(self.state)),
        )


def problems_of(draft: Draft, blueprint: Blueprint) -> list[Problem]:
    """Everything that is wrong with the draft, except its unit, in the order of its fields."""
    found = (
        _code(draft.code),
        _names(draft.names),
        _kind(draft.kind, blueprint),
        _category(draft, blueprint),
        _admins(draft.admins),
        _language(draft.language),
        _number("member_count", draft.member_count, 0),
        _number("capacity", draft.capacity, 1),
        _state(draft.state),
    )
    return [problem for problems in found for problem in problems] if any(found) else []


def may_be_outdated(problem: Problem) -> bool:
    """Whether it says that something is not there or not theirs, which news may contradict."""
    return problem.reason == NOT_ALLOWED or problem.reason.startswith("UNKNOWN_")


def content_of(draft: Draft, unit_id: UnitId) -> GroupContent:
    """The content that a draft without problems describes."""
    assert draft.state is not None  # noqa: S101  # problems_of names a missing state
    return GroupContent(
        code=draft.code,
        names=draft.names,
        kind=draft.kind,
        category=draft.category,
        unit_id=unit_id,
        admins=tuple(Admin(person, role) for person, role in draft.admins if role is not None),
        language=draft.language,
        member_count=draft.member_count,
        capacity=draft.capacity,
        state=draft.state,
    )


def is_language(text: str) -> bool:
    """Whether the text has the shape of a BCP 47 tag."""
    return _LANGUAGE.fullmatch(text) is not None


# Sequences and not generators: these run for each of up to 200,000 rows, and nearly always find
# nothing.
Problems = Sequence[Problem]


def _code(code: str) -> Problems:
    if not code:
        return (Problem("code", "MISSING", "every group has a code"),)
    if not _REFERENCE.fullmatch(code):
        return (Problem("code", "BAD_CODE", "use 1 to 64 of A-Z a-z 0-9 . _ -"),)
    return ()


def _names(names: Mapping[str, str]) -> Problems:
    found: list[Problem] = []
    if "en" not in names:
        found.append(Problem("names", "MISSING", "a name in English (en) is needed"))
    if len(names) > MAX_LANGUAGES:
        found.append(Problem("names", "BAD_NAME", f"at most {MAX_LANGUAGES} languages"))
    for language, name in names.items():
        if not is_language(language):
            found.append(Problem("names", "BAD_NAME", f"{language[:40]!r} is no BCP 47 tag"))
        elif not 1 <= len(name) <= MAX_NAME_CHARS or name.isspace() or _CONTROL.search(name):
            found.append(
                Problem(
                    "names",
                    "BAD_NAME",
                    f"the name in {language} must have 1 to {MAX_NAME_CHARS} characters, not only"
                    " spaces, and no control characters",
                )
            )
    return found


def _kind(kind: str, blueprint: Blueprint) -> Problems:
    if not kind:
        return (Problem("kind", "MISSING", "every group has a kind"),)
    if kind not in blueprint.kinds:
        return (Problem("kind", "UNKNOWN_KIND", f"the blueprint has no kind {kind[:64]!r}"),)
    return ()


def _category(draft: Draft, blueprint: Blueprint) -> Problems:
    category, has_category = draft.category, blueprint.kinds.get(draft.kind)
    found: list[Problem] = []
    if category and category not in blueprint.categories:
        said = f"the blueprint has no category {category[:64]!r}"
        found.append(Problem("category", "UNKNOWN_CATEGORY", said))
    if has_category is True and not category:
        said = f"groups of kind {draft.kind} carry a category"
        found.append(Problem("category", "CATEGORY_NEEDED", said))
    if has_category is False and category:
        said = f"groups of kind {draft.kind} carry none"
        found.append(Problem("category", "CATEGORY_NOT_ALLOWED", said))
    return found


def _admins(admins: Sequence[tuple[str, AdminRole | None]]) -> Problems:
    found: list[Problem] = []
    if len(admins) > MAX_ADMINS:
        found.append(Problem("admins", "BAD_ADMIN", f"at most {MAX_ADMINS} admins"))
    for person, role in admins:
        if not _REFERENCE.fullmatch(person):
            said = "a person's reference is 1 to 64 of A-Z a-z 0-9 . _ -"
            found.append(Problem("admins", "BAD_ADMIN", said))
        elif role is None:
            found.append(Problem("admins", "BAD_ADMIN", f"say the role of {person}"))
    if len(set(admins)) != len(admins):
        twice = next(person for (person, _), count in Counter(admins).items() if count > 1)
        said = f"{twice[:64]!r} stands twice in the same role"
        found.append(Problem("admins", "BAD_ADMIN", said))
    return found


def _language(language: str) -> Problems:
    if not language:
        return (Problem("language", "MISSING", "say the main language"),)
    if not is_language(language):
        said = f"{language[:40]!r} is no BCP 47 tag"
        return (Problem("language", "BAD_LANGUAGE", said),)
    return ()


def _number(field: str, value: int, least: int) -> Problems:
    if least <= value <= MAX_MEMBERS:
        return ()
    return (Problem(field, "BAD_NUMBER", f"must be {least} to {MAX_MEMBERS:,}"),)


def _state(state: GroupState | None) -> Problems:
    if state is None:
        return (Problem("state", "MISSING", "say where the group stands in its life"),)
    return ()
