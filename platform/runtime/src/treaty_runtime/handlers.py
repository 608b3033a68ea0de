"""What a group does with events: functions registered for classes, whole topics or raw records, and the group's policy."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any, Literal, Protocol, TypeVar, cast

from treaty_runtime.classify import Rule, outages
from treaty_runtime.errors import HandlerConflict, InvalidSettings, UnknownTopic
from treaty_runtime.event import BatchContext, Context, Envelope, Event, Record
from treaty_runtime.limits import Limits, OnFailure
from treaty_runtime.retry import RetryPolicy

HANDLER_SECONDS = 60
BATCH_SIZE, BATCH_LIMIT = 500, 5_000
"""Inbox rows are written by one statement; databases limit its parameters, five a row (SQLite: 32,766)."""

E_contra = TypeVar("E_contra", bound=Event, contravariant=True)
E = TypeVar("E", bound=Event)

Call = Callable[[Any, Any], Awaitable[None]]


class EventHandler(Protocol[E_contra]):
    """A coroutine function that takes an event and its context."""

    async def __call__(self, event: E_contra, context: Context, /) -> None: ...


class BatchHandler(Protocol[E_contra]):
    """A coroutine function that takes several events and what concerns all of them."""

    async def __call__(self, events: Sequence[E_contra], context: BatchContext, /) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Handler:
    """A registered function. ``takes`` says what it is called with: the event, its envelope, or the raw record."""

    call: Call
    takes: Literal["event", "envelope", "record", "batch"]
    external: bool = False
    on_failure: OnFailure = "skip"
    timeout: timedelta = timedelta(seconds=HANDLER_SECONDS)
    inbox: bool = True
    size: int = 1
    within: timedelta = timedelta(0)

    @property
    def name(self) -> str:
        """`module.function`, for headers and metrics."""
        return f"{getattr(self.call, '__module__', '?')}.{getattr(self.call, '__qualname__', type(self.call).__qualname__)}"

    def bind(self, envelope: Envelope[Any]) -> Callable[[Context], Awaitable[None]]:
        """The function with what it takes; it only lacks the context."""
        return partial(self.call, envelope if self.takes == "envelope" else envelope.event)


class Handlers:
    """The registry of one group's functions, filled by decorators at import. One function per class or topic."""

    def __init__(self) -> None:
        self._events: dict[type[Event], Handler] = {}
        self._any: dict[str, Handler] = {}
        self._raw: dict[str, Handler] = {}

    def on(
        self,
        event: type[E],
        *,
        external: bool = False,
        on_failure: OnFailure = "skip",
        timeout: timedelta = timedelta(seconds=HANDLER_SECONDS),
        inbox: bool = True,
    ) -> Callable[[EventHandler[E]], EventHandler[E]]:
        """Registers a function for one class. A second one is a ``HandlerConflict``.

        ``external``: it acts outside the database (mail, HTTP), so replays leave it out. ``inbox=False``: it dedupes itself.
        ``on_failure``: later records of the key go on (``skip``), wait in memory (``block``), or follow the failed one into a table of
        the service's database (``hold_key``), where each runs as the head of its key.
        """

        def register(function: EventHandler[E]) -> EventHandler[E]:
            if not event.__topic__:
                raise UnknownTopic(f"{event.__avro_fullname__} belongs to no topic: list it in topics.toml.")
            handler = Handler(
                call=function, takes="event", external=external, on_failure=on_failure, timeout=timeout, inbox=inbox
            )
            claimed: type[Event] = event
            _claim(self._events, claimed, handler, event.__avro_fullname__)
            return function

        return register

    def batch(
        self,
        event: type[E],
        *,
        size: int = BATCH_SIZE,
        within: timedelta = timedelta(seconds=1),
        external: bool = False,
        on_failure: OnFailure = "skip",
        timeout: timedelta = timedelta(seconds=HANDLER_SECONDS),
        inbox: bool = True,
    ) -> Callable[[BatchHandler[E]], BatchHandler[E]]:
        """Registers a function for up to ``size`` events of one class at once, waiting up to ``within`` for them to come.

        All are handled in one transaction, no two of one key. If it raises ``BatchFailed``, the named events take the schedule
        alone and the others run again; after any other error the halves run apart, down to the event at fault.
        """

        def register(function: BatchHandler[E]) -> BatchHandler[E]:
            if not event.__topic__:
                raise UnknownTopic(f"{event.__avro_fullname__} belongs to no topic: list it in topics.toml.")
            if not 1 <= size <= BATCH_LIMIT:
                raise InvalidSettings([f"{event.__avro_fullname__}: the size of a batch is 1 to {BATCH_LIMIT}."])
            handler = Handler(
                call=cast(Call, function), takes="batch", external=external, on_failure=on_failure,
                timeout=timeout, inbox=inbox, size=size, within=within,
            )  # fmt: skip
            claimed: type[Event] = event
            _claim(self._events, claimed, handler, event.__avro_fullname__)
            return function

        return register

    def any(
        self,
        topic: str,
        *,
        external: bool = False,
        on_failure: OnFailure = "skip",
        timeout: timedelta = timedelta(seconds=HANDLER_SECONDS),
    ) -> Callable[[Call], Call]:
        """Registers a function for the envelopes of every class of a topic that has no function of its own."""

        def register(function: Callable[[Envelope[Any], Context], Awaitable[None]]) -> Call:
            handler = Handler(
                call=function, takes="envelope", external=external, on_failure=on_failure, timeout=timeout
            )
            _claim(self._any, topic, handler, topic)
            return function

        return register

    def raw(
        self,
        topic: str,
        *,
        external: bool = False,
        on_failure: OnFailure = "skip",
        timeout: timedelta = timedelta(seconds=HANDLER_SECONDS),
    ) -> Callable[[Callable[[Record, Context], Awaitable[None]]], Callable[[Record, Context], Awaitable[None]]]:
        """Registers a function for the bytes of a topic, tombstones too; nothing is decoded."""

        def register(
            function: Callable[[Record, Context], Awaitable[None]],
        ) -> Callable[[Record, Context], Awaitable[None]]:
            handler = Handler(call=function, takes="record", external=external, on_failure=on_failure, timeout=timeout)
            _claim(self._raw, topic, handler, topic)
            return function

        return register

    @property
    def events(self) -> Mapping[type[Event], Handler]:
        """Classes with a function."""
        return self._events

    @property
    def topics(self) -> frozenset[str]:
        """Every topic that a function is for."""
        return frozenset({event.__topic__ for event in self._events} | self._any.keys() | self._raw.keys())

    @property
    def raws(self) -> Mapping[str, Handler]:
        """Topics whose bytes have a function."""
        return self._raw

    @property
    def holds_keys(self) -> bool:
        """Whether a function wants the later records of a failed one's key to wait in a table."""
        every = (*self._events.values(), *self._any.values(), *self._raw.values())
        return any(handler.on_failure == "hold_key" for handler in every)

    def any_for(self, topic: str) -> Handler | None:
        """The function for otherwise unhandled classes of a topic."""
        return self._any.get(topic)


Key = TypeVar("Key")


def _claim(table: dict[Key, Handler], key: Key, handler: Handler, name: str) -> None:
    if _is_plain(handler.call):  # it would run, and then fail at each attempt for want of something to await
        raise InvalidSettings([f"{handler.name} is no coroutine function: write `async def`."])
    if key in table:
        raise HandlerConflict(
            f"{name} has two handlers: {table[key].name} and {handler.name}. Keep one, or use two groups."
        )
    table[key] = handler


def _is_plain(call: Callable[..., Any]) -> bool:
    """Whether it is a function that answers nothing to await. Of an object that can be called nobody knows before it is."""
    while isinstance(call, partial):
        call = call.func
    call = inspect.unwrap(call)
    return (inspect.isfunction(call) or inspect.ismethod(call)) and not inspect.iscoroutinefunction(call)


@dataclass(frozen=True, slots=True)
class Group:
    """A consumer group of a service: its functions, its topics (default: those of the functions) and its policy.

    ``order="partition"`` makes one lane per partition. ``transaction_size``: so many waiting events, of different keys, share a
    transaction; after a failure the one at fault takes the schedule alone. ``has_retry_topics=False`` (groups of one process): every
    failure blocks its lane. ``rules`` classify exceptions before the runtime's own; ``outages`` are classes that mean a dependency is
    away.
    """

    name: str
    handlers: Handlers
    _: KW_ONLY
    dead_letter: str
    topics: tuple[str, ...] = ()
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    workers: int = 32
    order: Literal["key", "partition"] = "key"
    transaction_size: int = 1
    tombstones: Literal["skip", "dead_letter"] = "skip"
    has_retry_topics: bool = True
    outages: tuple[type[Exception], ...] = ()
    rules: tuple[Rule, ...] = ()
    drain: timedelta = timedelta(seconds=10)
    limits: Limits = field(default_factory=Limits)

    def __post_init__(self) -> None:
        """Refuses a group that could never handle anything."""
        if not self.handlers.topics:
            raise InvalidSettings([f"Group {self.name} has no handler: register one with @handlers.on(...)."])
        if self.workers < 1:
            raise InvalidSettings([f"Group {self.name}: workers is at least 1, not {self.workers}."])
        if not 1 <= self.transaction_size <= BATCH_LIMIT:
            raise InvalidSettings([f"Group {self.name}: transaction_size is 1 to {BATCH_LIMIT}."])

    @property
    def database_needs(self) -> tuple[str, ...]:
        """What is wrong with it in a service without a database."""
        needs = {"transaction_size": self.transaction_size > 1, "hold_key": self.handlers.holds_keys}
        return tuple(
            f"Group {self.name}: {need} needs a database, pass sessions= to the Runtime."
            for need, is_wanted in needs.items()
            if is_wanted
        )

    @property
    def sources(self) -> tuple[str, ...]:
        """The topics whose events the group handles."""
        return self.topics or tuple(sorted(self.handlers.topics))

    @property
    def every_rule(self) -> tuple[Rule, ...]:
        """``rules``, and that of ``outages``."""
        return (*self.rules, outages(*self.outages))

    @property
    def retry_topics(self) -> tuple[str, ...]:
        """The group's own retry topics."""
        return self.retry.topics(self.name) if self.has_retry_topics else ()

    @property
    def subscription(self) -> tuple[str, ...]:
        """Everything the group reads."""
        return (*self.sources, *self.retry_topics)
