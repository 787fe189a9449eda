"""Decides how a tenant's secrets are made and replaced, with everything that they seal.

New secrets are added beside the old ones; from then on each number is sealed under the newest and
looked up under all. What was sealed before is carried over in the order of persons' ids, and the
header notes how far. When nobody is left the old secrets go.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from services.hierarchy.domain.operations import Decision, Moment, Steps, Want
from services.hierarchy.domain.people import Person, PersonId, SealedPhone
from services.hierarchy.domain.records import PERSONS_BY_ID
from services.hierarchy.domain.tenants import SecretVersion, TenantHeader, TenantSecrets


@dataclass(frozen=True, slots=True)
class NewSecrets:
    """A fresh data key and a fresh pepper, wrapped."""

    data_key: SecretVersion
    pepper: SecretVersion


@dataclass(frozen=True, slots=True)
class Resealed:
    """The number of a person under old secrets, and the same under the newest."""

    person_id: PersonId
    before: SealedPhone
    after: SealedPhone


@dataclass(frozen=True, slots=True)
class Carried:
    """The answer to a step of a rotation: how many persons were carried over by it."""

    carried_count: int = 0


def is_rotating(secrets: TenantSecrets) -> bool:
    """Whether there are old secrets beside the newest."""
    return len(secrets.data_keys) > 1 or len(secrets.peppers) > 1


def newest_version(secrets: Sequence[SecretVersion]) -> int:
    """The version of the newest; 0 when there is none."""
    return max((each.version for each in secrets), default=0)


def decide_add_secrets(new: NewSecrets, moment: Moment) -> Steps[Carried]:
    """Give the tenant these secrets, unless it has some as new already or is rotating."""
    yield Want({})
    secrets = moment.header.secrets
    follows = new.data_key.version == newest_version(secrets.data_keys) + 1
    if is_rotating(secrets) or not follows:
        return Decision(Carried())
    after = TenantSecrets(
        data_keys=(*secrets.data_keys, new.data_key), peppers=(*secrets.peppers, new.pepper)
    )
    return Decision(Carried(), header=replace(moment.header, secrets=after))


def decide_rewrap(
    rewrapped: Mapping[SecretVersion, SecretVersion], moment: Moment
) -> Steps[Carried]:
    """Keep the same secrets under another wrap; one that was replaced meanwhile is left alone."""
    yield Want({})
    header = moment.header
    secrets = replace(
        header.secrets,
        data_keys=tuple(rewrapped.get(each, each) for each in header.secrets.data_keys),
        peppers=tuple(rewrapped.get(each, each) for each in header.secrets.peppers),
    )
    changed = secrets != header.secrets
    return Decision(Carried(), header=replace(header, secrets=secrets) if changed else None)


def decide_carry_over(
    resealed: Sequence[Resealed], after: PersonId, through: PersonId, moment: Moment
) -> Steps[Carried]:
    """Put a run of persons under the newest secrets, and note how far that has come.

    Args:
        resealed: those of the run whose number was sealed under others.
        after: behind whom the run begins; when the header says otherwise, another call was first.
        through: the last person of the run.
        moment: of the write.
    """
    header = moment.header
    found = yield Want({PERSONS_BY_ID: [each.person_id for each in resealed]})
    if not is_rotating(header.secrets) or header.secrets.carried_through != after:
        return Decision(Carried())
    puts = []
    for each in resealed:
        person = found.one(PERSONS_BY_ID, each.person_id)
        # Another number was sealed under the newest secrets when it was put.
        if person is not None and person.phone == each.before:
            puts.append(_with_phone(person, each.after))
    secrets = replace(header.secrets, carried_through=through)
    return Decision(Carried(len(puts)), puts=puts, header=replace(header, secrets=secrets))


def decide_drop_old_secrets(after: PersonId, moment: Moment) -> Steps[Carried]:
    """Drop all secrets but the newest, once everybody up to the last person was carried over."""
    yield Want({})
    header = moment.header
    if not is_rotating(header.secrets) or header.secrets.carried_through != after:
        return Decision(Carried())
    secrets = TenantSecrets(
        data_keys=header.secrets.data_keys[-1:], peppers=header.secrets.peppers[-1:]
    )
    return Decision(Carried(), header=replace(header, secrets=secrets))


def all_secrets(header: TenantHeader) -> tuple[SecretVersion, ...]:
    """Every secret of the tenant."""
    return (*header.secrets.data_keys, *header.secrets.peppers)


def _with_phone(person: Person, phone: SealedPhone) -> Person:
    # The same number: nothing that a caller can see has changed, and so no revision.
    return replace(person, phone=phone)
