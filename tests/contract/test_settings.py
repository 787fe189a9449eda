"""The manifests, the page of settings and the code name the same variables."""

import importlib.util
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

import pytest
import yaml

from kit.settings import ProcessSettings
from services.hierarchy.config import StoreSettings

ROOT = Path(__file__).parents[2]
KUBECTL = Path(sys.executable).with_name("kubectl")
OF_TELEMETRY = "OTEL_"
S = TypeVar("S", bound=ProcessSettings)


def _page() -> ModuleType:
    spec = importlib.util.spec_from_file_location("settings_page", ROOT / "docs" / "settings.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


PAGE = _page()


@pytest.fixture(scope="module")
def environments() -> Mapping[str, Mapping[str, str]]:
    """What each process of the development overlay is given, by its Deployment's name."""
    if not KUBECTL.exists():
        pytest.skip("kubectl is missing: `make check` installs it into the virtual environment")
    rendered = subprocess.run(
        [KUBECTL, "kustomize", ROOT / "k8s" / "overlays" / "dev"], check=True, capture_output=True
    )
    documents = [each for each in yaml.safe_load_all(rendered.stdout) if each]
    maps = {
        each["metadata"]["name"]: each["data"] for each in documents if each["kind"] == "ConfigMap"
    }
    found: dict[str, Mapping[str, str]] = {}
    for each in documents:
        if each["kind"] == "Deployment":
            name, pod = each["metadata"]["name"], each["spec"]["template"]["spec"]
            found[name] = _environment(pod["containers"][0], maps)
            for first in pod.get("initContainers", ()):
                found[f"{name}-{first['name']}"] = _environment(first, maps)
    return found


def _environment(container: Any, maps: Mapping[str, Mapping[str, str]]) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for source in container["envFrom"]:
        found |= maps[source["configMapRef"]["name"]]
    return found | {each["name"]: each["value"] for each in container.get("env", [])}


@pytest.mark.parametrize("process", PAGE.PROCESSES)
def test_a_manifest_gives_what_its_process_needs_and_nothing_that_nobody_reads(
    environments: Mapping[str, Mapping[str, str]], process: str
) -> None:
    given = set(environments[process.replace(" ", "-")])
    variables = PAGE.PROCESSES[process].variables()
    known = {each.name for each in variables}
    known |= {f"{each.name}_FILE" for each in variables if each.secret}
    needed = {each.name for each in variables if each.required}

    assert needed - given == set()
    shared_with_workers = {"REDIS_URL", "SERVICE_SUBJECTS"}
    assert {name for name in given - known if not name.startswith(OF_TELEMETRY)} <= (
        shared_with_workers
    )


@pytest.mark.parametrize("process", PAGE.PROCESSES)
def test_the_environment_of_a_manifest_is_accepted(
    environments: Mapping[str, Mapping[str, str]], process: str, tmp_path: Path
) -> None:
    """Also the values: each process could start with them."""
    given = environments[process.replace(" ", "-")]
    settings = accepted(PAGE.PROCESSES[process], given, tmp_path)

    assert str(settings.host) == "0.0.0.0"


def test_so_is_that_of_the_job_which_migrates(
    environments: Mapping[str, Mapping[str, str]], tmp_path: Path
) -> None:
    given = environments["hierarchy-migrate"]
    settings = accepted(StoreSettings, given, tmp_path)

    assert settings.neo4j_uri == environments["hierarchy"]["NEO4J_URI"]
    assert settings.neo4j_password is not None


def accepted(settings: type[S], environment: Mapping[str, str], folder: Path) -> S:
    """The settings in an environment, with files for its secrets."""
    given = dict(environment)
    for name in [each for each in given if each.endswith("_FILE")]:
        file = folder / name
        file.write_text("a secret")
        given[name] = str(file)
    return settings.load(given)


def test_the_page_of_settings_is_current() -> None:
    assert (ROOT / "docs" / "settings.md").read_text(encoding="utf-8") == PAGE.page()
