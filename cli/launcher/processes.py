"""The processes of the platform: what each is called, where it answers, what it is told."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cli.identity.issuer import AUDIENCE
from cli.identity.roles import SERVICE_SUBJECTS
from cli.launcher.child import ChildSpec
from cli.launcher.folder import DataFolder
from cli.launcher.ports import HOST
from cli.launcher.store import server_command

ROOT = Path(__file__).resolve().parents[2]
CONSOLES = ROOT / "consoles" / "dist"
STORE = "store"
# Requests and chunks that run when the platform is told to stop.
DRAIN_SECONDS = 5

# What a child may see of the caller's environment: nothing that would turn it elsewhere.
_PASSED = (
    "HOME",
    "LANG",
    "LC_ALL",
    "LOG_FORMAT",
    "LOG_LEVEL",
    "PATH",
    "TMPDIR",
    "TZ",
    "VIRTUAL_ENV",
)
_PASSED_PREFIXES = ("OTEL_", "SIMULATOR_")
_FAILURE_RATE = "SIMULATOR_FAILURE_RATE"
_NEO4J_PREFIX = "NEO4J_"
_KEYS_FILE = "KEY_ENCRYPTION_KEYS_FILE"


@dataclass(frozen=True, slots=True)
class Process:
    """One of our own processes.

    Attributes:
        name: Its name, also of its port and log.
        arguments: After `python -m`.
        service: Whose identity it has.
        stage: When it is stopped; the store's is 0.
    """

    name: str
    arguments: tuple[str, ...]
    service: str
    stage: int

    @property
    def speaks_http(self) -> bool:
        """Whether it answers over HTTP; the others answer over gRPC."""
        return self.name == "gateway"


# All start at once, none waits for another; the gateway is stopped first, the services last.
PROCESSES = (
    Process("hierarchy", ("services.hierarchy",), "hierarchy", 1),
    Process("groups", ("services.groups",), "groups", 1),
    Process("messaging", ("services.messaging",), "messaging", 1),
    Process("hierarchy-worker", ("services.hierarchy", "worker"), "hierarchy", 2),
    Process("messaging-worker", ("services.messaging", "worker"), "messaging", 2),
    Process("gateway", ("gateway",), "gateway", 3),
)


@dataclass(frozen=True, slots=True)
class Wiring:
    """Everything that the processes of one run are told.

    Attributes:
        folder: The data folder.
        ports: By name, as in `DEFAULT_PORTS`.
        issuer_url: The development issuer.
        redis_url: The store of groups and messaging, and the event streams.
        neo4j: Whether the org graph lives in Neo4j, by the caller's NEO4J_ variables.
        environ: The caller's environment.
    """

    folder: DataFolder
    ports: Mapping[str, int]
    issuer_url: str
    redis_url: str
    neo4j: bool
    environ: Mapping[str, str]

    def target(self, name: str) -> str:
        """Return the gRPC target of a process."""
        return f"{HOST}:{self.ports[name]}"

    @property
    def failure_rate(self) -> str:
        """How many of the simulated deliveries fail, as the caller set it or as is usual."""
        return self.environ.get(_FAILURE_RATE) or "0.02"

    @property
    def gateway_url(self) -> str:
        """Where the gateway answers."""
        return f"http://{HOST}:{self.ports['gateway']}"


def process_specs(wiring: Wiring) -> list[ChildSpec]:
    """Return how to start each of our own processes."""
    return [_spec(process, wiring) for process in PROCESSES]


def store_spec(folder: DataFolder, socket_path: Path, environ: Mapping[str, str]) -> ChildSpec:
    """Return how to start the private store."""
    command = server_command(folder.store, socket_path)
    return ChildSpec(STORE, command, _passed(environ), folder.store, folder.log(STORE), 0)


def _spec(process: Process, wiring: Wiring) -> ChildSpec:
    return ChildSpec(
        process.name,
        [sys.executable, "-m", *process.arguments],
        _passed(wiring.environ) | _common(process, wiring) | _own(process.service, wiring),
        ROOT,
        wiring.folder.log(process.name),
        process.stage,
    )


def _passed(environ: Mapping[str, str]) -> dict[str, str]:
    return {
        name: value
        for name, value in environ.items()
        if name in _PASSED or name.startswith(_PASSED_PREFIXES)
    }


def _common(process: Process, wiring: Wiring) -> dict[str, str]:
    return {
        "HOST": HOST,
        "PORT": str(wiring.ports[process.name]),
        "METRICS_PORT": str(wiring.ports[f"{process.name}-metrics"]),
        "OIDC_ISSUER": wiring.issuer_url,
        "OIDC_AUDIENCE": AUDIENCE,
        "OIDC_JWKS_URL": f"{wiring.issuer_url}/jwks.json",
        "SERVICE_SUBJECTS": ",".join(SERVICE_SUBJECTS),
        "SERVICE_TOKEN_FILE": str(wiring.folder.service_token(process.service)),
        "GRPC_REFLECTION": "true",
        "DRAIN_SECONDS": str(DRAIN_SECONDS),
    }


def _own(service: str, wiring: Wiring) -> dict[str, str]:
    redis = {"REDIS_URL": wiring.redis_url}
    match service:
        case "hierarchy":
            # Nobody operates a platform here: a tenant of one's own begins with its blueprint, and
            # no job brings a database up to date.
            ours = {"IMPLICIT_TENANTS": "true", "MIGRATE_AT_START": "true"}
            return redis | _graph(wiring) | ours
        case "groups":
            return redis | {"HIERARCHY_TARGET": wiring.target("hierarchy")}
        case "messaging":
            # Always told, so that what `up` says of it is what happens.
            simulator = {_FAILURE_RATE: wiring.failure_rate}
            return redis | simulator | {"GROUPS_TARGET": wiring.target("groups")}
        case _:
            return {
                "HIERARCHY_TARGET": wiring.target("hierarchy"),
                "GROUPS_TARGET": wiring.target("groups"),
                "MESSAGING_TARGET": wiring.target("messaging"),
                "CONSOLES_DIR": str(CONSOLES),
            }


def _graph(wiring: Wiring) -> dict[str, str]:
    if not wiring.neo4j:
        return {"DATABASE_FILE": str(wiring.folder.database)}
    told = {name: value for name, value in wiring.environ.items() if name.startswith(_NEO4J_PREFIX)}
    keys = wiring.environ.get(_KEYS_FILE) or str(wiring.folder.encryption_keys)
    return told | {_KEYS_FILE: keys}


def missing_consoles() -> Sequence[str]:
    """Return the consoles that are not built."""
    return [
        name for name in ("party", "category") if not (CONSOLES / name / "index.html").is_file()
    ]
