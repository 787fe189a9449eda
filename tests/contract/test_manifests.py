"""The manifests render, and every process keeps to Pod Security "restricted" and has its probes."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
KUBECTL = Path(sys.executable).with_name("kubectl")
OVERLAYS = sorted(path.name for path in (ROOT / "k8s" / "overlays").iterdir())


def rendered(overlay: str) -> list[dict[str, Any]]:
    folder = ROOT / "k8s" / "overlays" / overlay
    output = subprocess.run([KUBECTL, "kustomize", folder], check=True, capture_output=True)
    return [document for document in yaml.safe_load_all(output.stdout) if document]


def workloads(overlay: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for document in rendered(overlay):
        if document["kind"] in {"Deployment", "StatefulSet"}:
            yield document["metadata"]["name"], document["spec"]["template"]["spec"]


@pytest.fixture(autouse=True)
def kubectl() -> None:
    if not KUBECTL.exists():
        pytest.skip("kubectl is missing: `make check` installs it into the virtual environment")


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_pod_is_restricted(overlay: str) -> None:
    seen = dict(workloads(overlay))
    assert {"hierarchy", "hierarchy-worker", "groups", "messaging", "messaging-worker"} < set(seen)
    for name, pod in seen.items():
        assert pod["securityContext"]["runAsNonRoot"] is True, name
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert pod["enableServiceLinks"] is False, name
        for container in (*pod.get("initContainers", ()), *pod["containers"]):
            context = container["securityContext"]
            assert context["allowPrivilegeEscalation"] is False, name
            assert context["capabilities"] == {"drop": ["ALL"]}, name
            # Neo4j's image writes its configuration beside its programs when it starts.
            assert context["readOnlyRootFilesystem"] is (name != "neo4j"), name


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_container_has_probes_requests_and_a_memory_limit(overlay: str) -> None:
    for name, pod in workloads(overlay):
        for container in pod["containers"]:
            assert {"readinessProbe", "livenessProbe"} <= set(container), name
        for container in (*pod.get("initContainers", ()), *pod["containers"]):
            assert set(container["resources"]["requests"]) == {"cpu", "memory"}, name
            assert "memory" in container["resources"]["limits"], name


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_no_secret_is_written_in_a_manifest(overlay: str) -> None:
    """Secrets are created by whoever owns them and mounted as files."""
    assert [document for document in rendered(overlay) if document["kind"] == "Secret"] == []
    for name, pod in workloads(overlay):
        for container in (*pod.get("initContainers", ()), *pod["containers"]):
            for variable in container.get("env", []):
                if "PASSWORD" in variable["name"] or "TOKEN" in variable["name"]:
                    assert variable["value"].startswith("/run/secrets/"), (name, variable)
