"""What hierarchy's processes read from the environment."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import ClassVar

from pydantic import Field

from kit.settings import Port, Problem, ProcessSettings, Seconds, SecretStr


class StoreSettings(ProcessSettings):
    """Where the graph is kept."""

    service_name: ClassVar[str] = "hierarchy"

    port: Port = Field(50051, description="Port of the gRPC server; 0 lets the system choose.")
    database_file: Path = Field(
        Path("hierarchy.sqlite3"),
        description="File of the embedded store; made when missing. Unused with NEO4J_URI.",
    )
    neo4j_uri: str | None = Field(
        None,
        # What the driver takes; https://neo4j.com/docs/api/python-driver/current/api.html#uri
        pattern=r"^(neo4j|bolt)(\+s|\+ssc)?://.+",
        description="Keeps the graph in Neo4j, such as `neo4j://graph:7687`.",
    )
    neo4j_username: str = Field("neo4j", description="User of the Neo4j database.")
    neo4j_password: SecretStr | None = Field(
        None, description="Password of that user; unset where Neo4j asks for none."
    )
    neo4j_database: str = Field("neo4j", description="Name of the Neo4j database.")

    @classmethod
    def problems_between(cls, given: Mapping[str, str]) -> Iterator[Problem]:
        """Also: one store, not two."""
        yield from super().problems_between(given)
        if "NEO4J_URI" in given and "DATABASE_FILE" in given:
            yield Problem("DATABASE_FILE", "set it or NEO4J_URI, not both")
        if "NEO4J_PASSWORD" in given and "NEO4J_URI" not in given:
            yield Problem("NEO4J_PASSWORD", "is set, but NEO4J_URI is not")


class Settings(StoreSettings):
    """The server."""

    key_encryption_keys_file: Path | None = Field(
        None,
        description="File with the keys that wrap each organisation's secrets, a line `id base64` "
        "for each, the current one first; needed with NEO4J_URI, otherwise made beside "
        "DATABASE_FILE.",
    )
    implicit_tenants: bool = Field(
        False,
        description="Whether a tenant that nobody created begins with its first blueprint; for "
        "development.",
    )
    migrate_at_start: bool = Field(
        False,
        description="Whether the server brings Neo4j's schema up to date by itself; for "
        "development, where no job does. The embedded store always does.",
    )

    @classmethod
    def problems_between(cls, given: Mapping[str, str]) -> Iterator[Problem]:
        """Also: processes that share a database share its keys."""
        yield from super().problems_between(given)
        if "NEO4J_URI" in given and "KEY_ENCRYPTION_KEYS_FILE" not in given:
            yield Problem("KEY_ENCRYPTION_KEYS_FILE", "is required with NEO4J_URI")


class WorkerSettings(StoreSettings):
    """The worker that relays events to the streams that peers follow."""

    port: Port = Field(0, description="Port of the gRPC health server; 0 lets the system choose.")
    redis_url: str = Field(description="Redis of the event streams, such as `redis://cache:6379`.")
    # A change reaches peers within this and a round trip; an idle look costs one small query.
    relay_interval: Seconds = Field(
        timedelta(milliseconds=200),
        alias="RELAY_INTERVAL_SECONDS",
        description="Pause between two looks for events to relay.",
    )
