"""`chaupal tenants`: the organisations on a platform, for those who operate it."""

import click

from cli.command import LazyGroup

_HERE = "cli.verbs.tenants"
_VERBS = {
    "list": (f"{_HERE}.states:list_", "List all tenants."),
    "show": (f"{_HERE}.states:show", "Show one tenant."),
    "create": (f"{_HERE}.states:create", "Create a tenant."),
    "suspend": (f"{_HERE}.states:suspend", "Refuse every call of a tenant; nothing is lost."),
    "resume": (f"{_HERE}.states:resume", "Let a suspended tenant go on."),
    "quota": (f"{_HERE}.states:quota", "Change how much a tenant may have."),
    "export": (f"{_HERE}.exporting:export", "Write all of a tenant to a file."),
    "delete": (f"{_HERE}.deleting:delete", "Remove a suspended tenant for ever, with a proof."),
    "rotate-keys": (f"{_HERE}.rotating:rotate_keys", "Give a tenant new secrets."),
}


@click.group("tenants", cls=LazyGroup, verbs=_VERBS)
def tenants() -> None:
    """Create, suspend, export and delete tenants: the organisations on a platform.

    It needs the right to operate the platform: the development issuer gives it for a data folder,
    anywhere else take a --token with the capability "operate" and no tenant.
    """
