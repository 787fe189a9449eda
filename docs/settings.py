"""Writes docs/settings.md from the processes' Settings, or checks that it is current.

Run as `python docs/settings.py` or, to check only, `python docs/settings.py --check`.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import gateway.config
import services.groups.config
import services.hierarchy.config
import services.messaging.config
from kit.settings import ProcessSettings, Variable

PAGE = Path(__file__).with_name("settings.md")
PROCESSES: dict[str, type[ProcessSettings]] = {
    "gateway": gateway.config.Settings,
    "hierarchy": services.hierarchy.config.Settings,
    "hierarchy worker": services.hierarchy.config.WorkerSettings,
    "groups": services.groups.config.Settings,
    "messaging": services.messaging.config.Settings,
    "messaging worker": services.messaging.config.WorkerSettings,
}
INTRODUCTION = """# Settings

Every process reads its environment once, at start, and names all that is wrong with it at once.
A secret may also come from a file: `NEO4J_PASSWORD_FILE=/run/secrets/neo4j/password`.
OpenTelemetry's own variables (`OTEL_*`) are honoured, `OTEL_SDK_DISABLED` included. `chaupal up`
sets all of these by itself.

This page is written from the code (`python docs/settings.py`).
"""


def page() -> str:
    """The whole page: what all processes share first, then each one's own."""
    common = {variable.name for variable in ProcessSettings.variables()}
    shared = [
        variable
        for variable in PROCESSES["groups"].variables()
        if variable.name in common and variable.name != "PORT"
    ]
    parts = [INTRODUCTION, *_section("every process", shared)]
    for process, settings in PROCESSES.items():
        own = [each for each in settings.variables() if each.name not in common - {"PORT"}]
        parts += _section(process, own)
    return "\n".join(parts)


def _section(title: str, variables: list[Variable]) -> Iterator[str]:
    yield f"## {title[0].upper()}{title[1:]}\n"
    yield "| variable | default | what |\n| --- | --- | --- |"
    for variable in variables:
        yield f"| `{variable.name}` | {_default(variable)} | {variable.description} |"
    yield ""


def _default(variable: Variable) -> str:
    if variable.required:
        return "*needed*"
    return f"`{variable.default}`" if variable.default else ""


def main() -> None:
    """Writes or checks the page."""
    if "--check" not in sys.argv:
        PAGE.write_text(page(), encoding="utf-8")
    elif not PAGE.exists() or PAGE.read_text(encoding="utf-8") != page():
        sys.exit("docs/settings.md is stale, run `make settings`")


if __name__ == "__main__":
    main()
