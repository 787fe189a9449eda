"""The phone numbers of a page: read once, hashed once, sealed for those who are new."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Self

from services.hierarchy.domain.people import PersonId
from services.hierarchy.domain.people_errors import SecretsChanged
from services.hierarchy.domain.persons import SealedForPut, secret_versions
from services.hierarchy.domain.phones import PhoneNumber
from services.hierarchy.domain.sealing import TenantKeys
from services.hierarchy.domain.tenants import TenantHeader

Versions = tuple[frozenset[int], frozenset[int]]


@dataclass(frozen=True, slots=True)
class Numbers:
    """Numbers as they were typed, and what each is found by; those that are none left out.

    Attributes:
        versions: of the tenant's secrets under which it is so; None without any number.
    """

    versions: Versions | None = None
    _keys: TenantKeys | None = field(default=None, repr=False)
    _nonce: Callable[[], bytes] | None = field(default=None, repr=False)
    _known: Mapping[str, tuple[PhoneNumber, Mapping[int, str]]] = field(
        default_factory=dict, repr=False
    )

    @classmethod
    def read(
        cls,
        typed: Iterable[str],
        keys: TenantKeys,
        versions: Versions,
        nonce: Callable[[], bytes],
    ) -> Self:
        """Read what was typed; some 5 us each, so a page of it is not for an event loop.

        Args:
            typed: numbers.
            keys: the secrets to hash and seal with.
            versions: of the tenant's secrets; those of `keys`, unless they are for a trial.
            nonce: gives fresh random bytes for each seal.
        """
        phones = {text: PhoneNumber.read(text) for text in typed}
        known = {text: (phone, keys.hashes(phone)) for text, phone in phones.items() if phone}
        return cls(versions, keys, nonce, known)

    def is_number(self, typed: str) -> bool:
        """Whether it could be read."""
        return typed in self._known

    def phone(self, typed: str) -> PhoneNumber | None:
        """The number, or None when nothing was typed that is one."""
        known = self._known.get(typed)
        return known[0] if known else None

    def hashes(self, typed: str) -> Iterable[str]:
        """What the number is found by, under each pepper."""
        known = self._known.get(typed)
        return known[1].values() if known else ()

    def oldest_hash(self, typed: str) -> str:
        """What tells the number from another in a fingerprint; empty for none.

        The oldest pepper stays the same until a rotation ends.
        """
        known = self._known.get(typed)
        return known[1][min(known[1])] if known else ""

    def seal(self, person_id: PersonId, typed: str) -> SealedForPut | None:
        """The number, ready to be written; None when nothing was typed."""
        known = self._known.get(typed)
        if known is None or self._keys is None or self._nonce is None or self.versions is None:
            return None
        phone, hashes = known
        return SealedForPut(self._keys.seal(person_id, phone, self._nonce()), hashes, self.versions)

    def require_current(self, header: TenantHeader) -> None:
        """Raise `SecretsChanged` unless the tenant's secrets are those that were used."""
        if self.versions is not None and self.versions != secret_versions(header):
            raise SecretsChanged
