"""Renders every overlay and holds each object against the Kubernetes schemas.

Run as `python k8s/validate.py`; it needs the extra `k8s` (kubectl and the schemas come as wheels).
"""

import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import kubernetes_validate
import yaml

ROOT = Path(__file__).parent
KUBERNETES_VERSION = "1.33"
KUBECTL = Path(sys.executable).with_name("kubectl")


def render(overlay: Path) -> list[Mapping[str, Any]]:
    """The objects of one overlay, as `kubectl apply -k` would send them."""
    rendered = subprocess.run(  # noqa: S603 - our own kubectl, our own folder
        [KUBECTL, "kustomize", overlay], check=True, capture_output=True, text=True
    )
    return [document for document in yaml.safe_load_all(rendered.stdout) if document]


def problems(documents: list[Mapping[str, Any]]) -> Iterator[str]:
    """What the schemas refuse, one line for each object."""
    for document in documents:
        try:
            kubernetes_validate.validate(document, KUBERNETES_VERSION, strict=True)
        except kubernetes_validate.ValidationError as error:
            yield f"{document['kind']}/{document['metadata']['name']}: {error}"


def main() -> None:
    """Validates all overlays; names every refused object and fails."""
    found = False
    for overlay in sorted((ROOT / "overlays").iterdir()):
        documents = render(overlay)
        refused = list(problems(documents))
        found = found or bool(refused)
        print(f"{overlay.name}: {len(documents)} objects, {len(refused)} refused")
        print("\n".join(refused), end="\n" if refused else "")
    sys.exit(found)


if __name__ == "__main__":
    main()
