"""The settings of both processes."""

from datetime import timedelta
from pathlib import Path

import pytest

from kit.settings import SettingsError
from services.hierarchy.config import Settings, StoreSettings, WorkerSettings

KEYS = {"KEY_ENCRYPTION_KEYS_FILE": "/run/keys"}
GOOD = {"OIDC_ISSUER": "http://issuer.test", "OIDC_JWKS_FILE": "/keys.json"}


def problems(environ: dict[str, str], settings: type[StoreSettings] = Settings) -> list[str]:
    with pytest.raises(SettingsError) as refused:
        settings.load(environ)
    return [problem.variable for problem in refused.value.problems]


def test_the_defaults_need_no_server() -> None:
    settings = Settings.load(GOOD)

    assert (settings.port, settings.neo4j_uri) == (50051, None)
    assert settings.database_file == Path("hierarchy.sqlite3")
    # Whoever forgets this setting gets no tenant that nobody knows of.
    assert not settings.implicit_tenants


def test_an_address_chooses_neo4j(tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text("s3cret\n")

    given = {"NEO4J_URI": "neo4j+s://graph:7687", "NEO4J_PASSWORD_FILE": str(secret)}
    settings = Settings.load(GOOD | KEYS | given)

    assert settings.neo4j_password is not None
    assert settings.neo4j_password.get_secret_value() == "s3cret"
    assert "s3cret" not in repr(settings)


@pytest.mark.parametrize("uri", ["http://graph:7474", "graph:7687", "neo4j://", "redis://x"])
def test_an_address_that_is_none_is_named(uri: str) -> None:
    assert problems(GOOD | KEYS | {"NEO4J_URI": uri}) == ["NEO4J_URI"]


def test_two_stores_are_one_too_many() -> None:
    both = GOOD | KEYS | {"NEO4J_URI": "bolt://graph", "DATABASE_FILE": "/data/hierarchy.sqlite3"}
    assert problems(both) == ["DATABASE_FILE"]


def test_a_shared_database_needs_shared_keys_but_not_for_the_worker() -> None:
    shared = GOOD | {"NEO4J_URI": "bolt://graph"}

    assert problems(shared) == ["KEY_ENCRYPTION_KEYS_FILE"]
    worker = WorkerSettings.load(shared | {"REDIS_URL": "redis://cache:6379"})
    assert not hasattr(worker, "key_encryption_keys_file")


def test_a_password_without_an_address_is_a_mistake() -> None:
    assert problems(GOOD | {"NEO4J_PASSWORD": "x"}) == ["NEO4J_PASSWORD"]


def test_the_worker_needs_the_streams() -> None:
    assert problems(GOOD, WorkerSettings) == ["REDIS_URL"]

    settings = WorkerSettings.load(
        GOOD | {"REDIS_URL": "redis://cache:6379", "RELAY_INTERVAL_SECONDS": "0.05"}
    )
    assert (settings.port, settings.relay_interval) == (0, timedelta(milliseconds=50))
