"""A desk that issues tokens and verifies them, around one clock and a key source to tamper with."""

import asyncio
import json
from datetime import timedelta
from typing import Any

import jwt

from kit.clock import FakeClock
from kit.issuer import SigningKey, issue
from kit.jwks import KeySet
from kit.tokens import TokenVerifier

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
