"""Keys that tokens are verified with: where they come from, how they rotate, how one is kept."""

import asyncio
import base64
import hashlib
import json
import stat
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from kit.clock import FakeClock
from kit.issuer import SigningKey
from kit.jwks import JwksUnavailable, KeySet, file_source, http_source
from kit.settings import ProcessSettings
from kit.tokens import TokenInvalid, build_verifier
from tests.unit.kit.desk import ISSUER, KEY, OTHER_KEY, Desk


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
