"""`chaupal token`: a token of the development issuer."""

import re
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from cli.access import issuer_url
from cli.command import Verb, data_option, output_option
from cli.identity.issuer import SAMPLE_LIFETIME, DevelopmentIssuer, load_key
from cli.identity.roles import OPERATOR, OPERATOR_CAPABILITIES, ROLES
from cli.launcher.folder import DataFolder
from cli.output import print_json
from cli.platform_file import read_platform
from kit.tokens import is_tenant

_EXAMPLES = (
    "chaupal token --tenant neem --role composer",
    "chaupal token --tenant peepal --role viewer --ttl 30m -o json",
    "chaupal token --tenant neem --subject district-convenor@neem",
    "chaupal token --role operator",
    'curl -H "Authorization: Bearer $(chaupal token --tenant neem --role viewer)" ...',
)
_CAPABILITIES = {**ROLES, OPERATOR: OPERATOR_CAPABILITIES}
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_LONGEST = timedelta(days=30)


def _lifetime(_ctx: click.Context, _param: click.Parameter, value: str) -> timedelta:
    match = re.fullmatch(r"([0-9]{1,7})([smhd])", value)
    lifetime = timedelta(**{_UNITS[match[2]]: int(match[1])}) if match else timedelta(0)
    if not timedelta(0) < lifetime <= _LONGEST:
        raise click.BadParameter("write a number and s, m, h or d, up to 30d, such as 30m")
    return lifetime


def _tenant(_ctx: click.Context, _param: click.Parameter, value: str | None) -> str | None:
    if value is not None and not is_tenant(value):
        raise click.BadParameter("2 to 63 of a-z 0-9 and -, beginning with a letter or digit")
    return value


@click.command("token", cls=Verb, examples=_EXAMPLES)
@click.option("--tenant", callback=_tenant, help="The tenant, such as neem; none for operator.")
@click.option(
    "--role",
    type=click.Choice([*ROLES, OPERATOR]),
    help="What it may do anywhere; without it, what the subject's offices give them.",
)
@click.option("--subject", default="", help="Who it stands for.  [default: ROLE@TENANT]")
@click.option(
    "--ttl",
    default=f"{SAMPLE_LIFETIME // timedelta(hours=1)}h",
    show_default=True,
    callback=_lifetime,
    help="How long it holds.",
)
@data_option()
@output_option()
def token(
    *, tenant: str | None, role: str | None, subject: str, ttl: timedelta, data: Path, output: str
) -> None:
    """Print a token of the development issuer of a data folder.

    It is signed with the folder's own key, so the platform need not run. An operator's token opens
    `chaupal tenants` and nothing of any tenant. One for a subject without a role gives nothing by
    itself: it is for people whose appointments give them rights, such as those that `chaupal up`
    names.
    """
    if role is None and not subject:
        raise click.UsageError("name the --role, or the --subject of somebody with an office")
    if (tenant is None) != (role == OPERATOR):
        raise click.UsageError(
            "an operator has no --tenant" if role == OPERATOR else "name the --tenant"
        )
    folder = DataFolder(data.resolve())
    issuer = DevelopmentIssuer(load_key(folder.key), issuer_url(read_platform(folder.platform)))
    if tenant is None:
        text = issuer.operator_token(ttl, subject)
    elif role is None:
        text = issuer.person_token(tenant, subject, ttl)
    else:
        text = issuer.role_token(tenant, role, ttl, subject)
    if output == "text":
        sys.stdout.write(f"{text}\n")
        return
    print_json(
        {
            "token": text,
            "tenant": tenant,
            "role": role,
            "subject": subject or (f"{role}@{tenant}" if tenant else role),
            "capabilities": list(_CAPABILITIES[role] if role else ()),
            "issuer": issuer.url,
            "expiresAt": (datetime.now(UTC) + ttl).isoformat(timespec="seconds"),
        }
    )
