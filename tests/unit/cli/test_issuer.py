"""The development issuer's tokens say what was asked, and the services' verifier takes them."""

import json
import stat
from datetime import timedelta
from pathlib import Path

import jwt
import pytest

from cli.errors import Refusal
from cli.identity.issuer import DevelopmentIssuer, load_key, load_or_make_key
from cli.identity.roles import ROLES, SERVICE_SUBJECTS, SERVICES
from cli.launcher.folder import prepare
from cli.launcher.tokens import write_service_tokens
from kit.clock import FakeClock
from kit.issuer import SigningKey
from kit.jwks import KeySet
from kit.tokens import TokenExpired, TokenVerifier

URL = "http://127.0.0.1:8001"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def issuer(clock: FakeClock) -> DevelopmentIssuer:
    return DevelopmentIssuer(SigningKey.generate(), URL, clock)


@pytest.fixture
def verifier(issuer: DevelopmentIssuer, clock: FakeClock) -> TokenVerifier:
    async def fetch() -> bytes:
        return json.dumps(issuer.jwks()).encode()

    return TokenVerifier(
        URL, "chaupal", KeySet(fetch, clock=clock), frozenset(SERVICE_SUBJECTS), clock=clock
    )


@pytest.mark.parametrize("role", ROLES)
async def test_a_role_token_names_tenant_role_and_capabilities(
    issuer: DevelopmentIssuer, verifier: TokenVerifier, role: str
) -> None:
    caller = await verifier.verify(issuer.role_token("neem", role))

    assert caller.kind == "user"
    assert caller.subject == f"{role}@neem"
    assert caller.tenant_id == "neem"
    assert caller.capabilities == frozenset(ROLES[role])


async def test_a_person_s_token_gives_nothing_by_itself(
    issuer: DevelopmentIssuer, verifier: TokenVerifier
) -> None:
    caller = await verifier.verify(issuer.person_token("neem", "asha"))

    assert (caller.kind, caller.subject, caller.tenant_id) == ("user", "asha", "neem")
    assert caller.capabilities == frozenset()


def test_the_roles_are_those_that_the_samples_promise() -> None:
    assert {role: set(may) for role, may in ROLES.items()} == {
        "administrator": {"view", "compose", "approve", "administer", "relay", "monitor"},
        "composer": {"view", "compose"},
        "viewer": {"view"},
        "monitor": {"view", "monitor"},
    }


async def test_an_operators_token_operates_and_names_no_tenant(
    issuer: DevelopmentIssuer, verifier: TokenVerifier
) -> None:
    caller = await verifier.verify(issuer.operator_token(), named_tenant="neem")

    assert caller.is_operator
    assert caller.tenant is None
    assert caller.capabilities == {"operate"}
    assert not any("operate" in may for may in ROLES.values())


async def test_a_token_ends_when_it_says(
    issuer: DevelopmentIssuer, verifier: TokenVerifier, clock: FakeClock
) -> None:
    token = issuer.role_token("neem", "viewer", timedelta(minutes=5))
    clock.advance(timedelta(minutes=4, seconds=59))
    await verifier.verify(token)

    clock.advance(timedelta(seconds=1))
    with pytest.raises(TokenExpired):
        await verifier.verify(token)


@pytest.mark.parametrize("service", SERVICES)
async def test_a_service_token_is_a_service_without_a_tenant_of_its_own(
    issuer: DevelopmentIssuer, verifier: TokenVerifier, service: str
) -> None:
    token = issuer.service_token(service)

    caller = await verifier.verify(token, named_tenant="peepal")

    assert "tenant" not in jwt.decode(token, options={"verify_signature": False})
    assert caller.is_service
    assert caller.subject == f"service:{service}"
    assert caller.tenant_id == "peepal"


def test_the_discovery_document_leads_to_the_keys(issuer: DevelopmentIssuer) -> None:
    document = issuer.discovery()

    assert document["issuer"] == URL
    assert document["jwks_uri"] == f"{URL}/jwks.json"


def test_the_key_of_a_folder_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"

    first, second = load_or_make_key(path), load_or_make_key(path)

    assert first.kid == second.kid
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_missing_or_broken_key_is_refused_with_the_cure(tmp_path: Path) -> None:
    with pytest.raises(Refusal) as refused:
        load_key(tmp_path / "key.pem")
    assert refused.value.reason == "KEY_MISSING"
    assert "chaupal up" in refused.value.cure

    (tmp_path / "key.pem").write_text("no key")
    with pytest.raises(Refusal) as refused:
        load_key(tmp_path / "key.pem")
    assert refused.value.reason == "KEY_UNREADABLE"


async def test_each_service_has_a_token_file_of_its_own_that_is_replaced_whole(
    tmp_path: Path, issuer: DevelopmentIssuer, verifier: TokenVerifier, clock: FakeClock
) -> None:
    folder = prepare(tmp_path)
    write_service_tokens(folder, issuer)
    clock.advance(timedelta(minutes=30))
    write_service_tokens(folder, issuer)
    clock.advance(timedelta(minutes=45))

    for service in SERVICES:
        path = folder.service_token(service)
        caller = await verifier.verify(path.read_text())
        assert caller.subject == f"service:{service}"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
