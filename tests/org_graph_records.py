"""Hypothesis strategies: records whose ids, keys and instants meet, because there are few."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta

from hypothesis import strategies as st

from services.hierarchy.domain.model import Place, Unit
from services.hierarchy.domain.records import (
    PERSONS_BY_PHONE,
    PERSONS_BY_SUBJECT,
    UNITS_BY_KEY,
    PastUnit,
    Record,
)
from tests.builders_hierarchy import (
    BEGINNING,
    a_membership,
    a_person,
    a_phone,
    a_team,
    a_unit,
    a_watch,
    an_appointment,
    an_area,
    an_area_link,
    text,
)
from tests.org_graph_model import key_of

IDS = ("r1", "r2", "r3", "r4")
POSITIONS = ("president", "secretary")
SOME_INSTANTS = tuple(BEGINNING + timedelta(hours=hours) for hours in range(4))
INSTANTS = st.sampled_from(SOME_INSTANTS)
_IDS = st.sampled_from(IDS)
_CODES = st.sampled_from(("A", "B", "C"))
_VERSIONS = st.integers(1, 6)
_SPAN = {"valid_from": INSTANTS, "valid_to": st.none() | INSTANTS, "revision": _VERSIONS}

UNITS = st.builds(
    lambda unit_id, level, code, parent_id, since, revision, place: replace(
        a_unit(level, code, unit_id=unit_id, parent_id=parent_id, revision=revision),
        since=since,
        place=place,
    ),
    _IDS,
    st.sampled_from(("state", "district")),
    _CODES,
    st.none() | _IDS,
    INSTANTS,
    _VERSIONS,
    st.none() | st.just(Place(26.9, 75.8)),
)
PAST_UNITS = st.builds(
    lambda unit, hours, ended_by, closed: PastUnit(
        unit, unit.since + timedelta(hours=hours), ended_by, closed
    ),
    UNITS,
    st.integers(0, 2),
    _VERSIONS,
    st.booleans(),
)
PERSONS = st.builds(
    lambda person_id, name, phone, subject: a_person(
        id=person_id,
        names=text(name) if name else None,
        phone=a_phone(phone) if phone else None,
        subject=subject,
    ),
    _IDS,
    st.none() | _CODES,
    st.none() | st.integers(1, 3),
    st.none() | _CODES,
)
RECORDS: st.SearchStrategy[Record] = st.one_of(
    UNITS,
    PAST_UNITS,
    PERSONS,
    st.builds(an_area, id=_IDS, code=_CODES, **_SPAN),
    st.builds(an_area_link, id=_IDS, unit_id=_IDS, area_id=_IDS, **_SPAN),
    st.builds(
        an_appointment,
        id=_IDS,
        unit_id=_IDS,
        person_id=_IDS,
        position=st.sampled_from(POSITIONS),
        verified_at=st.none() | INSTANTS,
        **_SPAN,
    ),
    st.builds(a_team, id=_IDS, unit_id=_IDS, **_SPAN),
    st.builds(a_membership, id=_IDS, team_id=_IDS, person_id=_IDS, **_SPAN),
    st.builds(a_watch, id=_IDS, unit_id=_IDS, person_id=_IDS, **_SPAN),
)


def that_may_stand(records: Iterable[Record]) -> list[Record]:
    """Those, each put once, that a domain would let stand together.

    Of two with a key that is unique the first; of the units those that make a forest.
    """
    taken: set[tuple[object, str]] = set()
    right: dict[tuple[type[Record], str], Record] = {}
    for record in records:
        own: set[tuple[object, str]] = {(type(record), str(record.id))}
        for index in (UNITS_BY_KEY, PERSONS_BY_PHONE, PERSONS_BY_SUBJECT):
            key = key_of(record, index) if type(record) is index.of else None
            own |= {(index, key)} if key is not None else set()
        if not own & taken:
            taken |= own
            right[type(record), record.id] = record
    units = _forest([each for each in right.values() if isinstance(each, Unit)])
    return [*units, *(each for each in right.values() if not isinstance(each, Unit))]


def _forest(units: Sequence[Unit]) -> list[Unit]:
    # A parent's id is below its child's, so that nothing is above itself.
    standing: dict[str, Unit] = {}
    for unit in sorted(units, key=lambda each: each.id):
        right = unit.parent_id is None or unit.parent_id in standing
        standing[unit.id] = unit if right else replace(unit, parent_id=None)
    return list(standing.values())
