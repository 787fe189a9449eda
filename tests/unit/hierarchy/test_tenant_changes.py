"""How tenants begin, stop, go on and end."""

from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from kit.errors import ChaupalError
from services.hierarchy.domain.errors import TenantSuspended
from services.hierarchy.domain.events import AccessChanged, TenantChanged
from services.hierarchy.domain.model import TenantId
from services.hierarchy.domain.tenant_changes import (
    DeletionProof,
    QuotaChange,
    decide_create,
    decide_delete,
    decide_deleted,
    decide_update,
    require_working,
)
from services.hierarchy.domain.tenant_errors import (
    TenantDeleting,
    TenantExists,
    TenantNotFound,
    TenantNotSuspended,
    TenantUnknown,
)
from services.hierarchy.domain.tenants import (
    Counts,
    Quotas,
    SecretVersion,
    TenantHeader,
    TenantSecrets,
    TenantStatus,
)
from tests.builders_hierarchy import a_row
from tests.unit.hierarchy.deciding import START, Deciding

KEEP = QuotaChange()
ACTIVE, SUSPENDED = TenantStatus.ACTIVE, TenantStatus.SUSPENDED
DELETING, DELETED = TenantStatus.DELETING, TenantStatus.DELETED


def created(**quotas: int) -> Deciding:
    tenant = Deciding()
    tenant.write(partial(decide_create, QuotaChange(**quotas)))
    tenant.told.clear()
    return tenant


def with_status(status: TenantStatus) -> Deciding:
    tenant = created()
    tenant.header = replace(tenant.header, status=status)
    return tenant


class TestCreating:
    def test_a_tenant_begins_at_work_with_the_quotas_that_were_named(self) -> None:
        tenant = Deciding()
        answer = tenant.write(partial(decide_create, QuotaChange(units=50)))

        assert not TenantHeader(TenantId("neem")).exists
        assert tenant.header.exists
        assert answer.id == "neem"
        assert answer.status is ACTIVE
        assert answer.quotas == replace(Quotas(), units=50)
        assert answer.used == Counts()
        assert tenant.told == [TenantChanged(ACTIVE), AccessChanged(1)]

    @pytest.mark.parametrize("status", TenantStatus)
    def test_an_id_is_given_once(self, status: TenantStatus) -> None:
        tenant = with_status(status)
        with pytest.raises(TenantExists) as refused:
            tenant.decide(partial(decide_create, KEEP))
        assert refused.value.fields() == {"tenant_id": "neem", "status": str(status)}

    def test_a_tenant_that_began_with_its_blueprint_exists(self) -> None:
        tenant = Deciding()
        tenant.start()
        with pytest.raises(TenantExists):
            tenant.decide(partial(decide_create, KEEP))


class TestUpdating:
    def test_suspending_and_resuming_is_told_and_changes_nothing_else(self) -> None:
        tenant = created()
        tenant.start(a_row("state", "RJ"))
        tenant.told.clear()
        before = tenant.header

        assert tenant.write(partial(decide_update, SUSPENDED, KEEP)).status is SUSPENDED
        assert tenant.write(partial(decide_update, ACTIVE, KEEP)).status is ACTIVE

        first, second = before.access_version + 1, before.access_version + 2
        assert tenant.header == replace(before, access_version=second)
        assert tenant.told == [
            TenantChanged(SUSPENDED),
            AccessChanged(first),
            TenantChanged(ACTIVE),
            AccessChanged(second),
        ]

    def test_what_is_so_already_is_not_written(self) -> None:
        tenant = created(units=7)
        same = tenant.decide(partial(decide_update, ACTIVE, QuotaChange(units=7)))
        assert not same.changes_anything
        assert same.answer.quotas.units == 7

    def test_quotas_change_one_by_one_and_nobody_is_told(self) -> None:
        tenant = created(persons=5)
        answer = tenant.write(partial(decide_update, None, QuotaChange(units=3, appointments=9)))
        assert answer.quotas == tenant.header.quotas == Quotas(3, 5, 9)
        assert tenant.told == []

    def test_a_quota_below_what_there_is_takes_nothing_away(self) -> None:
        tenant = created()
        tenant.start(a_row("state", "RJ"), a_row("district", "JPR", ("state", "RJ")))
        answer = tenant.write(partial(decide_update, None, QuotaChange(units=1)))
        assert (answer.quotas.units, answer.used.units) == (1, 2)

    def test_a_tenant_that_was_never_created_cannot_change(self) -> None:
        with pytest.raises(TenantNotFound) as refused:
            Deciding().decide(partial(decide_update, SUSPENDED, KEEP))
        assert refused.value.fields() == {"tenant_id": "neem"}

    @pytest.mark.parametrize("status", [DELETING, DELETED])
    def test_a_removal_is_not_taken_back(self, status: TenantStatus) -> None:
        tenant = with_status(status)
        with pytest.raises(TenantDeleting) as refused:
            tenant.decide(partial(decide_update, ACTIVE, KEEP))
        assert refused.value.fields() == {"tenant_id": "neem", "status": str(status)}


class TestDeleting:
    def test_the_first_write_takes_the_secrets_and_all_that_the_header_holds(self) -> None:
        tenant = with_status(SUSPENDED)
        tenant.start(a_row("state", "RJ"))
        tenant.told.clear()
        key = SecretVersion(1, "wrapped", "kek-1")
        before = tenant.header = replace(tenant.header, secrets=TenantSecrets((key,), (key,)))

        tenant.write(decide_delete)

        assert tenant.header == TenantHeader(
            TenantId("neem"),
            tree_version=before.tree_version,
            access_version=before.access_version + 1,
            status=DELETING,
        )
        assert tenant.told == [TenantChanged(DELETING), AccessChanged(before.access_version + 1)]

    def test_a_tenant_at_work_is_suspended_first(self) -> None:
        with pytest.raises(TenantNotSuspended):
            created().decide(decide_delete)

    def test_a_tenant_that_was_never_created_cannot_be_removed(self) -> None:
        with pytest.raises(TenantNotFound):
            Deciding().decide(decide_delete)

    @pytest.mark.parametrize("status", [DELETING, DELETED])
    def test_a_repeat_changes_nothing(self, status: TenantStatus) -> None:
        assert not with_status(status).decide(decide_delete).changes_anything

    def test_the_end_is_noted_once(self) -> None:
        tenant = with_status(DELETING)
        before = tenant.header
        tenant.write(decide_deleted)
        assert tenant.header == replace(before, status=DELETED)
        assert not tenant.decide(decide_deleted).changes_anything

    @pytest.mark.parametrize("status", [ACTIVE, SUSPENDED])
    def test_nothing_ends_that_is_not_being_removed(self, status: TenantStatus) -> None:
        assert not with_status(status).decide(decide_deleted).changes_anything

    def test_a_proof_has_a_digest_that_anybody_can_make(self) -> None:
        proof = DeletionProof(TenantId("neem"), START + timedelta(microseconds=7), 0)
        # printf 'neem\n2026-01-01T00:00:00.000007Z\n0\n' | sha256sum
        assert proof.digest == "410d83b025579778e80758ee5a48da8b54e5617c18b4b05ca445a39234698872"
        assert replace(proof, remaining_count=1).digest != proof.digest


class TestWorking:
    @pytest.mark.parametrize("implicit", [True, False])
    def test_a_tenant_that_was_created_works(self, implicit: bool) -> None:
        require_working(created().header, implicit=implicit)

    def test_one_that_was_not_may_begin_where_that_is_allowed(self) -> None:
        nobody = TenantHeader(TenantId("neem"))
        require_working(nobody, implicit=True)
        with pytest.raises(TenantUnknown) as refused:
            require_working(nobody, implicit=False)
        assert refused.value.fields() == {"tenant_id": "neem"}

    @pytest.mark.parametrize("implicit", [True, False])
    @pytest.mark.parametrize(
        ("status", "error"),
        [(SUSPENDED, TenantSuspended), (DELETING, TenantUnknown), (DELETED, TenantUnknown)],
    )
    def test_no_other_works(
        self, status: TenantStatus, error: type[ChaupalError], implicit: bool
    ) -> None:
        with pytest.raises(error):
            require_working(with_status(status).header, implicit=implicit)
