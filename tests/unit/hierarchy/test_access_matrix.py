"""The access matrix: who may do what where, on random organisations, against a small model."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from random import Random

from chaupal.hierarchy.v1 import access_pb2 as pb
from hypothesis import given
from hypothesis import strategies as st

from kit.clock import FakeClock
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
from tests.access_server import AccessServer, a_peer, access_of
from tests.builders_hierarchy import an_id
from tests.builders_people import a_person
from tests.hierarchy_server import Hierarchy, running

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
    assert min(allowed.values()) > 1_500
    assert all(matters[rule] > 300 for rule in (always, wide, flat))


async def test_the_service_agrees_with_the_model(tmp_path: Path) -> None:
    """Whether the actors ask for themselves, or a peer asks about them."""
    async with running(tmp_path, FakeClock(NOW)) as hierarchy, access_of(tmp_path) as access:
        allowed = await judge(hierarchy, access, 1_000)
    assert allowed.total() == 2_000
    assert min(allowed.values()) > 400


async def judge(hierarchy: Hierarchy, access: AccessServer, count: int) -> Counter[bool]:
    """Ask so many things about a random organisation twice; how often the answer is yes or no."""
    org = max((random_org(Random(seed)) for seed in range(ORGS)), key=how_open)
    triples = list(random_triples(org, Random(1), count))
    allowed = Counter[bool]()
    ids = await bring_about(org, hierarchy)
    for actor in org.holds:
        theirs = [triple for triple in triples if triple.actor == actor]
        own, peer = hierarchy.somebody(actor), a_peer(hierarchy.tenant)
        for caller, subject in ((own, ""), (peer, actor)):
            request = pb.BatchCheckAccessRequest(subject=subject)
            request.questions.extend(asked(triple, ids) for triple in theirs)
            reply = await access.call(request, caller)
            for triple, result in zip(theirs, reply.results, strict=True):
                assert result.allowed is may(org, triple), triple
                allowed[result.allowed] += 1
    return allowed


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


def how_open(org: Org) -> int:
    """How often the answer is yes."""
    return sum(may(org, triple) for triple in random_triples(org, Random(0), TRIPLES_OF_EACH))


async def bring_about(org: Org, hierarchy: Hierarchy) -> Mapping[str, str]:
    """Import the units, appoint everybody, and say what id each unit was given."""
    await hierarchy.put(blueprint_of(org))
    report = await hierarchy.import_rows(*rows_of(org))
    assert report.error_count == 0
    _, pages = await hierarchy.stream_tree()
    ids = dict(pair for page in pages for pair in zip(page.codes, page.ids, strict=True))
    ids |= {"closed": an_id("closed", 1), "unknown": an_id("unknown", 1)}
    for number, actor in enumerate(org.holds):
        person = replace(a_person(number), subject=actor)
        appointments = (
            replace(
                each,
                id=AppointmentId(an_id(each.id, 1)),
                unit_id=UnitId(ids[each.unit_id]),
                person_id=person.id,
            )
            for each in appointments_of(org, actor)
        )
        await hierarchy.keep(person, *appointments)
    return ids


def asked(triple: Triple, ids: Mapping[str, str]) -> pb.AccessQuestion:
    capability, category, kind = triple.action
    return pb.AccessQuestion(
        capability=capability, unit_id=ids[triple.unit], category=category, group_kind=kind
    )


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
