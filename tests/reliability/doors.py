"""Failpoints at the doors: every statement, every call of Kafka, of Redis and of the registry, before it and after it.

A library of the outside world has one door, so nobody has to remember a line in the code for each call: a call that is written tomorrow
passes here too. What passes is found by looking, and each point can be struck: the process is killed there, or the call fails there
once: before, so that nothing was done, or after, so that it was done and nobody learns of it. Or it is stopped there, and goes on when
it is told to, as a zombie that knows nothing of the time between.
"""

from __future__ import annotations

import os
import re
import signal
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Literal

import httpx
import psycopg
import redis.asyncio
import redis.exceptions
from sqlalchemy import Engine, event
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.exc import OperationalError

from tests.reliability import clients, operators
from treaty_runtime import admin as cluster
from treaty_runtime.kafka import groups, lane, log
from treaty_runtime.kafka import producer as producing
from treaty_runtime.kafka import source as reading

_OBJECT = re.compile(r"\b(?:INTO|UPDATE|FROM|TABLE|FUNCTION|NOTIFY|LISTEN)\s+\"?(\w+)", re.IGNORECASE)


Mode = Literal["kill", "stop"]
_SIGNALS = {"kill": signal.SIGKILL, "stop": signal.SIGSTOP}


@dataclass(slots=True)
class Doors:
    """What passed is in the file ``seen``, a line for each point. At ``strikes`` it dies, or stops; ``fails`` lets each fail once.

    A process that follows another with the same file goes on where that one was: what failed there does not fail again.
    """

    seen: Path
    strikes: str = ""
    mode: Mode = "kill"
    fails: bool = False
    of: str = ""
    """What stands before the names of all points."""
    _known: set[str] = field(default_factory=set)

    def passed(self) -> list[str]:
        """Every point that was passed."""
        return self.seen.read_text(encoding="utf-8").splitlines() if self.seen.exists() else []

    def cross(self, call: str, side: str, fault: clients.Fault | None = None) -> None:
        """A call begins, or has ended."""
        point = f"{side} {self.of}{call}"
        if point in self._known:
            return
        self._known.add(point)
        with self.seen.open("a", encoding="utf-8") as file:
            file.write(f"{point}\n")
        if point == self.strikes:
            os.kill(os.getpid(), _SIGNALS[self.mode])
        if self.fails and fault is not None:
            raise fault()

    def watch(self) -> None:
        """Puts itself into every door of this process, a service, for good."""
        self._watch_database()
        self._watch_kafka()
        self._watch_redis()
        self._watch_registry()

    def watch_command(self) -> None:
        """Puts itself into the doors of an operator's command."""
        self._known.update(self.passed())
        self._watch_database()
        admin, consumer = operators.admin(self.cross), operators.consumer(self.cross)
        for door in (cluster, groups, log):
            _replace(door, AdminClient=admin, Consumer=consumer)
        _replace(log, Producer=operators.producer(self.cross))

    def _watch_database(self) -> None:
        def before(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
            self.cross(named(statement), "before", partial(_gone, statement))

        def after(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
            self.cross(named(statement), "after", partial(_gone, statement))

        event.listen(Engine, "before_cursor_execute", before)
        event.listen(Engine, "after_cursor_execute", after)
        commit: Any = DefaultDialect.do_commit

        def watched(dialect: DefaultDialect, connection: Any) -> None:
            self.cross("COMMIT", "before", partial(_cut, connection))
            commit(dialect, connection)
            self.cross("COMMIT", "after", partial(_cut, connection))

        _replace(DefaultDialect, do_commit=watched)

    def _watch_kafka(self) -> None:
        _replace(producing, Client=clients.producer(self.cross))
        _replace(reading, Consumer=clients.consumer(self.cross))
        _replace(lane, Client=clients.lane(self.cross), Consumer=clients.marks(self.cross))

    def _watch_redis(self) -> None:
        execute: Any = redis.asyncio.Redis.execute_command

        async def watched(client: Any, *words: Any, **options: Any) -> Any:
            call = f"Redis {words[0]}" if words[0] != "EVALSHA" else f"Redis script {words[1][:6]}"
            self.cross(call, "before", _redis_gone)
            answer = await execute(client, *words, **options)
            self.cross(call, "after", _redis_gone)
            return answer

        _replace(redis.asyncio.Redis, execute_command=watched)

    def _watch_registry(self) -> None:
        request = httpx.AsyncClient.request

        async def watched(client: httpx.AsyncClient, method: str, url: Any, **options: Any) -> httpx.Response:
            path = httpx.URL(url).path.split("/")
            call = f"registry {method} {'/'.join(path[:3] if path[1] == 'schemas' else path[:2])}"
            self.cross(call, "before", partial(httpx.ConnectError, "Planted."))
            answer = await request(client, method, url, **options)
            self.cross(call, "after", partial(httpx.ReadError, "Planted."))
            return answer

        _replace(httpx.AsyncClient, request=watched)


def _replace(door: Any, **parts: Any) -> None:
    for name, part in parts.items():
        setattr(door, name, part)


def named(statement: str) -> str:
    """A statement's verb and table: `DELETE outbox`."""
    verb = statement.split(maxsplit=1)[0].upper()
    found = _OBJECT.search(statement)
    return f"{verb} {found[1]}" if found else verb


def _gone(statement: str) -> Exception:
    return OperationalError(statement, None, psycopg.OperationalError("Planted: the connection broke."))


def _cut(connection: Any) -> Exception:
    """The connection is really gone: a COMMIT that only failed would leave its transaction to whoever gets the connection next."""
    connection.driver_connection.pgconn.finish()
    return psycopg.OperationalError("Planted: the connection broke.")


def _redis_gone() -> Exception:
    return redis.exceptions.ConnectionError("Planted.")
