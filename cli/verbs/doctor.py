"""`chaupal doctor`: what is missing or wrong on this machine, and the cure for each."""

import asyncio
import os
from pathlib import Path

import click

from cli.command import Verb, data_option, output_option
from cli.doctor.examination import examine
from cli.doctor.findings import Finding
from cli.launcher.folder import DataFolder
from cli.output import console, print_json

_EXAMPLES = ("chaupal doctor", "chaupal doctor --data /var/tmp/chaupal -o json")
_EXIT_CODES = {0: "nothing stands in the way of `chaupal up`", 1: "something does; see its cure"}
_MARKS = {
    "ok": "[green]ok  [/green]",
    "warning": "[yellow]warn[/yellow]",
    "fault": "[red]bad [/red]",
}


@click.command("doctor", cls=Verb, examples=_EXAMPLES, exit_codes=_EXIT_CODES)
@data_option()
@output_option()
@click.pass_context
def doctor(ctx: click.Context, *, data: Path, output: str) -> None:
    """Look for what is missing or wrong, and name the cure.

    Looks at Python and its packages, Node, the consoles, the store, the ports, the disk and the
    data folder; and, where a platform runs, at the health of its processes and at how durable its
    store is. Changes nothing.
    """
    findings = asyncio.run(examine(DataFolder(data.resolve()), os.environ))
    if output == "json":
        print_json({"findings": [finding.as_json() for finding in findings]})
    else:
        _print(findings)
    if any(finding.grade == "fault" for finding in findings):
        ctx.exit(1)


def _print(findings: list[Finding]) -> None:
    screen = console()
    for finding in findings:
        screen.print(f"{_MARKS[finding.grade]} {finding.subject}: ", end="")
        screen.print(finding.told, markup=False)
        for line in finding.cure.splitlines():
            screen.print(f"       cure: {line}", markup=False)
