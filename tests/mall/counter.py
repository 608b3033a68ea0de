"""The customer's side of a service under test: a clock, tokens, a desk on a real database, an HTTP client."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID, uuid4

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from fastapi import APIRouter, FastAPI
from sqlalchemy import MetaData
from sqlalchemy import event as sql_event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry

from mall.database import Database, open_database
from mall.identity import Identities
from mall.web import application
from mall.work import Desk
from tests.parts.waiting import DEADLINE
from treaty_runtime.event import Context, Envelope, Event, Place
from treaty_runtime.handlers import Handlers
from treaty_runtime.job import Job

E = TypeVar("E")


@dataclass
class Clock:
    """A time that stands still until it is moved."""

    time: datetime = datetime(2026, 3, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.time

    def move(self, **by: float) -> None:
        """Move on by the parts of a timedelta."""
        self.time += timedelta(**by)


class Tokens:
    """Makes tokens as the user service does."""

    def __init__(self, private_key: Ed25519PrivateKey) -> None:
        self._key = private_key
        self.public_pem = private_key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def of(self, user_id: int, *, admin: bool = False, **claims: object) -> dict[str, str]:
        """The Authorization header of a user."""
        expires = datetime.now(UTC) + timedelta(hours=1)
        payload = {"sub": str(user_id), "admin": admin, "exp": expires, **claims}
        return {"Authorization": f"Bearer {jwt.encode(payload, self._key, algorithm='EdDSA')}"}


@dataclass
class Told:
    """Takes the place of the outbox and the delay queue: keeps what was staged and scheduled, in order."""

    events: list[Event] = field(default_factory=list)
    jobs: list[Job] = field(default_factory=list)

    def stage(self, session: Any, event: Event, **given: Any) -> UUID:  # noqa: ARG002  # the protocol's
        """Keep the event."""
        self.events.append(event)
        return given.get("event_id") or uuid4()

    def schedule(self, session: Any, job: Job, **_: Any) -> None:  # noqa: ARG002  # the protocol's
        """Keep the job."""
        self.jobs.append(job)

    def of(self, kind: type[E]) -> list[E]:
        """The events of one class."""
        return [event for event in self.events if isinstance(event, kind)]

    def names(self) -> list[str]:
        """The classes of the events, in order."""
        return [type(event).__name__ for event in self.events]


@dataclass(frozen=True)
class Counter:
    """A service without Kafka: its database, what it told, its application and a client of it."""

    desk: Desk
    database: Database
    told: Told
    app: FastAPI
    client: httpx.AsyncClient
    tokens: Tokens

    async def call(self, method: str, path: str, *, user: int | None = None, admin: bool = False, **rest: Any) -> Any:
        """The answer of a request as a user: the response itself, JSON in `.json()`."""
        headers = {**(self.tokens.of(user, admin=admin) if user else {}), **rest.pop("headers", {})}
        return await self.client.request(method, path, headers=headers, **rest)

    async def handle(self, handlers: Handlers, event: Event, *, event_id: UUID | None = None, attempt: int = 1) -> None:
        """Give an event to its handler, in a transaction of its own."""
        delivered = envelope(event, event_id=event_id or uuid4(), attempt=attempt)
        async with (
            self.database.sessions() as session
        ):  # not begun by us: a handler may commit in between, as in the runtime
            context = Context(
                envelope=delivered,
                deadline=self.desk.now() + timedelta(minutes=1),
                open_session=session,
                stager=self.told.stage,
                scheduler=self.told.schedule,
            )
            await handlers.events[type(event)].call(event, context)
            await session.commit()


def envelope(event: Event, *, event_id: UUID, attempt: int = 1) -> Envelope[Any]:
    """An envelope as the consumer would make it."""
    time: datetime = event.event_time  # type: ignore[attr-defined]  # every event of the mall has it
    place = Place(event.__topic__, 0, 0)
    return Envelope(
        event=event,
        id=event_id,
        type=event.__event_type__,
        source="/mall/test",
        time=time,
        subject="test",
        key=b"test",
        correlation_id=event_id,
        causation_id=None,
        place=place,
        origin=place,
        timestamp=time,
        schema_id=1,
        headers={},
        attempt=attempt,
    )


def _wait_long(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    """A service is refused after five seconds in which others write; a dozen at once may need more on a busy machine."""
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={DEADLINE * 1_000:.0f}")
    cursor.close()


@asynccontextmanager
async def opened(
    service: str,
    url: str,
    *,
    metadata: MetaData,
    routers: Sequence[APIRouter],
    clock: Clock,
    tokens: Tokens,
    larger_bodies: Mapping[str, int] | None = None,
) -> AsyncIterator[Counter]:
    """A counter of `service` on the database at `url`."""
    database, told = open_database(service, url), Told()
    if database.engine.dialect.name == "sqlite":
        sql_event.listen(database.engine.sync_engine, "connect", _wait_long)
    await database.create(metadata)
    desk = Desk(
        sessions=database.sessions, readers=database.readers, stage=told.stage, schedule=told.schedule, now=clock
    )
    app = application(service, identities=Identities(tokens.public_pem), routers=routers, larger_bodies=larger_bodies)
    app.state.desk = desk
    # Handlers of the application answer errors; what they do not know is to fail the test.
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=True)
    async with httpx.AsyncClient(transport=transport, base_url="http://mall.test") as client:
        yield Counter(desk, database, told, app, client, tokens)
    await database.engine.dispose()
