"""`chaupal token` signs with the data folder's key, for the asked role and time."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jwt
import pytest
from click.testing import CliRunner, Result

from cli.identity.issuer import load_or_make_key
from cli.launcher.folder import prepare
from cli.main import main


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = prepare(tmp_path)
    load_or_make_key(folder.key)
    return folder.root


def _token(data: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["token", "--data", str(data), *arguments])


def _claims(data: Path, text: str) -> dict[str, object]:
    key = jwt.PyJWK.from_dict(load_or_make_key(data / "issuer-key.pem").jwks()["keys"][0])
    claims: dict[str, object] = jwt.decode(text, key, ["ES256"], audience="chaupal")
    return claims


def test_it_prints_the_token_alone(data: Path) -> None:
    result = _token(data, "--tenant", "neem", "--role", "composer", "--ttl", "30m")

    claims = _claims(data, result.stdout.strip())
    assert result.exit_code == 0
    assert result.stdout.count("\n") == 1
    assert claims["tenant"] == "neem"
    assert claims["sub"] == "composer@neem"
    assert claims["iss"] == "http://127.0.0.1:8001"
    assert claims["capabilities"] == ["compose", "view"]
    assert isinstance(claims["exp"], int)
    assert isinstance(claims["iat"], int)
    assert claims["exp"] - claims["iat"] == 1_800


def test_json_says_what_it_is_and_until_when(data: Path) -> None:
    result = _token(data, "--tenant", "a1", "--role", "viewer", "--subject", "asha", "-o", "json")

    told = json.loads(result.stdout)
    left = datetime.fromisoformat(told["expiresAt"]) - datetime.now(UTC)
    assert _claims(data, told["token"])["sub"] == told["subject"] == "asha"
    assert told["capabilities"] == ["view"]
    assert timedelta(hours=11, minutes=59) < left <= timedelta(hours=12)


def test_an_operator_has_no_tenant_and_no_other_right(data: Path) -> None:
    told = json.loads(_token(data, "--role", "operator", "-o", "json").stdout)

    claims = _claims(data, told["token"])
    assert "tenant" not in claims
    assert claims["capabilities"] == told["capabilities"] == ["operate"]
    assert (told["tenant"], told["subject"]) == (None, "operator")


def test_a_subject_without_a_role_has_what_their_offices_give_and_no_more(data: Path) -> None:
    told = json.loads(_token(data, "--tenant", "neem", "--subject", "asha", "-o", "json").stdout)

    claims = _claims(data, told["token"])
    assert (claims["sub"], claims["tenant"]) == ("asha", "neem")
    assert claims["capabilities"] == told["capabilities"] == []
    assert told["role"] is None


@pytest.mark.parametrize(
    "arguments",
    [
        ("--tenant", "neem"),
        ("--subject", "asha"),
        ("--tenant", "neem", "--role", "king"),
        ("--tenant", "Neem!", "--role", "viewer"),
        ("--tenant", "neem", "--role", "viewer", "--ttl", "0m"),
        ("--tenant", "neem", "--role", "viewer", "--ttl", "31d"),
        ("--tenant", "neem", "--role", "viewer", "--ttl", "soon"),
        ("--role", "viewer"),
        ("--tenant", "neem", "--role", "operator"),
    ],
)
def test_what_cannot_be_is_wrong_usage(data: Path, arguments: tuple[str, ...]) -> None:
    result = _token(data, *arguments)

    assert result.exit_code == 2
    assert result.stdout == ""


def test_a_folder_without_a_key_names_the_cure(tmp_path: Path) -> None:
    result = _token(tmp_path, "--tenant", "neem", "--role", "viewer")

    assert result.exit_code == 1
    assert "chaupal up" in result.stderr
