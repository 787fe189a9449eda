"""One Neo4j database: its driver, its transactions, its errors as kinds."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import timedelta
from types import TracebackType
from typing import Concatenate, ParamSpec, Self, TypeVar

from neo4j import AsyncDriver, AsyncGraphDatabase, AsyncManagedTransaction, AsyncSession
from neo4j import exceptions as neo4j_errors

from kit.errors import Unavailable
from services.hierarchy.adapters.neo4j.migrations import check, migrate

T = TypeVar("T")
P = ParamSpec("P")
Work = Callable[Concatenate[AsyncManagedTransaction, P], Awaitable[T]]
Glance = Callable[Concatenate[AsyncManagedTransaction | AsyncSession, P], Awaitable[T]]

# How long the driver repeats a transaction that met a deadlock, a restart or a change of leader;
# well within the 15 s that a caller gives by default.
RETRY = timedelta(seconds=10)
_LOST = (neo4j_errors.ServiceUnavailable, neo4j_errors.SessionExpired)
_TRANSIENT = (
    *_LOST,
    neo4j_errors.TransientError,
    neo4j_errors.ConnectionPoolError,
    neo4j_errors.AuthError,
    neo4j_errors.ConfigurationError,  # such as a server that is none, behind the address
)


class StoreUnavailable(Unavailable):
    """Neo4j cannot be reached, refuses the credentials, or is changing its leader."""

    reason = "STORE_UNAVAILABLE"


class Neo4jStore:
    """Runs transactions. `async with` opens and closes it; it connects when it is first used.

    Reads go to the leader too: a follower may lag behind a write that was answered by a sibling.
    """

    def __init__(
        self,
        uri: str,
        auth: tuple[str, str] | None,
        database: str = "neo4j",
        retry: timedelta = RETRY,
    ) -> None:
        self._uri = uri
        self._retry_seconds = retry.total_seconds()
        self._auth = auth
        self._database = database
        self._driver: AsyncDriver | None = None
        self._checked = False

    async def __aenter__(self) -> Self:
        self._driver = AsyncGraphDatabase.driver(
            self._uri,
            auth=self._auth,
            max_transaction_retry_time=self._retry_seconds,
            connection_acquisition_timeout=self._retry_seconds,
            connection_timeout=self._retry_seconds / 2,
            telemetry_disabled=True,
            notifications_min_severity="OFF",
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._driver is not None:
            await self._driver.close()

    async def ready(self) -> str | None:
        """None once the database answers and has the schema; else an error that says why not.

        Raises:
            SchemaBehind, MigrationEdited, SchemaDrifted: somebody has to `migrate`, or to look.
        """
        async with self._session() as session:
            if self._checked:
                await (await session.run("RETURN 1")).consume()
            else:
                await check(session)  # once: whoever asks has little time, and asks again
                self._checked = True
        return None

    async def migrate(self) -> None:
        """Bring the schema to what this version needs: a job of its own, before a roll-out.

        Raises:
            MigrationEdited, SchemaDrifted: the database was brought to something else.
        """
        async with self._session() as session:
            await migrate(session)
            self._checked = True

    async def run(self, work: Work[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run work in one transaction; it may run again when the transaction has to be repeated.

        None runs before the schema was found to be right: without its constraints, writers that
        meet would make things twice.
        """
        async with self._session() as session:
            if not self._checked:
                await session.execute_read(check)
                self._checked = True
            return await session.execute_write(work, *args, **kwargs)

    async def glance(self, work: Glance[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run the one statement of a read: a round trip, where a transaction takes three.

        What a transaction is repeated for happens here as well; then it becomes one.
        """
        if self._checked:
            async with self._session() as session:
                with suppress(neo4j_errors.TransientError, *_LOST):
                    return await work(session, *args, **kwargs)
        return await self.run(work, *args, **kwargs)

    @asynccontextmanager
    async def _session(self) -> AsyncIterator[AsyncSession]:
        if self._driver is None:
            raise RuntimeError("the store is not open")
        with neo4j_store_errors():
            async with self._driver.session(database=self._database, fetch_size=-1) as session:
                yield session


@contextmanager
def neo4j_store_errors() -> Iterator[None]:
    """Turn the driver's errors into kinds; a statement that is refused is our own fault."""
    try:
        yield
    except _TRANSIENT as error:
        raise StoreUnavailable from error
    except (neo4j_errors.Neo4jError, neo4j_errors.DriverError) as error:
        raise RuntimeError("the store refused a statement") from error
    except OSError as error:  # such as a name that does not resolve
        raise StoreUnavailable from error
