"""The rule that selects groups, what it may say, and why a selected group gets nothing."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

from kit.errors import FieldViolation
from services.groups.domain.blueprint import Blueprint
from services.groups.domain.model import UnitId

MAX_TERMS = 50
MAX_UNITS = 1_000
MAX_KINDS = 64
MAX_CATEGORIES = 256

HasUnit = Callable[[UnitId], bool]


@dataclass(frozen=True, slots=True)
class AudienceTerm:
    """One product of facets: any of the subtrees, any of the kinds, any of the categories.

    An empty tuple does not narrow.
    """

    unit_ids: tuple[UnitId, ...] = ()
    kinds: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Audience:
    """A rule that selects groups: the union of `include` without the union of `exclude`.

    What a term of `include` that names categories selects is never `incomplete`. A term of
    `exclude` also takes out what is incomplete: leaving out is the safe side.
    """

    include: tuple[AudienceTerm, ...]
    exclude: tuple[AudienceTerm, ...] = ()


class ExclusionReason(Enum):
    """Why a group that the rule selects gets no message; the first that holds is its reason.

    INCOMPLETE holds for an incomplete group unless a term that names no categories selects it
    and the blueprint says by now that its kind carries none.
    """

    RETIRED = "RETIRED"
    PLANNED = "PLANNED"
    ORPHANED = "ORPHANED"
    INCOMPLETE = "INCOMPLETE"


@dataclass(frozen=True, slots=True)
class Exclusion:
    """How many groups are left out for one reason."""

    reason: ExclusionReason
    group_count: int


def audience_violations(
    audience: Audience, blueprint: Blueprint, has_unit: HasUnit
) -> list[FieldViolation]:
    """Everything that is wrong with the rule, in the order of its fields; empty when it holds."""
    if not audience.include:
        return [FieldViolation("audience.include", "EMPTY_AUDIENCE", "say which units are meant")]
    unitless = [
        FieldViolation(
            f"audience.include[{index}].unit_ids", "UNIT_NEEDED", "name at least one unit"
        )
        for index, term in enumerate(audience.include[:MAX_TERMS])
        if not term.unit_ids
    ]
    return [
        *_terms("audience.include", audience.include, blueprint, has_unit),
        *unitless,
        *_terms("audience.exclude", audience.exclude, blueprint, has_unit),
    ]


def is_unknown(violation: FieldViolation) -> bool:
    """Whether it says that something is not there, which a newer organisation may contradict."""
    return violation.reason.startswith("UNKNOWN_")


def _terms(
    path: str, terms: Sequence[AudienceTerm], blueprint: Blueprint, has_unit: HasUnit
) -> Iterator[FieldViolation]:
    if len(terms) > MAX_TERMS:
        yield FieldViolation(path, "TOO_MANY", f"at most {MAX_TERMS} terms")
        return
    for index, term in enumerate(terms):
        here = f"{path}[{index}]"
        units = _Keys("UNKNOWN_UNIT", "the organisation has no such unit", MAX_UNITS)
        yield from units.check(f"{here}.unit_ids", [has_unit(each) for each in term.unit_ids])
        kinds = _Keys("UNKNOWN_KIND", "the blueprint has no such kind", MAX_KINDS)
        yield from kinds.check(f"{here}.kinds", [key in blueprint.kinds for key in term.kinds])
        categories = _Keys("UNKNOWN_CATEGORY", "the blueprint has no such category", MAX_CATEGORIES)
        yield from categories.check(
            f"{here}.categories", [key in blueprint.categories for key in term.categories]
        )


@dataclass(frozen=True, slots=True)
class _Keys:
    """How to check one list of keys."""

    reason: str
    description: str
    limit: int

    def check(self, path: str, known: Sequence[bool]) -> Iterator[FieldViolation]:
        if len(known) > self.limit:
            yield FieldViolation(path, "TOO_MANY", f"at most {self.limit:,}")
            return
        for index, is_known in enumerate(known):
            if not is_known:
                yield FieldViolation(f"{path}[{index}]", self.reason, self.description)
