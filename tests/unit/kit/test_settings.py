"""Settings come from the given environment only, and every problem is named at once."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import ClassVar

import pydantic
import pytest
from pydantic import Field, SecretStr

from kit.settings import Problem, ProcessSettings, Seconds, SettingsError, Variable

MINIMAL = {"OIDC_ISSUER": "http://issuer", "OIDC_JWKS_FILE": "/keys.json"}


class ThingSettings(ProcessSettings):
    service_name: ClassVar[str] = "things"

    store_url: str = Field(description="Where things are kept.")
    password: SecretStr | None = Field(None, description="Of the store.")
    lease: Seconds = Field(timedelta(seconds=15), alias="LEASE_SECONDS", description="A lease.")

    @classmethod
    def problems_between(cls, given: Mapping[str, str]) -> Iterator[Problem]:
        yield from super().problems_between(given)
        if "STORE_URL" in given and "PASSWORD" not in given:
            yield Problem("PASSWORD", "is needed beside STORE_URL")


def problems(environ: Mapping[str, str], of: type[ProcessSettings] = ProcessSettings) -> set[str]:
    with pytest.raises(SettingsError) as refused:
        of.load(environ)
    return {f"{each.variable}: {each.message}" for each in refused.value.problems}


def test_the_minimum_is_enough_and_the_rest_has_defaults() -> None:
    settings = ProcessSettings.load(MINIMAL)
    assert settings.oidc_issuer == "http://issuer"
    assert settings.oidc_jwks_file == Path("/keys.json")
    assert (settings.host, settings.port, settings.metrics_port) == ("127.0.0.1", 0, 0)
    assert (settings.log_level, settings.log_format) == ("INFO", "json")
    assert settings.oidc_audience == "chaupal"
    assert settings.drain == timedelta(seconds=25)
    assert settings.service_subjects == frozenset()
    assert settings.grpc_reflection is False


def test_text_becomes_typed_values() -> None:
    settings = ThingSettings.load(
        MINIMAL
        | {
            "STORE_URL": "s",
            "PASSWORD": "p",
            "PORT": "50051",
            "GRPC_REFLECTION": "true",
            "SERVICE_SUBJECTS": "service:a, service:b,",
            "DRAIN_SECONDS": "2.5",
            "LEASE_SECONDS": "7",
        }
    )
    assert (settings.port, settings.grpc_reflection) == (50051, True)
    assert settings.service_subjects == {"service:a", "service:b"}
    assert (settings.drain, settings.lease) == (timedelta(seconds=2.5), timedelta(seconds=7))


def test_all_problems_are_named_at_once_and_readably() -> None:
    with pytest.raises(SettingsError) as refused:
        ThingSettings.load(
            {
                "PORT": "many",
                "METRICS_PORT": "70000",
                "LOG_LEVEL": "LOUD",
                "GRPC_REFLECTION": "perhaps",
                "DRAIN_SECONDS": "-1",
                "LEASE_SECONDS": "soon",
            }
        )
    named = [each.variable for each in refused.value.problems]
    assert sorted(named) == [
        "DRAIN_SECONDS",
        "GRPC_REFLECTION",
        "LEASE_SECONDS",
        "LOG_LEVEL",
        "METRICS_PORT",
        "OIDC_ISSUER",
        "OIDC_JWKS_URL",
        "PORT",
        "STORE_URL",
    ]
    lines = str(refused.value).splitlines()
    assert lines[0] == "9 settings are wrong:"
    assert "  OIDC_ISSUER: is required" in lines
    assert "  DRAIN_SECONDS: must not be negative" in lines
    assert len(lines) == 10


def test_one_key_source_exactly() -> None:
    both = MINIMAL | {"OIDC_JWKS_URL": "http://keys"}
    neither = {"OIDC_ISSUER": "x"}
    expected = {"OIDC_JWKS_URL: set exactly one of it and OIDC_JWKS_FILE"}
    assert problems(both) == problems(neither) == expected


def test_a_subclass_adds_problems_of_its_own() -> None:
    assert problems(MINIMAL | {"STORE_URL": "s"}, ThingSettings) == {
        "PASSWORD: is needed beside STORE_URL"
    }


def test_a_secret_comes_from_a_file_without_its_line_end(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("s3cret \n")
    settings = ThingSettings.load(
        MINIMAL | {"STORE_URL": "s", "PASSWORD_FILE": str(tmp_path / "password")}
    )
    assert settings.password is not None
    assert settings.password.get_secret_value() == "s3cret "
    assert "s3cret" not in repr(settings)


def test_an_unreadable_secret_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    (tmp_path / "large").write_bytes(b"x" * 70_000)
    base = MINIMAL | {"STORE_URL": "s"}

    def told(file: Path) -> str:
        (only,) = (
            each
            for each in problems(base | {"PASSWORD_FILE": str(file)}, ThingSettings)
            if each.startswith("PASSWORD_FILE")
        )
        return only.removeprefix("PASSWORD_FILE: ")

    assert told(tmp_path / "none") == f"cannot read {tmp_path}/none: No such file or directory"
    assert told(tmp_path / "binary") == f"cannot read {tmp_path}/binary: it is not UTF-8 text"
    assert told(tmp_path / "large") == f"{tmp_path}/large is over 65536 bytes"


def test_a_secret_given_twice_is_refused(tmp_path: Path) -> None:
    environ = MINIMAL | {"STORE_URL": "s", "PASSWORD": "top", "PASSWORD_FILE": "/f"}
    told = problems(environ, ThingSettings)
    assert "PASSWORD: set it or PASSWORD_FILE, not both" in told
    assert "top" not in str(told)


def test_only_secrets_have_a_file_variant() -> None:
    settings = ProcessSettings.load(MINIMAL | {"HOST_FILE": "/etc/hostname"})
    assert settings.host == "127.0.0.1"


def test_an_empty_variable_is_unset_and_strangers_are_ignored() -> None:
    settings = ProcessSettings.load(MINIMAL | {"PORT": "", "PATH": "/bin"})
    assert settings.port == 0


def test_the_process_environment_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OIDC_ISSUER", "from-outside")
    monkeypatch.setenv("PORT", "1")
    assert "OIDC_ISSUER: is required" in problems({})
    assert ProcessSettings.load(MINIMAL).port == 0


def test_settings_are_frozen() -> None:
    settings = ProcessSettings.load(MINIMAL)
    with pytest.raises(pydantic.ValidationError):
        settings.port = 1  # type: ignore[misc]  # that is the point


def test_a_value_that_is_wrong_is_not_repeated() -> None:
    class Strict(ProcessSettings):
        pin: SecretStr = Field(min_length=20, description="A pin.")

    assert "hunter2" not in str(problems(MINIMAL | {"PIN": "hunter2"}, Strict))


def test_every_variable_is_described_for_tables_and_manifests() -> None:
    described = {each.name: each for each in ThingSettings.variables()}
    assert described["DRAIN_SECONDS"].default == "25"
    assert described["GRPC_REFLECTION"].default == "false"
    assert described["SERVICE_SUBJECTS"].default == ""
    assert described["OIDC_ISSUER"].required
    assert described["PASSWORD"] == Variable("PASSWORD", "Of the store.", None, False, True)
    assert all(each.description for each in described.values())
