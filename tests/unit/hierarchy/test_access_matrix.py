"""The access matrix: who may do what where, on random organisations, against a small model."""

from collections import Counter
from collections.abc import Iterable
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from services.hierarchy.domain.access import Scope, Viewer
from services.hierarchy.domain.model import TenantId, UnitId
from services.hierarchy.domain.people import Appointment, AppointmentId, PersonId
from services.hierarchy.domain.questions import Question, answers
from services.hierarchy.domain.tenants import TenantHeader
from services.hierarchy.domain.tree import Tree, TreeRow, TreeRows
from tests.access_model import (
    NOW,
    Org,
    Triple,
    always,
    blueprint_of,
    flat,
    may,
    random_org,
    random_triples,
    rows_of,
    wide,
)

TRIPLES_OF_EACH = 500
ORGS = 20


class Judged:
    """An organisation in the values of the domain, and what those make of a question."""

    def __init__(self, org: Org) -> None:
        header = TenantHeader(TenantId("neem"), blueprint_of(org))
        self.tree = tree_of(org)
        self.viewers = {
            actor: Viewer.holding(header, actor, None, appointments_of(org, actor), NOW)
            for actor in org.holds
        }

    def may(self, triple: Triple) -> bool:
        (answer,) = answers(self.viewers[triple.actor].grants, self.tree, [question_of(triple)])
        return answer

    def is_in_scope(self, triple: Triple) -> bool:
        viewer = self.viewers[triple.actor]
        return triple.unit in Scope.of(viewer, triple.action.capability, self.tree)


def test_ten_thousand_triples_agree_with_the_model() -> None:
    differences: list[tuple[int, Triple]] = []
    allowed = Counter[bool]()
    matters = Counter[object]()
    for seed in range(ORGS):
        org = random_org(Random(seed))
        judged = Judged(org)
        for triple in random_triples(org, Random(seed), TRIPLES_OF_EACH):
            expected = may(org, triple)
            if judged.may(triple) is not expected or not scope_agrees(judged, org, triple):
                differences.append((seed, triple))
            allowed[expected] += 1
            matters.update(
                rule for rule in (always, wide, flat) if may(rule(org), triple) != expected
            )

    assert differences == []
    assert allowed.total() == 10_000
    # No rule could be left out unnoticed.
    assert min(allowed[True], allowed[False]) > 1_500
    assert all(matters[rule] > 300 for rule in (always, wide, flat))


@given(st.randoms(use_true_random=False))
def test_any_organisation_agrees_with_the_model(chance: Random) -> None:
    org = random_org(chance)
    judged = Judged(org)
    for triple in random_triples(org, chance, 10):
        assert judged.may(triple) is may(org, triple)
        assert scope_agrees(judged, org, triple)


def scope_agrees(judged: Judged, org: Org, triple: Triple) -> bool:
    """Whether reads and writes of the unit go by the same rule."""
    about_the_unit = triple._replace(action=triple.action._replace(category="", kind=""))
    return judged.is_in_scope(triple) is may(org, about_the_unit)


def question_of(triple: Triple) -> Question:
    capability, category, kind = triple.action
    return Question(capability, UnitId(triple.unit), category, kind)


def tree_of(org: Org) -> Tree:
    rows = (
        TreeRow(UnitId(row.key.code), UnitId(row.parent.code) or None, *row.key)
        for row in rows_of(org)
    )
    return Tree.of(TreeRows(1, blueprint_of(org).level_keys, list(rows)))


def appointments_of(org: Org, actor: str) -> Iterable[Appointment]:
    for number, held in enumerate(org.holds[actor]):
        yield Appointment(
            AppointmentId(f"{actor}/{number}"),
            UnitId(held.unit),
            held.position,
            PersonId(actor),
            held.begins,
            held.ends,
            None,
            1,
        )
