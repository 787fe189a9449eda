"""How phone numbers are kept: sealed under the tenant's data key, found by a keyed hash.

A plain hash of a phone number falls in minutes, as there are so few of them. The sealed number is
bound to its tenant and person: moved to another row it cannot be opened.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from services.hierarchy.domain.model import TenantId
from services.hierarchy.domain.people import PersonId, SealedPhone
from services.hierarchy.domain.people_errors import SecretUnreadable
from services.hierarchy.domain.phones import PhoneNumber

SECRET_BYTES = 32
# NIST SP 800-38D, 8.2: 96 bits. Random ones are good for 2^32 seals under a key.
NONCE_BYTES = 12


class SecretKind(StrEnum):
    """The secrets that a tenant has."""

    DATA_KEY = "data_key"
    PEPPER = "pepper"


@dataclass(frozen=True, slots=True)
class TenantKeys:
    """A tenant's secrets in clear, by version; never shown, never kept but in memory."""

    tenant: TenantId
    data_keys: Mapping[int, bytes] = field(repr=False)
    peppers: Mapping[int, bytes] = field(repr=False)

    @property
    def versions(self) -> tuple[frozenset[int], frozenset[int]]:
        """Which data keys and which peppers."""
        return frozenset(self.data_keys), frozenset(self.peppers)

    def hashes(self, phone: PhoneNumber) -> Mapping[int, str]:
        """What the number is found by, under each pepper."""
        return {version: _hash(pepper, phone) for version, pepper in self.peppers.items()}

    def seal(self, person: PersonId, phone: PhoneNumber, nonce: bytes) -> SealedPhone:
        """The number as it is kept of a person, under the newest secrets.

        Args:
            person: whose number it is.
            phone: the number.
            nonce: `NONCE_BYTES` fresh random bytes.
        """
        pepper_version, key_version = max(self.peppers), max(self.data_keys)
        cipher = AESGCM(self.data_keys[key_version])
        sealed = nonce + cipher.encrypt(nonce, phone.e164.encode(), self._bound_to(person))
        return SealedPhone(
            hash=_hash(self.peppers[pepper_version], phone),
            pepper_version=pepper_version,
            sealed=base64.b64encode(sealed).decode(),
            key_version=key_version,
            masked=phone.masked,
        )

    def open(self, person: PersonId, phone: SealedPhone) -> PhoneNumber:
        """The number that was sealed for this person of this tenant.

        Raises:
            KeyError: the data key is not among these.
            SecretUnreadable: it was sealed for somebody else, or is damaged.
        """
        cipher = AESGCM(self.data_keys[phone.key_version])
        sealed = base64.b64decode(phone.sealed)
        nonce, text = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
        try:
            return PhoneNumber(cipher.decrypt(nonce, text, self._bound_to(person)).decode())
        except (InvalidTag, ValueError) as error:
            raise SecretUnreadable(f"phone of person {person}") from error

    def _bound_to(self, person: PersonId) -> bytes:
        return f"phone\n{self.tenant}\n{person}".encode()


def secret_context(tenant: TenantId, kind: SecretKind, version: int) -> bytes:
    """What a wrapped secret is bound to."""
    return f"{kind}\n{tenant}\n{version}".encode()


def _hash(pepper: bytes, phone: PhoneNumber) -> str:
    return hmac.new(pepper, phone.e164.encode(), hashlib.sha256).hexdigest()
