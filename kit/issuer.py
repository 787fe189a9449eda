"""Issuing tokens: for development and tests, where no identity provider runs."""

import base64
import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Self

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm


class SigningKey:
    """An ES256 key pair; its id is its RFC 7638 thumbprint, so equal keys have equal ids."""

    def __init__(self, private: ec.EllipticCurvePrivateKey) -> None:
        self._private = private
        self._public_jwk: dict[str, Any] = ECAlgorithm.to_jwk(private.public_key(), as_dict=True)
        self.kid = _thumbprint(self._public_jwk)

    @classmethod
    def generate(cls) -> Self:
        """A new key."""
        return cls(ec.generate_private_key(ec.SECP256R1()))

    @classmethod
    def load(cls, path: Path) -> Self:
        """The key that `save` wrote. Raises OSError, or ValueError when it is no such key."""
        private = serialization.load_pem_private_key(path.read_bytes(), password=None)
        if not isinstance(private, ec.EllipticCurvePrivateKey) or private.curve.name != "secp256r1":
            raise ValueError(f"{path} holds no P-256 private key")
        return cls(private)

    def save(self, path: Path) -> None:
        """Write the key as PEM, readable by its owner only, whole or not at all."""
        pem = self._private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        draft = path.with_name(f"{path.name}.{os.getpid()}.new")
        try:
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as to:
                to.write(pem)
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)

    def jwks(self) -> dict[str, Any]:
        """The public half as a JWK set (RFC 7517), for verifiers."""
        return {"keys": [{**self._public_jwk, "kid": self.kid, "use": "sig", "alg": "ES256"}]}

    def sign(self, claims: Mapping[str, Any]) -> str:
        """A JWT with exactly these claims."""
        return jwt.encode(dict(claims), self._private, "ES256", headers={"kid": self.kid})


def issue(
    key: SigningKey,
    *,
    issuer: str,
    subject: str,
    issued_at: datetime,
    expires_at: datetime,
    audience: str = "chaupal",
    tenant: str | None = None,
    capabilities: Iterable[str] = (),
) -> str:
    """A caller's token with the claims that `kit.tokens` reads."""
    claims: dict[str, Any] = {
        "iss": issuer,
        "aud": audience,
        "sub": subject,
        "iat": int(issued_at.timestamp()),
        "exp": int(expires_at.timestamp()),
        "capabilities": sorted(capabilities),
    }
    if tenant is not None:
        claims["tenant"] = tenant
    return key.sign(claims)


def _thumbprint(jwk: Mapping[str, Any]) -> str:
    members = {name: jwk[name] for name in ("crv", "kty", "x", "y")}
    text = json.dumps(members, separators=(",", ":"), sort_keys=True)
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")
