"""The entry point of the `chaupal` command."""

import click

from cli.command import LazyGroup

_VERBS = {
    "up": ("cli.verbs.up:up", "Run the whole platform on this machine."),
    "status": ("cli.verbs.status:status", "Say what runs, where, and how it is."),
    "token": ("cli.verbs.token:token", "Print a token of the development issuer."),
    "import": ("cli.verbs.importing:import_", "Import an organisation from files."),
    "export": ("cli.verbs.exporting:export", "Write what stands to a file that imports back."),
    "broadcast": ("cli.verbs.broadcast:broadcast", "Send one message to one audience."),
    "demo-data": ("cli.verbs.demo_data:demo_data", "Write the files of the demo organisations."),
    "tenants": ("cli.verbs.tenants:tenants", "Create, suspend, export and delete tenants."),
    "doctor": ("cli.verbs.doctor:doctor", "Look for what is missing or wrong, and name the cure."),
}


@click.group(cls=LazyGroup, verbs=_VERBS)
@click.version_option(package_name="chaupal-platform", prog_name="chaupal")
def main() -> None:
    """Chaupal: the command room of an organisation whose members talk in message groups.

    Each verb has a --help with examples, prints one JSON line with -o json, and honours NO_COLOR.
    """
