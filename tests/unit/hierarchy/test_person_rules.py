"""What puts and erasures of persons decide."""

from dataclasses import replace
from functools import partial

import pytest

from kit.errors import ChaupalError
from services.hierarchy.domain.appointing import decide_appoint
from services.hierarchy.domain.errors import QuotaExceeded
from services.hierarchy.domain.events import (
    AccessChanged,
    AppointmentsChanged,
    PersonsErased,
    WatchesChanged,
)
from services.hierarchy.domain.people import Appointment, Person, PersonId
from services.hierarchy.domain.people_errors import (
    PersonChanged,
    PersonErased,
    PersonNotFound,
    PhoneInUse,
    SecretsChanged,
    SubjectInUse,
)
from services.hierarchy.domain.persons import (
    PersonPut,
    PutPerson,
    decide_erase_person,
    decide_put_person,
)
from services.hierarchy.domain.team_changes import decide_put_team
from services.hierarchy.domain.teams import Membership, Team, Watch
from services.hierarchy.domain.tenants import SecretVersion, TenantSecrets
from services.hierarchy.domain.watch_changes import decide_assign_watch
from tests.builders_hierarchy import BEGINNING, a_small_tree, text
from tests.builders_people import (
    DAY,
    a_person,
    a_phone,
    a_put_person,
    a_put_team,
    a_staffed_blueprint,
    a_watching,
    an_appointing,
    sealed_for,
)
from tests.unit.hierarchy.deciding import Deciding, only

NEW = PersonId("00000000-0000-7000-8000-000000000001")


@pytest.fixture
def tenant() -> Deciding:
    """One with a data key and a pepper."""
    deciding = Deciding()
    version = (SecretVersion(1, "w", "k"),)
    deciding.header = replace(deciding.header, secrets=TenantSecrets(version, version))
    return deciding


def put(
    tenant: Deciding, request: PutPerson, person_id: PersonId = NEW, *versions: int
) -> PersonPut:
    person_id = request.id or person_id
    sealed = sealed_for(person_id, request.phone, *(versions or (1,))) if request.phone else None
    return tenant.write(partial(decide_put_person, request, person_id, sealed))


def refusal(tenant: Deciding, request: PutPerson, *versions: int) -> ChaupalError:
    records, told, header = dict(tenant.records), list(tenant.told), tenant.header
    with pytest.raises(ChaupalError) as refused:
        put(tenant, request, PersonId("another"), *versions)
    assert (tenant.records, tenant.told, tenant.header) == (records, told, header)
    return refused.value


def test_a_new_person_is_kept_and_counted(tenant: Deciding) -> None:
    answer = put(tenant, a_put_person(phone=a_phone(), subject="asha"))

    person = only(tenant.all(Person))
    assert answer == PersonPut(NEW, None)
    assert (person.id, person.names, person.subject) == (NEW, text("Asha"), "asha")
    assert (person.created_at, person.erased_at, person.revision) == (BEGINNING, None, 1)
    assert person.phone == sealed_for(NEW, a_phone(), 1).phone
    assert tenant.header.counts.persons == 1
    assert tenant.told == [AccessChanged(1)]
    assert tenant.header.access_version == 1


def test_only_a_login_changes_who_may_do_what(tenant: Deciding) -> None:
    put(tenant, a_put_person())
    put(tenant, a_put_person(id=NEW, names=text("Asha Devi"), phone=a_phone()))
    assert (tenant.told, tenant.header.access_version) == ([], 0)

    put(tenant, a_put_person(id=NEW, subject="asha"))
    put(tenant, a_put_person(id=NEW, clear_subject=True))

    assert tenant.told == [AccessChanged(1), AccessChanged(2)]
    assert only(tenant.all(Person)).revision == 4
    assert tenant.header.counts.persons == 1


def test_what_is_not_named_stays_and_what_is_cleared_goes(tenant: Deciding) -> None:
    put(tenant, a_put_person(phone=a_phone(), subject="asha"))
    before = only(tenant.all(Person))

    put(tenant, a_put_person(id=NEW, names=text("Asha Devi")))
    assert only(tenant.all(Person)) == replace(before, names=text("Asha Devi"), revision=2)

    put(tenant, a_put_person(id=NEW, clear_phone=True))
    assert only(tenant.all(Person)).phone is None


def test_a_put_that_changes_nothing_writes_nothing(tenant: Deciding) -> None:
    put(tenant, a_put_person(phone=a_phone(), subject="asha"))
    request = a_put_person(id=NEW, names=text("Asha"), phone=a_phone(), subject="asha")

    decision = tenant.decide(
        partial(decide_put_person, request, NEW, sealed_for(NEW, a_phone(), 1))
    )

    assert not decision.changes_anything
    assert decision.answer == PersonPut(NEW)


def test_a_preview_shows_the_person_and_an_answer_that_is_kept_does_not(tenant: Deciding) -> None:
    request = a_put_person(phone=a_phone(), validate_only=True)
    decision = tenant.decide(
        partial(decide_put_person, request, NEW, sealed_for(NEW, a_phone(), 1))
    )

    assert decision.answer.preview == only(decision.puts)


def test_a_number_and_a_login_belong_to_one_person(tenant: Deciding) -> None:
    put(tenant, a_put_person(phone=a_phone(1), subject="asha"))
    other = a_person(2)
    tenant.put(other)

    assert isinstance(refusal(tenant, a_put_person(id=other.id, phone=a_phone(1))), PhoneInUse)
    assert isinstance(refusal(tenant, a_put_person(id=other.id, subject="asha")), SubjectInUse)
    put(tenant, a_put_person(id=other.id, phone=a_phone(2), subject="bela"))


def test_a_number_is_known_again_under_an_older_pepper(tenant: Deciding) -> None:
    put(tenant, a_put_person(phone=a_phone()))
    both = (SecretVersion(1, "w", "k"), SecretVersion(2, "w", "k"))
    tenant.header = replace(tenant.header, secrets=TenantSecrets(both, both))
    other = a_person(2)
    tenant.put(other)

    same = put(tenant, a_put_person(id=NEW, phone=a_phone()), NEW, 1, 2)

    assert same == PersonPut(NEW)
    found = tenant.records[Person, NEW]
    assert isinstance(found, Person)
    assert found.phone == sealed_for(NEW, a_phone(), 1).phone
    refused = refusal(tenant, a_put_person(id=other.id, phone=a_phone()), 1, 2)
    assert isinstance(refused, PhoneInUse)


@pytest.mark.parametrize("versions", [(2,), (1, 2)])
def test_a_number_sealed_under_other_secrets_is_not_written(
    tenant: Deciding, versions: tuple[int, ...]
) -> None:
    assert isinstance(refusal(tenant, a_put_person(phone=a_phone()), *versions), SecretsChanged)


def test_who_is_not_as_the_caller_thinks_is_not_changed(tenant: Deciding) -> None:
    gone = replace(a_person(3), names=None, erased_at=BEGINNING)
    tenant.put(a_person(2), gone)

    missing = refusal(tenant, a_put_person(id=PersonId("nobody")))
    assert isinstance(missing, PersonNotFound)
    assert missing.fields() == {"person_id": "nobody"}
    assert isinstance(refusal(tenant, a_put_person(id=gone.id)), PersonErased)
    changed = refusal(tenant, a_put_person(id=a_person(2).id, etag="7"))
    assert isinstance(changed, PersonChanged)
    assert changed.current_etag == "1"
    put(tenant, a_put_person(id=a_person(2).id, names=text("Bela"), etag="1"))


def test_a_tenant_has_as_many_persons_as_it_may(tenant: Deciding) -> None:
    tenant.quota(persons=1)
    put(tenant, a_put_person())

    refused = refusal(tenant, a_put_person())

    assert isinstance(refused, QuotaExceeded)
    assert refused.fields() == {"quota": "persons", "limit": "1"}
    tenant.write(partial(decide_erase_person, NEW))
    put(tenant, a_put_person(), PersonId("another"))


def test_erasing_forgets_the_person_and_ends_all_that_they_hold() -> None:
    tenant = Deciding()
    tenant.start(*a_small_tree(), blueprint=a_staffed_blueprint())
    asha, bela = replace(a_person(1), subject="asha"), a_person(2)
    tenant.put(asha, bela)
    state, district = tenant.unit("state", "RJ").id, tenant.unit("district", "JPR").id
    for appointing in (
        an_appointing(state, "monitor", asha),
        an_appointing(state, "monitor", bela),
        an_appointing(district, "secretary", asha, valid_from=BEGINNING + DAY),
        an_appointing(state, "state_convenor", asha, BEGINNING - DAY, BEGINNING),
    ):
        tenant.write(partial(decide_appoint, appointing))
    own = tenant.write(partial(decide_assign_watch, a_watching(district, asha))).watch
    cover = a_watching(district, bela, covers=own.id, valid_to=BEGINNING + 9 * DAY)
    tenant.write(partial(decide_assign_watch, cover))
    team = tenant.write(
        partial(decide_put_team, a_put_team(asha, bela, unit_id=state, kind="monitoring"))
    ).team
    tenant.header = replace(tenant.header, counts=replace(tenant.header.counts, persons=2))
    tenant.now, tenant.told = BEGINNING + DAY / 2, []

    erasure = tenant.write(partial(decide_erase_person, asha.id))

    assert erasure.person == Person(asha.id, None, None, None, BEGINNING, tenant.now, 2)
    assert tenant.records[Person, asha.id] == erasure.person
    ends = {
        each.position: each.valid_to
        for each in tenant.all(Appointment)
        if each.person_id == asha.id
    }
    assert ends == {
        "monitor": tenant.now,
        "secretary": BEGINNING + DAY,  # it never begins
        "state_convenor": BEGINNING,
    }
    assert {each.valid_to for each in tenant.all(Watch)} == {tenant.now}
    left = {each.person_id for each in tenant.all(Membership) if each.valid_to is None}
    assert left == {bela.id}
    assert only(tenant.all(Team)) == replace(team, revision=2)
    # Two appointments, a membership and a watch; the cover is another person's.
    assert erasure.ended_count == 4
    assert tenant.header.counts.persons == 1
    erased, appointments, watches, access = tenant.told
    assert erased == PersonsErased((asha.id,))
    assert isinstance(appointments, AppointmentsChanged)
    assert len(appointments.changes) == 2
    assert isinstance(watches, WatchesChanged)
    assert len(watches.changes) == 2
    assert access == AccessChanged(tenant.header.access_version)


def test_erasing_twice_changes_nothing_more(tenant: Deciding) -> None:
    put(tenant, a_put_person())
    first = tenant.write(partial(decide_erase_person, NEW))
    told = list(tenant.told)

    again = tenant.decide(partial(decide_erase_person, NEW))

    assert not again.changes_anything
    assert again.answer.person == first.person
    assert (again.answer.ended_count, tenant.told) == (0, told)
    with pytest.raises(PersonNotFound):
        tenant.decide(partial(decide_erase_person, PersonId("nobody")))
