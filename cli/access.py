"""Where a verb finds the platform and whose token it calls with."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from cli.errors import Refusal
from cli.launcher.folder import DataFolder, no_data
from cli.launcher.ports import DEFAULT_PORTS, HOST
from cli.platform_file import PlatformFile, read_platform

if TYPE_CHECKING:
    from cli.identity.issuer import DevelopmentIssuer

_Decorated = TypeVar("_Decorated", bound=Callable[..., object])


@dataclass(frozen=True, slots=True)
class Access:
    """What a verb calls with.

    Attributes:
        token: A caller's token.
        platform: The platform of the data folder; none when none runs there.
        folder: The data folder.
    """

    token: str
    platform: PlatformFile | None
    folder: DataFolder

    def address(self, name: str, given: str | None) -> str:
        """Return host and port of a process: those given, or those of the data folder.

        Raises:
            Refusal: None were given, and nothing runs on the data folder.
        """
        if given:
            return given
        if self.platform is None and not self.folder.key.exists():
            raise no_data(self.folder.root)
        if self.platform is None:
            raise Refusal(
                "NOT_RUNNING",
                f"no platform runs on {self.folder.root}",
                "Start one with `chaupal up`, name its folder with --data,"
                " or name the address of another.",
            )
        return f"{HOST}:{self.platform.ports[name]}"


def access_options() -> Callable[[_Decorated], _Decorated]:
    """Add `--tenant` and `--token`."""
    tenant = click.option(
        "--tenant", help="Call as this tenant, with a token of the development issuer."
    )
    token = token_option("Call with this token instead.")
    return lambda function: tenant(token(function))


def token_option(about: str) -> Callable[[_Decorated], _Decorated]:
    """Add `--token`."""
    return click.option("--token", envvar="CHAUPAL_TOKEN", show_envvar=True, help=about)


def resolve(data: Path, tenant: str | None, token: str | None, role: str) -> Access:
    """Return how to call: with the token given, or with one of a role of a tenant.

    Raises:
        click.UsageError: Neither a tenant nor a token is named.
        Refusal: The data folder has no key to sign with.
    """
    folder = DataFolder(data.resolve())
    platform = read_platform(folder.platform)
    if token:
        return Access(token, platform, folder)
    if not tenant:
        raise click.UsageError("name --tenant, or give a --token")
    return Access(role_token(data, tenant, role, platform), platform, folder)


def resolve_operator(data: Path, token: str | None) -> Access:
    """Return how to call as somebody who operates the platform: with the token given, or with one.

    Raises:
        Refusal: The data folder has no key to sign with.
    """
    folder = DataFolder(data.resolve())
    platform = read_platform(folder.platform)
    if token:
        return Access(token, platform, folder)
    return Access(_issuer(data, platform).operator_token(), platform, folder)


def role_token(data: Path, tenant: str, role: str, platform: PlatformFile | None) -> str:
    """Sign a short-lived token of a role with the key of the data folder."""
    return _issuer(data, platform).role_token(tenant, role)


def _issuer(data: Path, platform: PlatformFile | None) -> "DevelopmentIssuer":
    # The token library takes 0.2 s to import.
    from cli.identity.issuer import DevelopmentIssuer, load_key  # noqa: PLC0415

    key = load_key(DataFolder(data.resolve()).key)
    return DevelopmentIssuer(key, issuer_url(platform))


def issuer_url(platform: PlatformFile | None) -> str:
    """Return the issuer of what runs, or the usual one."""
    return platform.issuer if platform else f"http://{HOST}:{DEFAULT_PORTS['issuer']}"
