"""The settings of both processes."""

from datetime import timedelta

import pytest

from kit.settings import SettingsError
from services.messaging.config import Settings, WorkerSettings

GOOD = {
    "OIDC_ISSUER": "http://issuer.test",
    "OIDC_JWKS_FILE": "/keys.json",
    "SERVICE_TOKEN_FILE": "/token",
    "REDIS_URL": "redis://store:6379",
    "GROUPS_TARGET": "groups:50051",
}


def problems(environ: dict[str, str], settings: type[Settings] = Settings) -> list[str]:
    with pytest.raises(SettingsError) as refused:
        settings.load(environ)
    return sorted(problem.variable for problem in refused.value.problems)


def test_the_server_needs_its_store_its_peer_and_its_token() -> None:
    only_tokens = {name: GOOD[name] for name in ("OIDC_ISSUER", "OIDC_JWKS_FILE")}
    assert problems(only_tokens) == ["GROUPS_TARGET", "REDIS_URL", "SERVICE_TOKEN_FILE"]
    settings = Settings.load(GOOD)
    assert (settings.port, settings.simulator_seed) == (50053, 0)
    assert settings.simulator_median_delay == timedelta(seconds=2)


@pytest.mark.parametrize("url", ["redis+cluster://store:6379", "unix:///run/store.sock"])
def test_every_kind_of_store_has_its_address(url: str) -> None:
    assert Settings.load(GOOD | {"REDIS_URL": url}).redis_url == url


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("REDIS_URL", "store:6379"),
        ("REDIS_URL", "http://store:6379"),
        ("SIMULATOR_SEED", "-1"),
        ("SIMULATOR_MEDIAN_DELAY_SECONDS", "-1"),
        ("SIMULATOR_MEDIAN_DELAY_SECONDS", "soon"),
        ("SIMULATOR_FAILURE_RATE", "1.5"),
        ("PORT", "many"),
    ],
)
def test_a_wrong_value_is_named(name: str, value: str) -> None:
    assert problems(GOOD | {name: value}) == [name]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LEASE_SECONDS", "-1"),
        ("LEASE_SECONDS", "0"),
        ("LEASE_SECONDS", "0.9"),
        ("CHUNKS_AT_ONCE", "0"),
        ("CHUNKS_AT_ONCE", "33"),
    ],
)
def test_a_wrong_value_of_the_worker_is_named(name: str, value: str) -> None:
    assert problems(GOOD | {name: value}, WorkerSettings) == [name]


def test_the_worker_has_its_own() -> None:
    settings = WorkerSettings.load(GOOD | {"LEASE_SECONDS": "1.5", "CHUNKS_AT_ONCE": "8"})
    assert (settings.port, settings.lease, settings.chunks_at_once) == (
        0,
        timedelta(seconds=1.5),
        8,
    )
