"""Tokens: who a token says is calling, what is refused and by which reason, and our own."""

import base64
import hmac
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from jwt.algorithms import OKPAlgorithm, RSAAlgorithm

from kit.errors import Forbidden, Unauthenticated
from kit.tokens import (
    Caller,
    CapabilityMissing,
    FileTokenSource,
    ServiceTokenUnavailable,
    StaticTokenSource,
    TenantInvalid,
    TenantRequired,
    TokenExpired,
    TokenInvalid,
    TokenMissing,
    is_tenant,
)
from tests.unit.kit.desk import KEY, OTHER_KEY, Desk


class TestCallers:
    async def test_a_user_is_who_the_token_says(self, desk: Desk) -> None:
        token = desk.token()
        caller = await desk.verifier.verify(token)
        assert caller == Caller(
            subject="asha",
            tenant="neem",
            kind="user",
            capabilities=frozenset({"view", "compose"}),
            expires_at=desk.clock.now() + timedelta(seconds=60),
            token=token,
        )
        assert caller.tenant_id == "neem"
        assert not caller.is_service

    async def test_a_user_may_what_the_token_grants(self, desk: Desk) -> None:
        caller = await desk.verifier.verify(desk.token())
        caller.require("compose")
        with pytest.raises(CapabilityMissing) as refused:
            caller.require("approve")
        assert isinstance(refused.value, Forbidden)
        assert refused.value.fields() == {"capability": "approve"}

    async def test_a_user_who_names_a_tenant_is_not_heard(self, desk: Desk) -> None:
        assert (await desk.verifier.verify(desk.token(), "peepal")).tenant_id == "neem"
        # Not even a nonsense one is looked at.
        assert (await desk.verifier.verify(desk.token(), "../x")).tenant_id == "neem"

    async def test_a_user_without_a_tenant_has_none(self, desk: Desk) -> None:
        caller = await desk.verifier.verify(desk.token(tenant=None), "peepal")
        assert caller.tenant is None
        with pytest.raises(TenantRequired):
            _ = caller.tenant_id

    async def test_a_service_works_for_the_tenant_it_names_and_may_everything(
        self, desk: Desk
    ) -> None:
        token = desk.token(subject="service:groups", tenant=None, capabilities=())
        caller = await desk.verifier.verify(token, "peepal")
        assert (caller.kind, caller.tenant_id) == ("service", "peepal")
        caller.require("administer")

    async def test_a_service_that_names_none_has_none_whatever_its_token_claims(
        self, desk: Desk
    ) -> None:
        caller = await desk.verifier.verify(desk.token(subject="service:groups", tenant="neem"))
        with pytest.raises(TenantRequired) as refused:
            _ = caller.tenant_id
        assert isinstance(refused.value, Unauthenticated)
        assert refused.value.reason == "TENANT_REQUIRED"

    @pytest.mark.parametrize("tenant", ["", "a", "A-b", "neem/x", "neem\n", "-neem", "x" * 64])
    async def test_a_service_that_names_nonsense_is_refused(self, desk: Desk, tenant: str) -> None:
        assert not is_tenant(tenant)
        with pytest.raises(TenantInvalid):
            await desk.verifier.verify(desk.token(subject="service:groups"), tenant)

    async def test_an_operator_is_who_may_operate_and_has_no_tenant(self, desk: Desk) -> None:
        caller = await desk.verifier.verify(desk.token(tenant=None, capabilities=["operate"]))
        assert caller.is_operator
        with pytest.raises(TenantRequired):
            _ = caller.tenant_id

    async def test_nobody_else_is_an_operator(self, desk: Desk) -> None:
        user = await desk.verifier.verify(desk.token())
        stranger = await desk.verifier.verify(desk.token(tenant=None, capabilities=["view"]))
        service = desk.token(subject="service:groups", tenant=None, capabilities=["operate"])
        assert not user.is_operator
        assert not stranger.is_operator
        assert not (await desk.verifier.verify(service)).is_operator
        assert not (await desk.verifier.verify(service, "peepal")).is_operator

    async def test_the_token_is_in_no_repr(self, desk: Desk) -> None:
        token = desk.token()
        assert token not in repr(await desk.verifier.verify(token))


class TestRefusals:
    async def refused(self, desk: Desk, token: str) -> str:
        with pytest.raises(TokenInvalid) as refusal:
            await desk.verifier.verify(token)
        assert refusal.value.reason == "TOKEN_INVALID"
        # Nothing of the token may leak: not by the message, the fields or the chain.
        told = f"{refusal.value!r}{refusal.value.fields()}{refusal.value.__cause__}"
        assert not any(part in told for part in token.split(".") if len(part) > 8)
        return refusal.value.problem

    async def test_none_is_missing(self, desk: Desk) -> None:
        with pytest.raises(TokenMissing):
            await desk.verifier.verify("")

    async def test_it_ends_with_its_last_second(self, desk: Desk) -> None:
        token = desk.token(lifetime=60)
        desk.clock.advance(59)
        await desk.verifier.verify(token)
        desk.clock.advance(1)
        with pytest.raises(TokenExpired) as refused:
            await desk.verifier.verify(token)
        assert refused.value.reason == "TOKEN_EXPIRED"

    async def test_one_second_over_is_refused_on_first_sight_too(self, desk: Desk) -> None:
        with pytest.raises(TokenExpired):
            await desk.verifier.verify(desk.token(lifetime=-1))

    async def test_leeway_is_allowed_on_both_ends(self) -> None:
        desk = Desk(leeway=30)
        await desk.verifier.verify(desk.token(lifetime=-29))
        soon = int(desk.clock.now().timestamp()) + 30
        await desk.verifier.verify(KEY.sign(desk.claims(nbf=soon)))
        with pytest.raises(TokenExpired):
            await desk.verifier.verify(desk.token(lifetime=-30))
        assert await self.refused(desk, KEY.sign(desk.claims(nbf=soon + 1))) == "not valid yet"

    async def test_the_platform_and_a_tenant_at_once(self, desk: Desk) -> None:
        token = desk.token(tenant="neem", capabilities=["view", "operate"])
        assert await self.refused(desk, token) == "operate in a tenant"

    async def test_another_audience(self, desk: Desk) -> None:
        assert await self.refused(desk, desk.token(audience="elsewhere")) == "audience"

    async def test_one_audience_of_several_is_enough(self, desk: Desk) -> None:
        await desk.verifier.verify(KEY.sign(desk.claims(aud=["x", "chaupal"])))

    async def test_another_issuer(self, desk: Desk) -> None:
        assert await self.refused(desk, desk.token(issuer="http://evil.test")) == "issuer"

    async def test_a_key_that_the_issuer_does_not_have(self, desk: Desk) -> None:
        assert await self.refused(desk, desk.token(OTHER_KEY)) == "unknown key"

    async def test_another_key_under_a_known_id(self, desk: Desk) -> None:
        forged = jwt.encode(desk.claims(), OTHER_KEY._private, "ES256", headers={"kid": KEY.kid})
        assert await self.refused(desk, forged) == "signature"

    async def test_a_changed_payload(self, desk: Desk) -> None:
        head, _, signature = desk.token().split(".")
        body = base64.urlsafe_b64encode(json.dumps(desk.claims(sub="service:groups")).encode())
        forged = f"{head}.{body.decode().rstrip('=')}.{signature}"
        assert await self.refused(desk, forged) == "signature"

    @pytest.mark.parametrize(
        "algorithm", ["none", "nOnE", "HS256", "ES384", "PS256", 7, None, ["ES256"], {}]
    )
    async def test_algorithms_off_the_list(self, desk: Desk, algorithm: object) -> None:
        forged = raw_token({"alg": algorithm, "kid": KEY.kid, "typ": "JWT"}, desk.claims())
        assert await self.refused(desk, forged) == "algorithm"

    async def test_the_public_key_is_no_hmac_secret(self, desk: Desk) -> None:
        """Key confusion: HS256 over the published key, in the spellings attackers try."""
        public = KEY.jwks()["keys"][0]
        pem = KEY._private.public_key()
        for secret in (json.dumps(public).encode(), repr(pem).encode(), public["x"].encode()):
            forged = raw_token({"alg": "HS256", "kid": KEY.kid}, desk.claims(), secret)
            assert await self.refused(desk, forged) == "algorithm"

    async def test_an_allowed_algorithm_that_is_not_the_key_s(self, desk: Desk) -> None:
        private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        forged = jwt.encode(desk.claims(), private, "RS256", headers={"kid": KEY.kid})
        assert await self.refused(desk, forged) == "algorithm"

    async def test_a_symmetric_key_in_the_set_is_not_used(self, desk: Desk) -> None:
        desk.keys.document["keys"].append(
            {"kty": "oct", "kid": "sym", "k": "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"}
        )
        forged = raw_token({"alg": "ES256", "kid": "sym"}, desk.claims(), b"secret" * 6)
        assert await self.refused(desk, forged) == "algorithm"

    async def test_an_unusable_key_in_the_set(self, desk: Desk) -> None:
        desk.keys.document["keys"].append({"kty": "EC", "kid": "bad", "crv": "P-256"})
        forged = raw_token({"alg": "ES256", "kid": "bad"}, desk.claims())
        assert await self.refused(desk, forged) == "unusable key"

    @pytest.mark.parametrize("kid", [..., "", 5, None, ["x"]])
    async def test_no_key_id(self, desk: Desk, kid: object) -> None:
        header = {"alg": "ES256"} | ({} if kid is ... else {"kid": kid})
        assert await self.refused(desk, raw_token(header, desk.claims())) in {
            "no key id",
            "malformed",
        }

    @pytest.mark.parametrize(
        "token", ["x", "a.b.c", "..", "é.é.é", "\ud800", "[" * 5000, "e30.e30.", "Bearer x"]
    )
    async def test_what_is_no_token(self, desk: Desk, token: str) -> None:
        assert await self.refused(desk, token) in {"malformed", "algorithm"}

    async def test_deep_and_long_headers(self, desk: Desk) -> None:
        deep = base64.urlsafe_b64encode(b"[" * 5000).decode().rstrip("=")
        assert await self.refused(desk, f"{deep}.e30.e30") == "malformed"
        assert await self.refused(desk, desk.token(subject="x" * 9000)) == "too long"

    @pytest.mark.parametrize("claim", ["exp", "iss", "aud", "sub"])
    async def test_a_missing_claim(self, desk: Desk, claim: str) -> None:
        token = KEY.sign(desk.claims(**{claim: ...}))
        assert await self.refused(desk, token) in {f"no {claim}", "audience"}

    @pytest.mark.parametrize(
        ("claim", "value"),
        [
            ("sub", ""),
            ("tenant", "No Such"),
            ("tenant", 5),
            ("tenant", ["neem"]),
            ("capabilities", "view"),
            ("capabilities", [1]),
            ("capabilities", {"view": True}),
            ("capabilities", ["x"] * 65),
            ("exp", "tomorrow"),
            ("exp", True),
            ("exp", 1e300),
            ("exp", -5),
            ("nbf", "x"),
        ],
    )
    async def test_a_claim_of_the_wrong_shape(self, desk: Desk, claim: str, value: object) -> None:
        assert await self.refused(desk, KEY.sign(desk.claims(**{claim: value}))) == claim


class TestKinds:
    @pytest.mark.parametrize("make", ["RS256", "EdDSA"])
    async def test_the_other_allowed_algorithms_verify(self, make: str) -> None:
        private: Any
        if make == "RS256":
            private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
            public = RSAAlgorithm.to_jwk(private.public_key(), as_dict=True)
        else:
            private = ed25519.Ed25519PrivateKey.generate()
            public = OKPAlgorithm.to_jwk(private.public_key(), as_dict=True)
        desk = Desk()
        desk.keys.document = {"keys": [{**public, "kid": "k"}]}
        token = jwt.encode(desk.claims(), private, make, headers={"kid": "k"})
        assert (await desk.verifier.verify(token)).subject == "asha"


class TestOwnToken:
    async def test_a_static_token_is_itself(self) -> None:
        assert await StaticTokenSource("t").token() == "t"

    async def test_a_rotated_file_is_read_again(self, tmp_path: Path) -> None:
        path = tmp_path / "token"
        path.write_text("first\n")
        source = FileTokenSource(path)
        assert await source.token() == "first"
        # As Kubernetes does it: another file takes the name.
        (tmp_path / "next").write_text("other\n")
        (tmp_path / "next").replace(path)
        assert await source.token() == "other"

    @pytest.mark.parametrize("content", [None, b"", b"\n", b"\xff\xfe"])
    async def test_no_token_is_unavailable(self, tmp_path: Path, content: bytes | None) -> None:
        path = tmp_path / "token"
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(ServiceTokenUnavailable):
            await FileTokenSource(path).token()


def raw_token(header: dict[str, Any], claims: dict[str, Any], secret: bytes = b"s") -> str:
    def part(value: dict[str, Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    signed = f"{part(header)}.{part(claims)}"
    mac = hmac.new(secret, signed.encode(), "sha256").digest()
    return f"{signed}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"
