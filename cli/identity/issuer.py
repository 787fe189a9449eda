"""Signs the tokens of development: for people in a role, and for the services."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from cli.errors import Refusal
from cli.identity.roles import (
    OPERATOR,
    OPERATOR_CAPABILITIES,
    ROLES,
    service_subject,
)
from cli.launcher.folder import no_data
from kit.clock import Clock, SystemClock
from kit.issuer import SigningKey, issue

AUDIENCE = "chaupal"
# A working day; `chaupal token` makes another.
SAMPLE_LIFETIME = timedelta(hours=12)
SERVICE_LIFETIME = timedelta(hours=1)


class DevelopmentIssuer:
    """An issuer whose key lies in the data folder.

    Args:
        key: Signs everything.
        url: The issuer's name (`iss`) and address.
        clock: Decides when tokens begin and end.
    """

    def __init__(self, key: SigningKey, url: str, clock: Clock | None = None) -> None:
        self._key = key
        self._clock = clock or SystemClock()
        self.url = url

    def role_token(
        self, tenant: str, role: str, lifetime: timedelta = SAMPLE_LIFETIME, subject: str = ""
    ) -> str:
        """Return a token of somebody in a role of `ROLES` of a tenant."""
        return self._issue(subject or f"{role}@{tenant}", lifetime, tenant, ROLES[role])

    def person_token(self, tenant: str, subject: str, lifetime: timedelta = SAMPLE_LIFETIME) -> str:
        """Return a token that gives nothing by itself: what its subject's appointments give."""
        return self._issue(subject, lifetime, tenant, ())

    def operator_token(self, lifetime: timedelta = SAMPLE_LIFETIME, subject: str = "") -> str:
        """Return a token of somebody who operates the platform; it names no tenant."""
        return self._issue(subject or OPERATOR, lifetime, None, OPERATOR_CAPABILITIES)

    def service_token(self, service: str) -> str:
        """Return a token that a service calls its peers with; it names no tenant."""
        return self._issue(service_subject(service), SERVICE_LIFETIME, None, ())

    def jwks(self) -> Mapping[str, object]:
        """Return the public half of the key, for verifiers."""
        return self._key.jwks()

    def discovery(self) -> Mapping[str, object]:
        """Return the metadata of OpenID Connect Discovery 1.0 that a verifier reads."""
        return {
            "issuer": self.url,
            "jwks_uri": f"{self.url}/jwks.json",
            "response_types_supported": ["id_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256"],
        }

    def _issue(
        self, subject: str, lifetime: timedelta, tenant: str | None, capabilities: tuple[str, ...]
    ) -> str:
        now = self._clock.now()
        return issue(
            self._key,
            issuer=self.url,
            audience=AUDIENCE,
            subject=subject,
            issued_at=now,
            expires_at=now + lifetime,
            tenant=tenant,
            capabilities=capabilities,
        )


def load_key(path: Path) -> SigningKey:
    """Return the key that `chaupal up` made.

    Raises:
        Refusal: There is none, or it cannot be read.
    """
    try:
        return SigningKey.load(path)
    except FileNotFoundError as error:
        raise no_data(path.parent) from error
    except (OSError, ValueError) as error:
        raise Refusal(
            "KEY_UNREADABLE",
            f"cannot read the signing key {path}: {error}",
            "Make it readable for you, or remove it; `chaupal up` makes another.",
        ) from error


def load_or_make_key(path: Path) -> SigningKey:
    """Return the key of a data folder, and make it when it is new."""
    if path.exists():
        return load_key(path)
    key = SigningKey.generate()
    key.save(path)
    return key
