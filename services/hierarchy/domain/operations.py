"""A write, as a conversation with whatever holds the records.

Deciding is pure: a decision asks for the records that it needs (`Want`), is given what stands
(`Found`), and ends with all that is to be written (`Decision`). The store holds the conversation
under the tenant's lock, so what was found is still so when it is written, and every store decides
alike. A decision may be held twice, when a store must repeat its transaction.
"""

from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar

from services.hierarchy.domain.events import Change
from services.hierarchy.domain.fingerprints import fingerprint
from services.hierarchy.domain.model import RequestId
from services.hierarchy.domain.records import Index, R, Record
from services.hierarchy.domain.tenants import TenantHeader

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Moment:
    """What a decision starts from.

    Attributes:
        header: of the tenant, as it stands.
        now: the instant of the write.
        new_id: gives a fresh UUID each time.
    """

    header: TenantHeader
    now: datetime
    new_id: Callable[[], str]


@dataclass(frozen=True, slots=True)
class Want:
    """Records to find: by each index, those with one of these keys; keys may repeat.

    Also records that ended are found, except units, which are in `PastUnit` then.
    """

    keys: Mapping[Index[Any], Collection[str]]


class Found:
    """The answer to a `Want`: for each index, the records by key, in no particular order."""

    __slots__ = ("_by_index",)

    def __init__(self, by_index: Mapping[Index[Any], Mapping[str, Sequence[Record]]]) -> None:
        self._by_index = by_index

    def all(self, index: Index[R], key: str) -> Sequence[R]:
        """The records under one key; empty when there are none."""
        return self._by_index[index].get(key, ())  # type: ignore[return-value]  # by the index

    def one(self, index: Index[R], key: str) -> R | None:
        """The record under one key of a unique index, or None."""
        records = self.all(index, key)
        return records[0] if records else None


@dataclass(frozen=True, slots=True)
class Decision(Generic[T]):
    """What to write, all or nothing, and what to answer.

    Attributes:
        answer: kept under the request id and given to whoever repeats the request. A frozen
            dataclass, or a tuple of such, that `pydantic` can write as JSON and read back.
        puts: records as they now stand, whole; each replaces the one with its type and id.
        drops: units that no longer stand (each has its last `PastUnit` among the puts), and
            records of which nothing is to be kept.
        header: the tenant's, where it changes.
        changes: what peers are told, in this order.
    """

    answer: T
    puts: Sequence[Record] = ()
    drops: Sequence[Record] = ()
    header: TenantHeader | None = None
    changes: Sequence[Change] = ()

    @property
    def changes_anything(self) -> bool:
        """Whether there is something to write besides the answer."""
        return bool(self.puts or self.drops or self.header or self.changes)


Steps = Generator[Want, Found, Decision[T]]


@dataclass(frozen=True, slots=True)
class Operation(Generic[T]):
    """A write that somebody asks for.

    Attributes:
        name: in a word or two: "move unit".
        request_id: the first answer under it is kept for `ANSWERS_KEPT` and repeated.
        asked_by: the subject of whoever asks; empty where the service does by itself. An answer is
            repeated to them alone, as nobody decides again what another may be told.
        fingerprint: of all that is asked for; `request_fingerprint` adds by whom and of what.
        answer_type: what `decide` answers.
        decide: makes a fresh conversation; it may raise errors of the domain, and then nothing is
            written and nothing kept.
        validate_only: hold the conversation, answer, write and keep nothing.
    """

    name: str
    request_id: RequestId
    asked_by: str
    fingerprint: str = field(repr=False)
    answer_type: type[T]
    decide: Callable[[Moment], Steps[T]]
    validate_only: bool = False

    @property
    def request_fingerprint(self) -> str:
        """Tells a repeat of the request from any other one under the same id."""
        return fingerprint(self.name, self.asked_by, self.fingerprint)
