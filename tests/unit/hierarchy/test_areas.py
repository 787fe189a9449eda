"""What becomes of areas and of the units in them."""

from dataclasses import replace
from datetime import datetime

import pytest

from kit.errors import InvalidInput
from services.hierarchy.domain.area_changes import (
    AreaEntry,
    AreasPut,
    PutAreas,
    TooManyAreas,
    decide_areas,
)
from services.hierarchy.domain.areas import Area, AreaId, AreaLink
from services.hierarchy.domain.model import LocalizedText, UnitId
from services.hierarchy.domain.operations import Decision
from tests.builders_hierarchy import a_request_id, a_small_tree, text
from tests.unit.hierarchy.deciding import HOUR, START, Deciding, only
from tests.unit.hierarchy.reorganising import close, refs, reorganise

KIND = "assembly_constituency"
NOW = START + HOUR
STRANGER = UnitId("00000000-0000-7000-8000-000000000000")


@pytest.fixture
def tenant() -> Deciding:
    tenant = Deciding()
    tenant.start(*a_small_tree())
    tenant.now = NOW
    tenant.told.clear()
    return tenant


def an_entry(
    code: str = "45",
    *units: str | UnitId,
    names: LocalizedText | None = None,
    kind: str = KIND,
    sets_units: bool = True,
    closed: bool = False,
) -> AreaEntry:
    said = refs(*units) if sets_units else None
    return AreaEntry(kind, code, names or text(f"Area {code}"), said, closed)


def decided(
    tenant: Deciding,
    *entries: AreaEntry,
    at: datetime | None = None,
    validate_only: bool = False,
) -> Decision[AreasPut]:
    request = PutAreas(a_request_id(), entries, validate_only, at)
    return tenant.decide(lambda moment: decide_areas(request, moment))


def put(tenant: Deciding, *entries: AreaEntry, at: datetime | None = None) -> tuple[Area, ...]:
    request = PutAreas(a_request_id(), entries, effective_at=at)
    return tenant.write(lambda moment: decide_areas(request, moment)).areas


def lying(tenant: Deciding, at: datetime | None = None) -> list[tuple[str, str]]:
    """Which unit lies in which area at an instant, by codes."""
    at = at or tenant.now
    areas = {area.id: area.code for area in tenant.all(Area)}
    codes = {
        tenant.unit(*said).id: said[1]
        for said in (("mandal", "M1"), ("mandal", "M2"), ("booth", "B1"), ("booth", "B2"))
    }
    return sorted(
        (codes[link.unit_id], areas[link.area_id])
        for link in tenant.all(AreaLink)
        if link.valid_from <= at and (link.valid_to is None or at < link.valid_to)
    )


def test_areas_are_created_with_units_in_them(tenant: Deciding) -> None:
    version = tenant.header.access_version
    made = put(tenant, an_entry("45", "mandal M1", "mandal M2"), an_entry("46", "mandal M2"))

    assert [(area.kind, area.code, area.names) for area in made] == [
        (KIND, "45", text("Area 45")),
        (KIND, "46", text("Area 46")),
    ]
    assert [(area.valid_from, area.valid_to, area.revision) for area in made] == [
        (NOW, None, 1),
        (NOW, None, 1),
    ]
    assert lying(tenant) == [("M1", "45"), ("M2", "45"), ("M2", "46")]
    assert tenant.header.counts.areas == 2
    assert (tenant.told, tenant.header.access_version) == ([], version)


def test_an_area_is_found_by_kind_and_code_and_gets_other_names(tenant: Deciding) -> None:
    (before,) = put(tenant, an_entry("45", "mandal M1"))

    (after,) = put(tenant, an_entry("45", names=text("Dudu"), sets_units=False))

    assert after == replace(before, names=text("Dudu"), revision=2)
    assert tenant.all(Area) == [after]
    assert lying(tenant) == [("M1", "45")]
    put(tenant, an_entry("45", kind="polling_area"))
    assert tenant.header.counts.areas == 2


def test_the_same_again_changes_nothing(tenant: Deciding) -> None:
    entry = an_entry("45", "mandal M1", "mandal M1", tenant.unit("mandal", "M1").id)
    put(tenant, entry)

    assert not decided(tenant, entry).changes_anything
    assert lying(tenant) == [("M1", "45")]


def test_units_that_are_not_named_lie_in_it_no_more(tenant: Deciding) -> None:
    put(tenant, an_entry("45", "mandal M1", "mandal M2"))
    tenant.now = NOW + HOUR

    put(tenant, an_entry("45", "mandal M2", "booth B1"))

    assert lying(tenant, NOW) == [("M1", "45"), ("M2", "45")]
    assert lying(tenant) == [("B1", "45"), ("M2", "45")]
    links = {link.unit_id: link for link in tenant.all(AreaLink)}
    assert links[tenant.unit("mandal", "M1").id].valid_to == tenant.now


def test_an_area_ends_with_its_units(tenant: Deciding) -> None:
    put(tenant, an_entry("45", "mandal M1"), an_entry("46", "mandal M1"))
    tenant.now = NOW + HOUR

    assert put(tenant, an_entry("45", closed=True)) == ()

    ended = only(area for area in tenant.all(Area) if area.code == "45")
    assert (ended.valid_to, ended.revision) == (tenant.now, 2)
    assert lying(tenant) == [("M1", "46")]
    assert tenant.header.counts.areas == 1
    (again,) = put(tenant, an_entry("45"))
    assert again.id != ended.id


def test_what_is_told_late_goes_over_what_was_told_of_that_time(tenant: Deciding) -> None:
    put(tenant, an_entry("45", "mandal M1"), at=START)
    tenant.now = NOW + HOUR
    put(tenant, an_entry("45", "mandal M2"))

    put(tenant, an_entry("45", "mandal M1", "booth B1"), at=NOW)

    # M1 goes on as if it had never left, M2 never came.
    assert lying(tenant, START) == [("M1", "45")]
    assert lying(tenant, NOW) == lying(tenant) == [("B1", "45"), ("M1", "45")]
    assert len(tenant.all(AreaLink)) == 2


def test_units_lie_in_an_area_from_when_both_are_there(tenant: Deciding) -> None:
    put(tenant, an_entry("45", "mandal M1"), at=START - HOUR)
    assert only(tenant.all(AreaLink)).valid_from == START


def test_a_unit_that_closes_leaves_its_areas(tenant: Deciding) -> None:
    put(tenant, an_entry("45", "mandal M2"))
    tenant.now = NOW + HOUR

    reorganise(tenant, close("mandal M2"))

    assert only(tenant.all(AreaLink)).valid_to == tenant.now


def test_a_trial_gives_no_ids_to_what_would_be_new(tenant: Deciding) -> None:
    (standing,) = put(tenant, an_entry("45"))

    shown = decided(tenant, an_entry("46"), an_entry("45"), validate_only=True).answer.areas

    assert [(area.code, area.id) for area in shown] == [("46", ""), ("45", standing.id)]


@pytest.mark.parametrize(
    ("entry", "path", "reason"),
    [
        (an_entry(kind=""), "area.kind", "MISSING"),
        (an_entry(kind="Assembly"), "area.kind", "BAD_KEY"),
        (an_entry(""), "area.code", "MISSING"),
        (an_entry("4/5"), "area.code", "BAD_CODE"),
        (
            an_entry(names=LocalizedText.of({"hi": "दूदू"})),
            "area.names.by_language.en",
            "MISSING",
        ),
        (an_entry("45", "mandal M1", "mandal NO"), "units[1]", "UNKNOWN_UNIT"),
        (an_entry("45", STRANGER), "units[0]", "UNKNOWN_UNIT"),
        (an_entry("45", closed=True), "area.code", "UNKNOWN_AREA"),
        (an_entry("45", "mandal M1", closed=True), "units", "CONTRADICTION"),
    ],
)
def test_each_wrong_thing_is_named(
    tenant: Deciding, entry: AreaEntry, path: str, reason: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        decided(tenant, an_entry("1"), entry)

    (violation,) = refused.value.violations
    assert (violation.field, violation.reason) == (f"areas[1].{path}", reason)
    assert violation.description


def test_all_wrong_things_are_named_up_to_a_hundred(tenant: Deciding) -> None:
    entries = [an_entry("45"), an_entry("45"), *(an_entry("?") for _ in range(200))]

    with pytest.raises(InvalidInput) as refused:
        decided(tenant, *entries)

    violations = refused.value.violations
    assert (violations[0].field, violations[0].reason) == ("areas[1].area.code", "DUPLICATE_CODE")
    assert (len(violations), violations[-1].reason) == (101, "MORE_VIOLATIONS")


def test_areas_are_not_changed_ahead_of_time(tenant: Deciding) -> None:
    with pytest.raises(InvalidInput) as refused:
        decided(tenant, an_entry(), at=NOW + HOUR)

    assert [(each.field, each.reason) for each in refused.value.violations] == [
        ("effective_at", "IN_FUTURE")
    ]


def test_there_are_ten_thousand_areas_at_most(tenant: Deciding) -> None:
    put(tenant, an_entry("45"))
    counts = replace(tenant.header.counts, areas=10_000)
    tenant.header = replace(tenant.header, counts=counts)

    with pytest.raises(TooManyAreas) as refused:
        decided(tenant, an_entry("46"))
    assert refused.value.limit == 10_000

    put(tenant, an_entry("46"), an_entry("45", closed=True))
    assert tenant.header.counts.areas == 10_000
    assert AreaId("") not in {area.id for area in tenant.all(Area)}
