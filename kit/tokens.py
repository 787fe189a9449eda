"""Who is calling: verification of callers' tokens into one Caller value.

Tokens are JWTs (RFC 7519) of one OIDC issuer, signed with an asymmetric key. The text of a token
is in no log, no repr and no error.
"""

import asyncio
import re
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, NoReturn, Protocol

import jwt

from kit.clock import Clock, SystemClock
from kit.errors import Forbidden, Unauthenticated, Unavailable
from kit.jwks import KeySet, file_source, http_source
from kit.settings import ProcessSettings

# No HMAC (a public key would be its secret, RFC 8725 section 2.1) and no `none`.
ALGORITHMS = frozenset({"ES256", "RS256", "EdDSA"})
# The right of those who operate the platform, over all tenants and in none: a token gives it
# without a tenant, or not at all.
OPERATE = "operate"
TENANT_PATTERN = re.compile(r"[a-z0-9][a-z0-9-]{1,62}")
MAX_TOKEN_CHARS = 8 * 1024
MAX_CAPABILITIES = 64
_VERIFIED_TOKENS_KEPT = 4096


class TokenMissing(Unauthenticated):
    """The call carries no bearer token."""

    reason = "TOKEN_MISSING"
    sentence = "there is no token: send the header 'authorization: Bearer TOKEN'"


class TokenExpired(Unauthenticated):
    """The token was good once."""

    reason = "TOKEN_EXPIRED"
    sentence = "the token has expired: get a new one where you got it"


class TokenInvalid(Unauthenticated):
    """The token does not hold; `problem` says what about it, and never quotes it."""

    reason = "TOKEN_INVALID"
    sentence = "the token is not accepted ({problem}): get a new one from this platform's issuer"
    problem: str


class TenantRequired(Unauthenticated):
    """The call is for one tenant, and its credential names none."""

    reason = "TENANT_REQUIRED"


class TenantInvalid(Unauthenticated):
    """A service named a tenant that cannot be one."""

    reason = "TENANT_INVALID"


class CapabilityMissing(Forbidden):
    """The caller lacks a right."""

    reason = "CAPABILITY_MISSING"
    sentence = "this needs the capability {capability}, which the token does not give"
    capability: str


class ServiceTokenUnavailable(Unavailable):
    """This process's own token cannot be read."""

    reason = "SERVICE_TOKEN_UNAVAILABLE"


def is_tenant(text: str) -> bool:
    """Whether the text can be a tenant's id."""
    return TENANT_PATTERN.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class Caller:
    """A verified caller: a user of one tenant, a service, or an operator of the platform.

    A service names the tenant that it works for; an operator has none.
    """

    subject: str
    tenant: str | None
    kind: Literal["user", "service"]
    capabilities: frozenset[str]
    expires_at: datetime
    token: str = field(repr=False, compare=False)

    @property
    def is_service(self) -> bool:
        """Whether the caller is one of our own processes."""
        return self.kind == "service"

    @property
    def is_operator(self) -> bool:
        """Whether the caller operates the platform; a service or a tenant's user never does."""
        return self.kind == "user" and self.tenant is None and OPERATE in self.capabilities

    @property
    def tenant_id(self) -> str:
        """The tenant of the call. Raises `TenantRequired` when the credential names none."""
        if self.tenant is None:
            raise TenantRequired
        return self.tenant

    def require(self, capability: str) -> None:
        """Raise `CapabilityMissing` unless the caller has this right; a service has every one."""
        if not self.is_service and capability not in self.capabilities:
            raise CapabilityMissing(capability)


@dataclass(frozen=True, slots=True)
class _Claims:
    """What a token says once its signature holds; key and time are checked at each use."""

    kid: str
    subject: str
    tenant: str | None
    capabilities: frozenset[str]
    expires_at: float
    not_before: float


class TokenVerifier:
    """Turns bearer tokens into callers.

    Args:
        issuer: the only `iss` that is accepted.
        audience: must be in `aud`.
        keys: the issuer's keys.
        service_subjects: the `sub`s that are services. A service's tenant is what the call names
            and nothing else; a user's is the claim `tenant` and nothing else.
        clock: decides what has expired.
        leeway: how far this clock and the issuer's may differ.
    """

    def __init__(
        self,
        issuer: str,
        audience: str,
        keys: KeySet,
        service_subjects: frozenset[str] = frozenset(),
        *,
        clock: Clock | None = None,
        leeway: timedelta = timedelta(0),
    ) -> None:
        self._issuer = issuer
        self._audience = audience
        self._keys = keys
        self._service_subjects = service_subjects
        self._clock = clock or SystemClock()
        self._leeway = leeway.total_seconds()
        # A check costs 0.15-0.2 ms, more than the rest of a small call's handling, and the same few
        # tokens come again and again. Emptied when the issuer's keys change.
        self._verified: OrderedDict[str, _Claims] = OrderedDict()
        self._generation = keys.generation

    async def verify(self, token: str, named_tenant: str | None = None) -> Caller:
        """The caller that a token stands for.

        Args:
            token: the JWT, without the word Bearer.
            named_tenant: the tenant that the call's metadata names; only a service's counts.

        Raises:
            TokenMissing, TokenExpired, TokenInvalid, TenantInvalid: see there.
            JwksUnavailable: when the keys to check with cannot be had.
        """
        if not token:
            raise TokenMissing
        claims = await self._claims(token)
        now = self._clock.now().timestamp()
        if now >= claims.expires_at + self._leeway:
            raise TokenExpired
        if now < claims.not_before - self._leeway:
            _refuse("not valid yet")
        service = claims.subject in self._service_subjects
        return Caller(
            subject=claims.subject,
            tenant=_named(named_tenant) if service else claims.tenant,
            kind="service" if service else "user",
            capabilities=claims.capabilities,
            expires_at=datetime.fromtimestamp(claims.expires_at, UTC),
            token=token,
        )

    async def _claims(self, token: str) -> _Claims:
        if len(token) > MAX_TOKEN_CHARS:
            _refuse("too long")
        seen = self._verified.get(token)
        kid = seen.kid if seen else _key_id(_header(token))
        # Also asked for when the claims are known, so that a withdrawn key is noticed.
        key = await self._keys.get(kid)
        if key is None:
            _refuse("unknown key")
        if self._generation != self._keys.generation:
            self._verified.clear()
            self._generation = self._keys.generation
        claims = self._verified.get(token)
        if claims is None:
            claims = self._verified[token] = self._checked(token, kid, key)
            if len(self._verified) > _VERIFIED_TOKENS_KEPT:
                self._verified.popitem(last=False)
        else:
            self._verified.move_to_end(token)
        return claims

    def _checked(self, token: str, kid: str, key: Mapping[str, Any]) -> _Claims:
        try:
            public = jwt.PyJWK.from_dict(dict(key))
        except jwt.PyJWTError:
            _refuse("unusable key")
        if public.algorithm_name not in ALGORITHMS:
            _refuse("algorithm")
        try:
            payload = jwt.decode(
                token,
                public,
                algorithms=[public.algorithm_name],
                audience=self._audience,
                issuer=self._issuer,
                # Times are checked against our own clock, at every use.
                options={
                    "require": ["exp", "iss", "aud", "sub"],
                    "verify_exp": False,
                    "verify_nbf": False,
                    "verify_iat": False,
                },
            )
        except jwt.PyJWTError as error:
            # `from None`: the library's messages may quote the token's claims.
            raise TokenInvalid(_problem(error)) from None
        return _parsed(payload, kid)


def build_verifier(settings: ProcessSettings, clock: Clock | None = None) -> TokenVerifier:
    """The verifier that a process's settings describe."""
    if settings.oidc_jwks_url is not None:
        source = http_source(settings.oidc_jwks_url)
    elif settings.oidc_jwks_file is not None:
        source = file_source(settings.oidc_jwks_file)
    else:
        raise ValueError("OIDC_JWKS_URL or OIDC_JWKS_FILE is needed")
    return TokenVerifier(
        settings.oidc_issuer,
        settings.oidc_audience,
        KeySet(source, clock=clock),
        settings.service_subjects,
        clock=clock,
    )


class TokenSource(Protocol):
    """Where a process has its own token from."""

    async def token(self) -> str:
        """The token to call with now. Raises `ServiceTokenUnavailable` when there is none."""
        ...


class StaticTokenSource:
    """A token that never changes; for tests and one-off commands."""

    def __init__(self, token: str) -> None:
        self._token = token

    async def token(self) -> str:
        """The token to call with now."""
        return self._token


class FileTokenSource:
    """A token in a file that somebody rotates, as Kubernetes does with projected volumes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int, int] | None = None
        self._token = ""

    async def token(self) -> str:
        """The token in the file now; read again only when the file is another one."""
        try:
            # A stat of a small local file; Kubernetes swaps a symbolic link, hence the inode.
            facts = self._path.stat()
            seen = (facts.st_mtime_ns, facts.st_ino, facts.st_size)
            if seen != self._seen:
                self._token = (await asyncio.to_thread(self._path.read_text, "utf-8")).strip()
                self._seen = seen
        except (OSError, UnicodeDecodeError) as error:
            raise ServiceTokenUnavailable from error
        if not self._token:
            raise ServiceTokenUnavailable
        return self._token


def _refuse(problem: str) -> NoReturn:
    raise TokenInvalid(problem)


def _header(token: str) -> Mapping[str, Any]:
    try:
        return jwt.get_unverified_header(token)
    except (jwt.PyJWTError, ValueError, RecursionError):
        raise TokenInvalid("malformed") from None


def _key_id(header: Mapping[str, Any]) -> str:
    algorithm = header.get("alg")
    if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
        _refuse("algorithm")
    kid = header.get("kid")
    if not isinstance(kid, str) or not kid:
        _refuse("no key id")
    return kid


def _problem(error: jwt.PyJWTError) -> str:
    match error:
        case jwt.InvalidSignatureError():
            return "signature"
        case jwt.InvalidIssuerError():
            return "issuer"
        case jwt.InvalidAudienceError():
            return "audience"
        case jwt.InvalidAlgorithmError():
            return "algorithm"
        case jwt.MissingRequiredClaimError(claim=claim):
            return f"no {claim}"
        case _:
            return "malformed"


def _parsed(payload: Mapping[str, Any], kid: str) -> _Claims:
    subject = payload["sub"]
    if not isinstance(subject, str) or not subject:
        _refuse("sub")
    tenant = payload.get("tenant")
    if tenant is not None and not (isinstance(tenant, str) and is_tenant(tenant)):
        _refuse("tenant")
    capabilities = payload.get("capabilities", [])
    if not _is_text_list(capabilities) or len(capabilities) > MAX_CAPABILITIES:
        _refuse("capabilities")
    if tenant is not None and OPERATE in capabilities:
        # Whoever made it has mixed up two kinds of people: it opens neither door.
        _refuse("operate in a tenant")
    return _Claims(
        kid=kid,
        subject=subject,
        tenant=tenant,
        capabilities=frozenset(capabilities),
        expires_at=_instant(payload["exp"], "exp"),
        not_before=_instant(payload.get("nbf", 0), "nbf"),
    )


def _is_text_list(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _instant(value: object, claim: str) -> float:
    # Up to the year 9999, which also refuses NaN and infinity.
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 253e9:
        _refuse(claim)
    return float(value)


def _named(tenant: str | None) -> str | None:
    if tenant is not None and not is_tenant(tenant):
        raise TenantInvalid
    return tenant
