"""Everything the runtime raises: each class says whose fault it is and what to do next.

A class docstring is the default sentence. ``Poison`` dead-letters a record at once, ``Outage`` waits for a dependency, all others
are the caller's or the handler's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import ClassVar

LONGEST_WAIT = timedelta(days=7)
"""What a handler may ask for; retry topics keep their records longer."""


class TreatyError(Exception):
    """The treaty runtime could not go on: read the cause below."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message if message is not None else (type(self).__doc__ or "").strip())


class InvalidSettings(TreatyError):
    """Settings cannot be used: correct every fault listed."""

    def __init__(self, faults: Sequence[str]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(self.faults))


class HandlerConflict(TreatyError):
    """Two handlers of one group claim the same event or topic: keep one of them."""


class UnknownTopic(TreatyError):
    """The class belongs to no topic: list it under a topic in topics.toml and run `treaty generate`."""


class UndeclaredTopic(TreatyError):
    """A topic of KAFKA_TOPICS is none of the group's: use a subset of the topics the code declares."""


class DuplicateGroup(TreatyError):
    """Two groups of one runtime have the same name: rename one."""


class NoSession(TreatyError):
    """This handler runs without a database: pass `sessions=` to the Runtime."""


class InvalidKey(TreatyError):
    """A record key has 1 to 512 bytes of UTF-8: pass another `key=`."""


class InvalidHeaders(TreatyError):
    """A header is a name of Unicode text without a zero character, and bytes: pass other `headers=`."""


class QueueFull(TreatyError):
    """The producer's queue is full: await `room()` and produce the same record again."""


class PublishFailed(TreatyError):
    """The broker did not acknowledge the record: `is_retriable` says whether to try again.

    ``failures`` maps the index of each failed event of ``publish_many`` to its reason.
    """

    def __init__(self, reason: str, *, is_retriable: bool, failures: Mapping[int, str] | None = None) -> None:
        self.reason, self.is_retriable, self.failures = reason, is_retriable, dict(failures or {})
        super().__init__(reason)


class SchemaNotRegistered(TreatyError):
    """The schema is not registered: run `treaty registry apply`."""

    def __init__(self, full_name: str, subject: str) -> None:
        self.full_name, self.subject = full_name, subject
        super().__init__(f"{full_name} is not registered under {subject}. Run: treaty registry apply")


class Poison(TreatyError):
    """The record can never be handled: it goes to the dead-letter topic at once. ``reason`` begins ``treaty-reason``."""

    reason: ClassVar[str] = "undecodable"


class NotFramed(Poison):
    """The value has no magic byte 0 and schema id: produce it with a schema-aware client."""


class UnknownSchemaId(Poison):
    """The registry does not know the schema id of the value: register the schema before producing with it."""


class WriterNotAllowed(Poison):
    """The writer's schema belongs to no subject of this topic: declare the event in topics.toml first."""

    reason: ClassVar[str] = "not-allowed"


class Oversize(Poison):
    """The record is larger than the runtime accepts: raise `max_record_bytes` or send less."""

    reason: ClassVar[str] = "oversize"


class Reject(Poison):
    """A handler raises this to say that the event is wrong for good: it is dead-lettered without retries."""

    reason: ClassVar[str] = "rejected"


class Retry(TreatyError):
    """A handler raises this to be called again after ``after``, whatever the schedule says; in a week at the latest."""

    def __init__(self, *, after: timedelta, message: str | None = None) -> None:
        """A longer time counts as a week, a negative one as none. Raises TypeError for what is no ``timedelta``."""
        self.after = min(max(after, timedelta()), LONGEST_WAIT)
        super().__init__(message)


class BatchFailed(TreatyError):
    """A batch handler raises this to name the records at fault; the others run again without them.

    ``failures`` maps the index of each, in the events the handler was called with, to its error.
    """

    def __init__(self, failures: Mapping[int, Exception]) -> None:
        self.failures = dict(failures)
        if not all(isinstance(error, Exception) for error in self.failures.values()):
            raise TypeError("BatchFailed takes an exception for each record at fault: its class decides what follows.")
        named = ", ".join(f"{index}: {error}" for index, error in sorted(self.failures.items()))
        super().__init__(f"{len(self.failures)} records of the batch failed: {named}")


class HandlerTimeout(TreatyError):
    """The handler did not finish in its time: make it faster or raise its `timeout`."""


class HandlerEndedTransaction(TreatyError):
    """A handler's transaction is committed with its event: use begin_nested() for a part that may fail, and raise to undo all."""


class HandlerCancelled(TreatyError):
    """Something that the handler awaited was cancelled: catch its CancelledError, or shield what must go on."""


PROCESS_ENDS = KeyboardInterrupt, SystemExit, GeneratorExit
"""What no handler's failure is: whoever calls it is to end."""


class HandlerBroke(TreatyError):
    """The handler raised what is no Exception, as an extension does that panics: its cause says what."""

    def __init__(self, cause: BaseException) -> None:
        super().__init__(f"{type(cause).__qualname__}: {cause}")
        self.__cause__ = cause


class Conflict(TreatyError):
    """Another transaction won: let transactions take their rows in one order, or keep them shorter."""


class Locked(TreatyError):
    """Somebody keeps a lock that the handler needs: only its key waits for it; see `pg_locks` for who keeps it."""


class TransactionAborted(TreatyError):
    """The database gave the transaction up at an error that was caught: put what may fail into `session.begin_nested()`."""


class Outage(TreatyError):
    """A dependency is away: records wait, none is dead-lettered. ``dependency`` names it (`database`, `kafka`, `redis`)."""

    def __init__(self, message: str | None = None, *, dependency: str) -> None:
        self.dependency = dependency
        super().__init__(message)


class RegistryUnavailable(Outage):
    """No schema registry answered: only the records that need it wait; check SCHEMA_REGISTRY_URL."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message if message is not None else type(self).__doc__, dependency="registry")


class TablesMissing(TreatyError):
    """The runtime's tables are not in this database: call `database.create(engine)` or apply `database.sql(dialect)`."""


class LayoutDiffers(TreatyError):
    """The runtime's tables are of another layout: apply `database.sql(dialect, since=…)`."""


class LaneCountDiffers(TreatyError):
    """The outbox was created with another number of lanes: use that number, since keys would change their lane."""


class InvalidJob(TreatyError):
    """A job needs a queue of 1 to 128, an id of 1 to 255 characters, an aware due time of any zone, and at most 64 kB of payload."""


class IncompleteSaga(TreatyError):
    """The table of a saga has gaps: decide each pair of a state and an event."""


class UnknownSagaState(TreatyError):
    """The row of a saga has a state that the table does not know: deploy the release that wrote it."""
