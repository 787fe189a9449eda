"""Tokens: what verifies, what is refused and by which reason, and how keys rotate."""

import asyncio
import base64
import hashlib
import hmac
import json
import stat
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from jwt.algorithms import OKPAlgorithm, RSAAlgorithm

from kit.clock import FakeClock
from kit.errors import Forbidden, Unauthenticated
from kit.issuer import SigningKey, issue
from kit.jwks import JwksUnavailable, KeySet, file_source, http_source
from kit.settings import ProcessSettings
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
    TokenVerifier,
    build_verifier,
    is_tenant,
)

ISSUER = "http://issuer.test"
KEY = SigningKey.generate()
OTHER_KEY = SigningKey.generate()


class Keys:
    """A key source that counts, and can be down."""

    def __init__(self, *keys: SigningKey) -> None:
        self.document: dict[str, Any] = {"keys": [k for key in keys for k in key.jwks()["keys"]]}
        self.fetches = 0
        self.down = False
        self.gate: asyncio.Event | None = None

    async def __call__(self) -> bytes:
        self.fetches += 1
        if self.gate is not None:
            await self.gate.wait()
        if self.down:
            raise ConnectionRefusedError
        return json.dumps(self.document).encode()


class Desk:
    """A verifier and an issuer around one clock."""

    def __init__(self, keys: Keys | None = None, leeway: float = 0) -> None:
        self.clock = FakeClock()
        self.keys = keys or Keys(KEY)
        self.verifier = TokenVerifier(
            ISSUER,
            "chaupal",
            KeySet(self.keys, clock=self.clock),
            frozenset({"service:groups"}),
            clock=self.clock,
            leeway=timedelta(seconds=leeway),
        )

    def token(self, key: SigningKey = KEY, lifetime: float = 60, **changes: Any) -> str:
        now = self.clock.now()
        facts: dict[str, Any] = {
            "issuer": ISSUER,
            "subject": "asha",
            "tenant": "neem",
            "capabilities": ["view", "compose"],
            "issued_at": now,
            "expires_at": now + timedelta(seconds=lifetime),
        }
        return issue(key, **(facts | changes))

    def claims(self, **changes: Any) -> dict[str, Any]:
        good: dict[str, Any] = jwt.decode(self.token(), options={"verify_signature": False})
        return {name: value for name, value in (good | changes).items() if value is not ...}


@pytest.fixture
def desk() -> Desk:
    return Desk()


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


class TestRotation:
    async def test_a_new_key_is_found_without_a_restart(self, desk: Desk) -> None:
        await desk.verifier.verify(desk.token())
        desk.keys.document = {"keys": KEY.jwks()["keys"] + OTHER_KEY.jwks()["keys"]}
        desk.clock.advance(6)
        assert (await desk.verifier.verify(desk.token(OTHER_KEY))).subject == "asha"
        assert desk.keys.fetches == 2

    async def test_unknown_keys_cannot_be_turned_into_load(self, desk: Desk) -> None:
        for _ in range(20):
            with pytest.raises(TokenInvalid):
                await desk.verifier.verify(desk.token(OTHER_KEY))
        assert desk.keys.fetches == 1

    async def test_many_who_wait_share_one_fetch(self, desk: Desk) -> None:
        desk.keys.gate = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            calls = [tasks.create_task(desk.verifier.verify(desk.token())) for _ in range(20)]
            desk.keys.gate.set()
        assert len({call.result().subject for call in calls}) == 1
        assert desk.keys.fetches == 1

    async def test_a_withdrawn_key_stops_working_also_for_tokens_seen_before(
        self, desk: Desk
    ) -> None:
        token = desk.token(lifetime=4000)
        await desk.verifier.verify(token)
        desk.keys.document = OTHER_KEY.jwks()
        desk.clock.advance(301)
        with pytest.raises(TokenInvalid):
            await desk.verifier.verify(token)

    async def test_a_known_key_outlives_an_outage_for_an_hour(self, desk: Desk) -> None:
        token = desk.token(lifetime=9000)
        await desk.verifier.verify(token)
        desk.keys.down = True
        desk.clock.advance(3500)
        await desk.verifier.verify(token)
        desk.clock.advance(101)
        with pytest.raises(JwksUnavailable):
            await desk.verifier.verify(token)

    async def test_an_unknown_key_in_an_outage_is_nobody_s_fault(self, desk: Desk) -> None:
        desk.keys.down = True
        with pytest.raises(JwksUnavailable) as refused:
            await desk.verifier.verify(desk.token())
        assert refused.value.reason == "JWKS_UNAVAILABLE"
        desk.keys.down = False
        desk.clock.advance(1)
        await desk.verifier.verify(desk.token())
        assert desk.keys.fetches == 2

    @pytest.mark.parametrize("document", [{}, {"keys": 5}, [], {"keys": [5, {"kid": 5}]}])
    async def test_a_damaged_key_set_is_an_outage_or_has_no_keys(
        self, desk: Desk, document: Any
    ) -> None:
        desk.keys.document = document
        with pytest.raises((JwksUnavailable, TokenInvalid)):
            await desk.verifier.verify(desk.token())

    async def test_a_verified_token_is_not_checked_twice(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        token = desk.token()
        first = await desk.verifier.verify(token)
        # A key set that could no longer verify anything shows that the signature is not recomputed.
        monkeypatch.setitem(desk.verifier._keys._keys, KEY.kid, {"kty": "none"})
        assert await desk.verifier.verify(token) == first
        with pytest.raises(TokenInvalid):
            await desk.verifier.verify(desk.token(subject="ravi"))


class TestSources:
    @pytest.fixture
    def server(self) -> Iterator[tuple[str, dict[str, Any]]]:
        answer: dict[str, Any] = {"status": 200, "body": json.dumps(KEY.jwks()).encode()}

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(answer["status"])
                self.end_headers()
                self.wfile.write(answer["body"])

            def log_message(self, *args: object) -> None:
                pass

        httpd = HTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=httpd.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{httpd.server_port}/jwks", answer
        httpd.shutdown()
        httpd.server_close()
        thread.join()

    async def test_keys_come_over_http(self, server: tuple[str, dict[str, Any]]) -> None:
        keys = KeySet(http_source(server[0]), clock=FakeClock())
        found = await keys.get(KEY.kid)
        assert found == KEY.jwks()["keys"][0]

    @pytest.mark.parametrize(
        ("status", "body"),
        [(500, b"{}"), (404, b""), (200, b"<html>"), (200, b"\xff"), (200, b" " * 300_000)],
        ids=["500", "404", "html", "binary", "large"],
    )
    async def test_a_bad_answer_is_an_outage(
        self, server: tuple[str, dict[str, Any]], status: int, body: bytes
    ) -> None:
        server[1].update(status=status, body=body)
        with pytest.raises(JwksUnavailable):
            await KeySet(http_source(server[0]), clock=FakeClock()).get("x")

    def test_other_addresses_are_refused(self) -> None:
        with pytest.raises(ValueError, match="http"):
            http_source("file:///etc/passwd")

    async def test_keys_come_from_a_file(self, tmp_path: Path) -> None:
        path = tmp_path / "jwks.json"
        keys = KeySet(file_source(path), clock=FakeClock())
        with pytest.raises(JwksUnavailable):
            await keys.get(KEY.kid)
        path.write_text(json.dumps(KEY.jwks()))
        keys = KeySet(file_source(path), clock=FakeClock())
        assert await keys.get(KEY.kid) is not None

    async def test_settings_describe_a_verifier(self, tmp_path: Path) -> None:
        path = tmp_path / "jwks.json"
        path.write_text(json.dumps(KEY.jwks()))
        settings = ProcessSettings.load(
            {
                "OIDC_ISSUER": ISSUER,
                "OIDC_JWKS_FILE": str(path),
                "SERVICE_SUBJECTS": "service:gateway",
            }
        )
        desk = Desk()
        verifier = build_verifier(settings, desk.clock)
        assert (await verifier.verify(desk.token())).kind == "user"
        token = desk.token(subject="service:gateway")
        assert (await verifier.verify(token, "neem")).kind == "service"


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


class TestSigningKey:
    def test_it_survives_its_file_which_is_the_owner_s_only(self, tmp_path: Path) -> None:
        path = tmp_path / "key.pem"
        KEY.save(path)
        assert SigningKey.load(path).kid == KEY.kid
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert [each.name for each in tmp_path.iterdir()] == ["key.pem"]

    def test_the_published_half_is_public(self) -> None:
        (published,) = KEY.jwks()["keys"]
        assert set(published) == {"kty", "crv", "x", "y", "kid", "use", "alg"}

    def test_the_key_id_is_the_thumbprint_of_rfc_7638(self) -> None:
        (published,) = KEY.jwks()["keys"]
        text = '{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}'.format(**published)
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest())
        assert KEY.kid == digest.decode().rstrip("=")

    def test_another_kind_of_file_is_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "key.pem"
        path.write_text("no key")
        with pytest.raises(ValueError, match="PEM"):
            SigningKey.load(path)


def raw_token(header: dict[str, Any], claims: dict[str, Any], secret: bytes = b"s") -> str:
    def part(value: dict[str, Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    signed = f"{part(header)}.{part(claims)}"
    mac = hmac.new(secret, signed.encode(), "sha256").digest()
    return f"{signed}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"
