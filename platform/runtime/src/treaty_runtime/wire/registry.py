"""The schema registry as a client sees it: looks up, never registers, keeps what it learned.

An answer that is no answer (5xx, time-out, refusal, 401, 403, HTML) is an outage, never a verdict about a record. Each address is
tried three times, then the next. Equal questions in flight are asked once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any, TypeVar
from urllib.parse import quote

import httpx

from treaty_avro import Schema, SchemaError, parse
from treaty_runtime.errors import RegistryUnavailable, SchemaNotRegistered, UnknownSchemaId
from treaty_runtime.event import Event, published_text

K = TypeVar("K")
T = TypeVar("T")

KEPT_SCHEMAS = 4_096
_TRIES = 3
_PAUSE_SECONDS = 0.3  # three tries end within two seconds
_TIMEOUT = httpx.Timeout(2.0, connect=1.0)
_ASK_AGAIN_SECONDS = 0.5  # a schema may be registered on another node a moment ago
_FORGET_SECONDS = 10.0
_NOT_FOUND = 404
_MEDIA_TYPE = "application/vnd.schemaregistry.v1+json"


@dataclass(frozen=True, slots=True)
class LiveVersion:
    """A version of a subject that is not deleted."""

    subject: str
    version: int
    schema_id: int
    schema: Schema


class RegistryClient:
    """Answers ``Schemas`` from any Confluent-compatible registry. ``user`` is `name:password` or None."""

    def __init__(
        self,
        urls: Iterable[str],
        *,
        user: str | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self.urls = tuple(url.rstrip("/") for url in urls)
        name, _, password = (user or "").partition(":")
        self._http = httpx.AsyncClient(
            auth=httpx.BasicAuth(name, password) if user else None,
            transport=transport,
            timeout=_TIMEOUT,
            follow_redirects=False,
            headers={"Accept": f"{_MEDIA_TYPE}, application/json"},
        )
        self._sleep, self._clock = sleep, clock
        self._ids: dict[type[Event], int] = {}
        self._schemas: dict[int, Schema] = {}
        self._subjects: dict[int, tuple[float, frozenset[str]]] = {}
        self._subjects_anew: dict[tuple[int, str], tuple[float, frozenset[str]]] = {}
        self._unknown: dict[int, float] = {}
        self._asking: dict[object, asyncio.Task[Any]] = {}

    async def close(self) -> None:
        """Ends the connections and the questions in flight."""
        for task in tuple(self._asking.values()):
            task.cancel()
        await self._http.aclose()

    async def id_of(self, event: type[Event]) -> int:
        """Schema id of the class's text under its subject, kept for ever; ``SchemaNotRegistered`` if it has none."""
        if event not in self._ids:
            self._ids[event] = await self._joined(event, lambda: self._look_up(event))
        return self._ids[event]

    async def writer(self, schema_id: int) -> Schema:
        """The schema of an id, references resolved; ``UnknownSchemaId`` if asked twice in vain (remembered 10 s)."""
        known = self._schemas.get(schema_id)
        if known is not None:
            return known
        schema: Schema = await self._joined(("schema", schema_id), lambda: self._fetch_schema(schema_id))
        return schema

    async def subjects(self, schema_id: int) -> frozenset[str]:
        """Subjects that ever had this id, deleted ones too; asked again after 10 s, as subjects come."""
        asked, known = self._subjects.get(schema_id, (0.0, None))
        if known is not None and self._clock() - asked < _FORGET_SECONDS:
            return known
        names: frozenset[str] = await self._joined(("subjects", schema_id), lambda: self._fetch_subjects(schema_id))
        _put(self._subjects, schema_id, (self._clock(), names))
        return names

    async def subjects_anew(self, schema_id: int, *, topic: str) -> frozenset[str]:
        """The same, asked half a second later whatever is known: the id may just have come to a subject of the topic.

        Remembered 10 s for this topic alone: a record of the id on another one, where it does not belong, says nothing about this one.
        """
        asked, known = self._subjects_anew.get((schema_id, topic), (0.0, None))
        if known is not None and self._clock() - asked < _FORGET_SECONDS:
            return known
        names: frozenset[str] = await self._joined(("anew", schema_id, topic), lambda: self._fetch_later(schema_id))
        _put(self._subjects, schema_id, (self._clock(), names))
        _put(self._subjects_anew, (schema_id, topic), (self._clock(), names))
        return names

    async def live_versions(self, subject: str) -> list[LiveVersion]:
        """Every version of a subject that is not deleted, oldest first; none if the subject does not exist."""
        path = f"/subjects/{quote(subject, safe='')}/versions"
        numbers = await self._json("GET", path)
        found = []
        for number in numbers or ():
            body = await self._json("GET", f"{path}/{int(number)}")
            if body is not None:
                schema_id = int(body["id"])
                found.append(LiveVersion(subject, int(number), schema_id, await self.writer(schema_id)))
        return found

    async def _look_up(self, event: type[Event]) -> int:
        path = f"/subjects/{quote(event.__subject__, safe='')}"
        body = await self._json("POST", path, json={"schema": published_text(event), "schemaType": "AVRO"})
        if body is None:
            raise SchemaNotRegistered(event.__avro_fullname__, event.__subject__)
        return int(body["id"])

    async def _fetch_schema(self, schema_id: int) -> Schema:
        remembered = self._unknown.get(schema_id)
        if remembered is not None and self._clock() - remembered < _FORGET_SECONDS:
            raise UnknownSchemaId(f"The registry does not know schema id {schema_id}.")
        body = await self._json("GET", f"/schemas/ids/{schema_id}")
        if body is None:
            await self._sleep(_ASK_AGAIN_SECONDS)
            body = await self._json("GET", f"/schemas/ids/{schema_id}")
        if body is None:
            _put(self._unknown, schema_id, self._clock())
            raise UnknownSchemaId(f"The registry does not know schema id {schema_id}.")
        if body.get("references"):
            body = await self._json("GET", f"/schemas/ids/{schema_id}?format=resolved") or body
        return self._keep(schema_id, body)

    def _keep(self, schema_id: int, body: dict[str, Any]) -> Schema:
        try:
            schema = parse(str(body["schema"]), rules="stored", path=f"schema id {schema_id}")
        except (SchemaError, KeyError) as error:
            raise UnknownSchemaId(f"Schema id {schema_id} is no Avro schema: {error}") from error
        _put(self._schemas, schema_id, schema)
        return schema

    async def _fetch_subjects(self, schema_id: int) -> frozenset[str]:
        body = await self._json("GET", f"/schemas/ids/{schema_id}/versions?deleted=true")
        return frozenset(str(each["subject"]) for each in body or ())

    async def _fetch_later(self, schema_id: int) -> frozenset[str]:
        await self._sleep(_ASK_AGAIN_SECONDS)
        return await self._fetch_subjects(schema_id)

    async def _json(self, method: str, path: str, *, json: object = None) -> Any:
        """The answer's JSON; None for 404. ``RegistryUnavailable`` when no address gives a real answer."""
        faults: list[str] = []
        for url in self.urls:
            for attempt in range(_TRIES):
                if attempt:
                    await self._sleep(_PAUSE_SECONDS)
                try:
                    return _read(await self._http.request(method, url + path, json=json))
                except (httpx.HTTPError, httpx.InvalidURL, _NoAnswer) as fault:
                    faults.append(str(fault) or type(fault).__name__)
                    if isinstance(fault, _NoAnswer) and fault.is_settled:
                        break
        raise RegistryUnavailable(f"No schema registry answered: {_distinct(faults)}. Check SCHEMA_REGISTRY_URL.")

    async def _joined(self, question: object, ask: Callable[[], Awaitable[T]]) -> T:
        """Asks unless the same question is already on its way; a waiter that is cancelled does not cancel the others'."""
        task = self._asking.get(question)
        if task is None:
            task = asyncio.ensure_future(_as_coroutine(ask))
            self._asking[question] = task
            task.add_done_callback(lambda done: self._answered(question, done))
        answer: T = await asyncio.shield(task)
        return answer

    def _answered(self, question: object, task: asyncio.Task[Any]) -> None:
        self._asking.pop(question, None)
        if not task.cancelled():
            task.exception()  # read once, or asyncio complains when every waiter was cancelled


class _NoAnswer(Exception):
    """The registry answered with something that says nothing about schemas."""

    def __init__(self, text: str, *, is_settled: bool = False) -> None:
        self.is_settled = is_settled
        super().__init__(text)


def _read(response: httpx.Response) -> Any:
    status = response.status_code
    if status in {401, 403}:
        raise _NoAnswer(f"HTTP {status}: the registry refuses this user", is_settled=True)
    try:
        body = response.json()
    except ValueError:
        raise _NoAnswer(f"HTTP {status} without JSON") from None
    if status == _NOT_FOUND and isinstance(body, dict) and "error_code" in body:
        return None
    if not response.is_success:
        raise _NoAnswer(f"HTTP {status}")
    return body


def _put(kept: dict[K, T], key: K, what: T) -> None:
    """Keeps it, and forgets what was put first where ids are many: any record may name one."""
    kept.pop(key, None)
    while len(kept) >= KEPT_SCHEMAS:
        kept.pop(next(iter(kept)))
    kept[key] = what


async def _as_coroutine(ask: Callable[[], Awaitable[T]]) -> T:
    return await ask()


def _distinct(faults: Sequence[str]) -> str:
    return "; ".join(dict.fromkeys(faults))
