"""Administrative territories; units lie in them many to many, as neither fits the other."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NewType

from services.hierarchy.domain.model import LocalizedText, UnitId

AreaId = NewType("AreaId", str)
AreaLinkId = NewType("AreaLinkId", str)


@dataclass(frozen=True, slots=True)
class Area:
    """A territory such as an assembly constituency; (kind, code) is unique among those that stand.

    `kind` is a key of the tenant's choosing, such as "assembly_constituency" or "polling_area".
    """

    id: AreaId
    kind: str
    code: str
    names: LocalizedText
    valid_from: datetime
    valid_to: datetime | None
    revision: int

    @property
    def key(self) -> tuple[str, str]:
        """Its kind and code."""
        return self.kind, self.code


@dataclass(frozen=True, slots=True)
class AreaLink:
    """A unit that lies in an area, wholly or partly, for some time."""

    id: AreaLinkId
    unit_id: UnitId
    area_id: AreaId
    valid_from: datetime
    valid_to: datetime | None
    revision: int


def end_links(
    links: Iterable[AreaLink], at: datetime
) -> tuple[Sequence[AreaLink], Sequence[AreaLink]]:
    """The links that end at an instant, as they then are, and those that would begin later."""
    standing = [each for each in links if each.valid_to is None or each.valid_to > at]
    before = [
        replace(each, valid_to=at, revision=each.revision + 1)
        for each in standing
        if each.valid_from < at
    ]
    return before, [each for each in standing if each.valid_from >= at]
