"""The values that travel: what an event class offers, where a record lies, what a handler receives."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar, Generic, NamedTuple, Protocol, TypeVar
from uuid import UUID

from treaty_avro import inlined_text, schema_of
from treaty_runtime.errors import NoSession
from treaty_runtime.job import Job

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession


E = TypeVar("E")
R = TypeVar("R")

Headers = tuple[tuple[str, bytes], ...]
"""Record headers in wire order; names may repeat."""


class Event(Protocol):
    """What a generated class offers (structural; `treaty generate` writes it). ``__key__() -> str`` is optional."""

    __avro_schema__: ClassVar[str]
    __avro_fullname__: ClassVar[str]
    __avro_references__: ClassVar[tuple[str, ...]]
    __topic__: ClassVar[str]
    __subject__: ClassVar[str]
    __event_type__: ClassVar[str]


def published_text(event: type[Event]) -> str:
    """The schema text of a class as it stands for itself, by which every registry finds it in whichever form it was registered."""
    # A consumer's own view of an event may leave out what it has none of.
    return _whole_text(event) if getattr(event, "__avro_references__", ()) else event.__avro_schema__


@lru_cache(maxsize=4_096)
def _whole_text(event: type) -> str:
    return inlined_text(schema_of(event))


class Partition(NamedTuple):
    """One partition of a topic."""

    topic: str
    partition: int

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}"


class Place(NamedTuple):
    """Where a record lies."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}/{self.offset}"

    @property
    def of(self) -> Partition:
        """The partition of the place."""
        return Partition(self.topic, self.partition)


class Record:
    """A record as Kafka has it: bytes. ``timestamp_ms`` counts from the epoch; ``-1`` means none.

    ``headers`` may be a function that reads them. It is called when they are first asked for: that of most records never are,
    and making texts of them would cost more than handling the record.
    """

    __slots__ = ("_headers", "is_log_append_time", "key", "place", "timestamp_ms", "value")

    def __init__(  # noqa: PLR0917  # in the order of its parts: keywords cost, and one is made for each
        self,
        place: Place,
        key: bytes | None,
        value: bytes | None,
        headers: Headers | Callable[[], Headers] = (),
        timestamp_ms: int = -1,
        is_log_append_time: bool = False,  # in the order of a record's parts, and one is made for each
    ) -> None:
        self.place, self.key, self.value, self._headers = place, key, value, headers
        self.timestamp_ms, self.is_log_append_time = timestamp_ms, is_log_append_time

    @property
    def headers(self) -> Headers:
        """Names and values, in wire order."""
        headers = self._headers
        if callable(headers):
            headers = self._headers = headers()
        return headers

    def __eq__(self, other: object) -> bool:
        """Whether it is the same record at the same place."""
        return isinstance(other, Record) and self._parts() == other._parts()

    def __hash__(self) -> int:
        """By place: no two records lie there."""
        return hash(self.place)

    def __repr__(self) -> str:
        return f"Record({', '.join(map(repr, self._parts()))})"

    def _parts(self) -> tuple[object, ...]:
        return self.place, self.key, self.value, self.headers, self.timestamp_ms, self.is_log_append_time


@dataclass(frozen=True, kw_only=True)
class Envelope(Generic[E]):
    """An event with its headers.

    ``id`` is ``ce_id`` or the UUID derived where that is none; ``origin`` is the first place of the record, through all retries;
    ``headers`` holds the first value of each name. For raw handlers ``event`` is the Record itself.
    """

    # No slots: `envelope.seal` leaves out what a handler seldom asks for and has it read from the headers at first use,
    # which is most of what an envelope costs.

    event: E
    id: UUID
    type: str
    source: str
    time: datetime
    subject: str
    key: bytes | None
    correlation_id: UUID
    causation_id: UUID | None
    place: Place
    origin: Place
    timestamp: datetime
    schema_id: int
    headers: Mapping[str, bytes]
    attempt: int = 1
    is_replay: bool = field(default_factory=bool)  # a plain default would be found before `__getattr__` is asked

    if not TYPE_CHECKING:  # a visible __getattr__ would make every misspelt name right

        def __getattr__(self, name: str) -> object:
            try:
                value = self.__dict__["_read"](self, name)
            except KeyError:
                raise AttributeError(f"{type(self).__name__} has no {name!r}") from None
            self.__dict__[name] = value
            return value


class Stage(Protocol):
    """Stages an event in the caller's transaction and answers its id; ``Outbox.stage`` is the one."""

    def __call__(
        self,
        session: Any,  # AsyncSession or Session: one plain function serves both
        event: Event,
        *,
        key: str | None = None,
        event_id: UUID | None = None,
        correlation_id: UUID | None = None,
        causation_id: UUID | None = None,
        headers: Mapping[str, bytes] | None = None,
    ) -> UUID: ...


class Schedule(Protocol):
    """Schedules a job in the caller's transaction; the delay queue's store is the one."""

    def __call__(self, session: Any, job: Job, *, replace: bool = False) -> None: ...


class Outside(Protocol):
    """Calls something outside the transaction, or only records the call in a dry run."""

    async def __call__(self, name: str, key: str, send: Callable[[], Awaitable[R]]) -> R: ...


@dataclass(slots=True, kw_only=True)
class Context:
    """What a handler may use besides the event. ``deadline`` is aware; the handler is cancelled then."""

    # Not frozen: one is made per record, and freezing costs more than the rest of making it.

    envelope: Envelope[Any]
    deadline: datetime
    open_session: AsyncSession | None = None
    stager: Stage | None = None
    scheduler: Schedule | None = None
    outsider: Outside | None = None
    is_dry_run: bool = False

    @property
    def session(self) -> AsyncSession:
        """The session of the transaction that the inbox row is in; ``NoSession`` without a database."""
        if self.open_session is None:
            raise NoSession
        return self.open_session

    @property
    def attempt(self) -> int:
        """1 for the first try."""
        return self.envelope.attempt

    @property
    def is_replay(self) -> bool:
        """Whether an operator replays the record."""
        return self.envelope.is_replay

    def stage(self, event: Event, *, key: str | None = None, headers: Mapping[str, bytes] | None = None) -> UUID:
        """Stages an event that this one caused, in the handler's transaction; answers its id."""
        if self.stager is None:
            raise NoSession
        cause = self.envelope
        return self.stager(
            self.session, event, key=key, correlation_id=cause.correlation_id, causation_id=cause.id, headers=headers
        )

    def schedule(self, job: Job, *, replace: bool = False) -> None:
        """Schedules a job in the handler's transaction."""
        if self.scheduler is None:
            raise NoSession
        self.scheduler(self.session, job, replace=replace)

    async def outside(self, name: str, key: str, send: Callable[[], Awaitable[R]]) -> R:
        """Calls ``send`` (mail, HTTP), or lets the ``outsider`` call it, who is told ``name`` and the idempotency ``key``."""
        return await (self.outsider(name, key, send) if self.outsider is not None else send())


@dataclass(slots=True, kw_only=True)
class BatchContext:
    """What a batch handler may use besides its events: ``envelopes`` has theirs, in the same order."""

    envelopes: Sequence[Envelope[Any]]
    deadline: datetime
    open_session: AsyncSession | None = None
    stager: Stage | None = None
    scheduler: Schedule | None = None
    outsider: Outside | None = None
    is_dry_run: bool = False

    @property
    def session(self) -> AsyncSession:
        """The session of the transaction that all inbox rows are in; ``NoSession`` without a database."""
        if self.open_session is None:
            raise NoSession
        return self.open_session

    def of(self, envelope: Envelope[Any]) -> Context:
        """The context of one of the events: what it stages names that event as its cause, and it calls the outside."""
        return Context(
            envelope=envelope,
            deadline=self.deadline,
            open_session=self.open_session,
            stager=self.stager,
            scheduler=self.scheduler,
            outsider=self.outsider,
            is_dry_run=self.is_dry_run,
        )


class Outcome(Enum):
    """How a handled record ended."""

    HANDLED = "handled"
    DUPLICATE = "duplicate"


Handle = Callable[[Context], Awaitable[None]]
BatchHandle = Callable[[BatchContext], Awaitable[None]]


class Effects(Protocol):
    """Runs a handler so that its effects happen once.

    Opens a session and transaction, inserts the inbox row (unless ``inbox`` is false), calls ``handle`` with a Context that holds
    the session, commits. Answers DUPLICATE without a call if the row was there. Raises what the handler or the commit raised.
    """

    async def run(
        self, envelope: Envelope[Any], *, group: str, handle: Handle, deadline: datetime, inbox: bool = True
    ) -> Outcome: ...

    async def run_batch(
        self,
        envelopes: Sequence[Envelope[Any]],
        *,
        group: str,
        handle: BatchHandle,
        deadline: datetime,
        inbox: bool = True,
    ) -> list[Outcome]:
        """The same for several events in one transaction; ``handle`` sees those that are no duplicates, if there are any."""
