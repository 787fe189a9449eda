"""Tenants' secrets: made when first needed, opened once in each process, replaced while in use."""

import asyncio
import secrets as random
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from kit.ids import Ids
from services.hierarchy.domain.model import RequestId, TenantId
from services.hierarchy.domain.operations import Moment, Operation, Steps
from services.hierarchy.domain.people import Person, PersonId
from services.hierarchy.domain.people_errors import SecretUnreadable
from services.hierarchy.domain.persons import SealedForPut
from services.hierarchy.domain.phones import PhoneNumber
from services.hierarchy.domain.rotation import (
    Carried,
    NewSecrets,
    Resealed,
    decide_add_secrets,
    decide_carry_over,
    decide_drop_old_secrets,
    decide_rewrap,
    is_rotating,
    newest_version,
)
from services.hierarchy.domain.sealing import (
    NONCE_BYTES,
    SECRET_BYTES,
    SecretKind,
    TenantKeys,
    secret_context,
)
from services.hierarchy.domain.tenants import SecretVersion, TenantHeader
from services.hierarchy.domain.transfers.numbers import Numbers, Versions
from services.hierarchy.ports import KeyWrap, OrgGraph, WrappedSecret

# A hundred bytes each, two to a tenant.
MAX_SECRETS_KEPT = 20_000
# A run of so many is one write: about 30 ms of sealing, in a thread, and as much of writing.
CARRIED_PER_WRITE = 1_000
# Less than a call's time by far.
CARRIED_PER_CALL = 10_000


@dataclass(frozen=True, slots=True)
class Rotation:
    """How far a rotation is.

    Attributes:
        carried_count: how many persons this call carried over.
        done: whether all are, and the old secrets gone.
    """

    carried_count: int
    done: bool


class Secrets:
    """Seals and opens phone numbers, with the secrets of any tenant.

    Secrets in clear are kept in this process's memory only, of those that were used last.
    """

    def __init__(
        self, graph: OrgGraph, wrap: KeyWrap, ids: Ids, max_kept: int = MAX_SECRETS_KEPT
    ) -> None:
        self._graph = graph
        self._wrap = wrap
        self._ids = ids
        self._max_kept = max_kept
        self._kept: OrderedDict[tuple[TenantId, str], bytes] = OrderedDict()

    async def keys(self, header: TenantHeader) -> TenantKeys:
        """The secrets that the header names; none before the tenant's first number."""
        return TenantKeys(
            header.tenant,
            await self._opened(header.tenant, SecretKind.DATA_KEY, header.secrets.data_keys),
            await self._opened(header.tenant, SecretKind.PEPPER, header.secrets.peppers),
        )

    async def with_secrets(self, header: TenantHeader) -> TenantHeader:
        """The tenant's header, with secrets: made and kept now if it had none."""
        if header.secrets.data_keys:
            return header
        await self._add(header)
        return await self._graph.header(header.tenant)

    async def seal(
        self, header: TenantHeader, person_id: PersonId, phone: PhoneNumber, *, keep: bool
    ) -> SealedForPut:
        """The number, ready to be written.

        Args:
            header: of the tenant, as new as may be.
            person_id: whose number it is.
            phone: the number.
            keep: whether it is to be written; otherwise a tenant without secrets gets none.
        """
        keys, versions = await self._keys_to_seal(header, keep=keep)
        sealed = keys.seal(person_id, phone, _nonce())
        return SealedForPut(sealed, keys.hashes(phone), versions)

    async def numbers(self, header: TenantHeader, typed: Collection[str], *, keep: bool) -> Numbers:
        """What was typed as numbers, ready to be found and sealed; the rest is as in `seal`."""
        if not typed:
            return Numbers()
        keys, versions = await self._keys_to_seal(header, keep=keep)
        return await asyncio.to_thread(Numbers.read, typed, keys, versions, _nonce)

    async def open(
        self, header: TenantHeader, persons: Collection[Person]
    ) -> Mapping[PersonId, PhoneNumber]:
        """The numbers of those of the persons who have one."""
        with_phone = [each for each in persons if each.phone]
        if not with_phone:
            return {}
        keys = await self._keys_for(header, with_phone)
        return await asyncio.to_thread(_open_all, keys, with_phone)

    async def rotate(
        self, tenant: TenantId, *, new_secrets: bool, limit: int = CARRIED_PER_CALL
    ) -> Rotation:
        """Replace the tenant's secrets, some persons with each call; repeat it until it is done.

        Whatever else goes on in the tenant goes on. Two who rotate at once do no harm.

        Args:
            tenant: whose.
            new_secrets: begin with a new data key and a new pepper, unless that has begun already.
            limit: carry about so many persons over.
        """
        header = await self._graph.header(tenant)
        if new_secrets and header.secrets.data_keys and not is_rotating(header.secrets):
            await self._add(header)
            header = await self._graph.header(tenant)
        await self._rewrap(header)
        looked = carried = 0
        while looked < limit:
            header = await self._graph.header(tenant)
            if not is_rotating(header.secrets):
                return Rotation(carried, done=True)
            run = await self._graph.page(
                tenant,
                Person,
                after=header.secrets.carried_through,
                limit=min(CARRIED_PER_WRITE, limit - looked),
            )
            looked += len(run)
            carried += await self._carry(header, run)
        return Rotation(carried, done=False)

    async def _keys_to_seal(
        self, header: TenantHeader, *, keep: bool
    ) -> tuple[TenantKeys, Versions]:
        if keep:
            header = await self.with_secrets(header)
        keys = await self.keys(header)
        versions = keys.versions
        if not keys.data_keys:
            fresh = {1: _fresh()}
            keys = TenantKeys(header.tenant, data_keys=fresh, peppers=fresh)
        return keys, versions

    async def _add(self, header: TenantHeader) -> None:
        secrets = header.secrets
        new = NewSecrets(
            await self._new(header.tenant, SecretKind.DATA_KEY, secrets.data_keys),
            await self._new(header.tenant, SecretKind.PEPPER, secrets.peppers),
        )
        await self._write(header.tenant, "add secrets", partial(decide_add_secrets, new))

    async def _new(
        self, tenant: TenantId, kind: SecretKind, old: Sequence[SecretVersion]
    ) -> SecretVersion:
        version = newest_version(old) + 1
        wrapped = await self._wrap.wrap(_fresh(), secret_context(tenant, kind, version))
        return SecretVersion(version, wrapped.wrapped, wrapped.key_id)

    async def _opened(
        self, tenant: TenantId, kind: SecretKind, secrets: Sequence[SecretVersion]
    ) -> Mapping[int, bytes]:
        return {each.version: await self._open_one(tenant, kind, each) for each in secrets}

    async def _open_one(self, tenant: TenantId, kind: SecretKind, secret: SecretVersion) -> bytes:
        key = (tenant, secret.wrapped)
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        wrapped = WrappedSecret(secret.wrapped, secret.wrapped_by)
        context = secret_context(tenant, kind, secret.version)
        opened = self._kept[key] = await self._wrap.unwrap(wrapped, context)
        if len(self._kept) > self._max_kept:
            self._kept.popitem(last=False)
        return opened

    async def _keys_for(self, header: TenantHeader, persons: Collection[Person]) -> TenantKeys:
        """The secrets of the header, or of a newer one when a person is ahead of it."""
        needed = {each.phone.key_version for each in persons if each.phone}
        keys = await self.keys(header)
        if not needed <= keys.data_keys.keys():
            newer = await self.keys(await self._graph.header(header.tenant))
            # The older ones too: a person may have been read before the last was carried over.
            keys = TenantKeys(
                header.tenant,
                {**keys.data_keys, **newer.data_keys},
                {**keys.peppers, **newer.peppers},
            )
        if missing := needed - keys.data_keys.keys():
            raise SecretUnreadable(f"data key {min(missing)} of the organisation")
        return keys

    async def _rewrap(self, header: TenantHeader) -> None:
        """Put under the current key-encryption key what another one wrapped."""
        current = self._wrap.current_key_id
        rewrapped: dict[SecretVersion, SecretVersion] = {}
        for kind, secrets in (
            (SecretKind.DATA_KEY, header.secrets.data_keys),
            (SecretKind.PEPPER, header.secrets.peppers),
        ):
            for each in secrets:
                if each.wrapped_by != current:
                    secret = await self._open_one(header.tenant, kind, each)
                    context = secret_context(header.tenant, kind, each.version)
                    wrapped = await self._wrap.wrap(secret, context)
                    rewrapped[each] = SecretVersion(each.version, wrapped.wrapped, wrapped.key_id)
        if rewrapped:
            await self._write(header.tenant, "rewrap secrets", partial(decide_rewrap, rewrapped))

    async def _carry(self, header: TenantHeader, run: Sequence[Person]) -> int:
        """Carry a run of persons over, or end the rotation when there are no more."""
        tenant, after = header.tenant, PersonId(header.secrets.carried_through)
        if not run:
            drop = partial(decide_drop_old_secrets, after)
            return await self._write(tenant, "drop old secrets", drop)
        keys = await self._keys_for(header, run)
        resealed = await asyncio.to_thread(_reseal, keys, run)
        decide = partial(decide_carry_over, resealed, after, run[-1].id)
        return await self._write(tenant, "carry over to new secrets", decide)

    async def _write(
        self, tenant: TenantId, name: str, decide: Callable[[Moment], Steps[Carried]]
    ) -> int:
        request_id = RequestId(self._ids.new())
        operation = Operation(name, request_id, "", "", Carried, decide)
        return (await self._graph.write(tenant, operation)).carried_count


def _fresh() -> bytes:
    return random.token_bytes(SECRET_BYTES)


def _nonce() -> bytes:
    return random.token_bytes(NONCE_BYTES)


def _open_all(keys: TenantKeys, persons: Collection[Person]) -> Mapping[PersonId, PhoneNumber]:
    return {each.id: keys.open(each.id, each.phone) for each in persons if each.phone}


def _reseal(keys: TenantKeys, persons: Collection[Person]) -> list[Resealed]:
    """Those whose number is not under the newest secrets, under them."""
    newest = (max(keys.data_keys), max(keys.peppers))
    return [
        Resealed(
            each.id,
            each.phone,
            keys.seal(each.id, keys.open(each.id, each.phone), _nonce()),
        )
        for each in persons
        if each.phone and (each.phone.key_version, each.phone.pepper_version) != newest
    ]
