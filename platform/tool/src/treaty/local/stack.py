"""The local stack: what runs, in which order, until when.

Laws. 1. Whatever was started is stopped, however far the start came. 2. Servers first, then what git says about them (topics,
schemas), then services; stopped the other way round. 3. A part that ends while starting ends the whole; a service that ends later is shown.
"""

from __future__ import annotations

import contextlib
import shutil
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from treaty.config import Settings
from treaty.local import services
from treaty.local.ending import AtOnce, Ending, Pause
from treaty.local.errors import NoSpace, NotEnded, StartFailed
from treaty.local.govern import govern_schemas, govern_topics
from treaty.local.guard import Guard
from treaty.local.java import find_java
from treaty.local.kafka import Kafka
from treaty.local.keys import keys_in
from treaty.local.layout import Layout
from treaty.local.machine import Machine
from treaty.local.part import Part
from treaty.local.ports import require_free
from treaty.local.postgres import Postgres
from treaty.local.program import PATIENCE_SECONDS, Program
from treaty.local.redis import Redis
from treaty.local.state import Running, State, StateFile
from treaty.local.training import training
from treaty.local.view import Row, View

SERVER_SECONDS = 300.0  # without one nothing else starts; one that ends is seen at once
SERVICE_SECONDS = 90.0
FREE_BYTES = 400_000_000
"""Kafka's segments and indexes, the jars, logs: below this something fails half-way, with a worse message."""


class Stack:
    """The parts of one layout, and how they are. It waits by ``pause``, which may raise ``Ending``."""

    def __init__(
        self, layout: Layout, *, machine: Machine, guard: Guard, view: View, pause: Pause = time.sleep
    ) -> None:
        self.layout, self._machine, self._guard, self._view = layout, machine, guard, view
        self._pause = pause
        keys = keys_in(layout.keys)
        self.servers = self._servers()
        self.services = [
            services.service(name, layout, machine=machine, keys=keys, guard=guard) for name in layout.services
        ]
        self._rows = {part.name: Row(name=part.name, address=part.address) for part in self.parts}
        self._launched: list[Part] = []

    @property
    def parts(self) -> list[Part]:
        """Everything, in the order of the start."""
        return [*self.servers, *self.services]

    @property
    def rows(self) -> list[Row]:
        """How every part is, as last looked at."""
        return list(self._rows.values())

    def start(self, settings: Settings, *, file: StateFile, state: State) -> None:
        """Starts everything and waits; ``StartFailed`` when a server does not come up, or a service ends instead."""
        self._launch(self.servers, file, state)
        self._wait(self.servers, seconds=SERVER_SECONDS)
        topics, schemas = govern_topics(settings, self.layout), govern_schemas(settings, self.layout)
        self._view.say(f"{'topics':13} {'ready':8} {topics} changes; schemas: {schemas} changes")
        self._launch(self.services, file, state)
        self._wait(self.services, seconds=SERVICE_SECONDS)
        self._require_living_services()

    def _require_living_services(self) -> None:
        ended = [part.name for part in self.services if not part.process.is_alive]
        if ended:
            step = f"read {self.layout.log(ended[0])}, or run the others alone: --without {ended[0]}"
            raise StartFailed(f"{', '.join(ended)} ended while starting.", next_step=step)

    def look(self) -> bool:
        """Looks at every part once more; True when one has ended since."""
        before = [row.condition for row in self.rows]
        for part in self._launched:
            if not part.process.is_alive:
                self._ended(part)
        return before != [row.condition for row in self.rows]

    def stop(self) -> None:
        """Ends all services together, then the servers, the last started first."""
        started = set(map(id, self._launched))
        running = [part for part in self.services if id(part) in started]
        for service in running:
            service.process.ask_to_stop()
        deadline = time.monotonic() + PATIENCE_SECONDS  # one for all: they were asked together
        for service in reversed(running):
            service.stop(seconds=max(0.0, deadline - time.monotonic()))
        for part in reversed([part for part in self.servers if id(part) in started]):
            with contextlib.suppress(StartFailed):
                part.stop()

    def kill(self) -> list[str]:
        """Kills what still runs, also what an ended part left behind; the names of all parts that were killed, the one too whose end
        was being waited for. Kafka and the databases are made for it: the next start mends their files.
        """
        for part in reversed(self._launched):
            part.process.kill()
        return [part.name for part in reversed(self._launched) if part.process.returncode == -signal.SIGKILL]

    def require_ended(self) -> None:
        """Raises ``NotEnded`` with the names of what lives although it was killed."""
        alive = [part for part in self._launched if part.process.is_alive]
        if alive:
            names = ", ".join(f"{part.name} (process {part.process.pid})" for part in alive)
            step = f"see what the kernel waits for: ps -o pid,stat,wchan -p {alive[0].process.pid}"
            raise NotEnded(f"Killed, and not ended yet: {names}.", next_step=step)

    def _servers(self) -> list[Part]:
        layout, machine, guard = self.layout, self._machine, self._guard
        ports, data = layout.ports, layout.data
        made: list[Part] = [
            Kafka(data / "kafka", machine=machine, port=ports["kafka"], log=layout.log("kafka"), guard=guard, progress=self._view.progress),
            services.registry(layout, machine=machine, guard=guard),
            Redis(data / "redis", machine=machine, port=ports["redis"], log=layout.log("redis"), guard=guard),
            services.mail_sink(layout, machine=machine, guard=guard),
        ]  # fmt: skip
        if layout.database == "postgres":
            log = layout.log("postgres")
            made.append(Postgres(data / "postgres", machine=machine, port=ports["postgres"], log=log, guard=guard))
        return made

    def _launch(self, parts: Sequence[Part], file: StateFile, state: State) -> None:
        for part in parts:
            self._set(part, Row(name=part.name, address=part.address, condition="starting"))
            require_free_port(self.layout, part.name)  # once more: servers take seconds, in which somebody may come
            part.launch()
            self._launched.append(part)
            file.write(state.with_parts([running(one) for one in self._launched]))

    def _wait(self, parts: Sequence[Part], *, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        pending = list(parts)
        while pending:
            for part in list(pending):
                if not part.process.is_alive:
                    self._failed(part)
                    pending.remove(part)
                elif answers(part):
                    note = part.note if isinstance(part, Program) else ""
                    self._set(part, Row(name=part.name, address=part.address, condition="ready", detail=note))
                    pending.remove(part)
            if pending and time.monotonic() > deadline:
                for part in pending:
                    self._late(part, seconds=seconds)
                return
            self._pause(0.05)

    def _late(self, part: Part, *, seconds: float) -> None:
        says = part.complaint() if isinstance(part, Program) else ""
        detail = f"not ready after {seconds:.0f} s{': ' if says else ''}{says}"
        self._set(part, Row(name=part.name, address=part.address, condition="starting", detail=detail))
        if part in self.servers:
            raise StartFailed(f"{part.name} was {detail}.\n{part.process.tail()}", next_step=f"read {part.log}")
        self._view.say(f"{part.name:13} {detail}\n{part.process.tail()}")

    def _ended(self, part: Part) -> None:
        detail, tail = f"status {part.process.returncode}", f"  {part.log}\n{part.process.tail()}"
        row = Row(name=part.name, address=part.address, condition="ended", detail=detail, tail=tail)
        self._set(part, row)

    def _failed(self, part: Part) -> None:
        self._ended(part)
        if part in self.servers:
            raise StartFailed(
                f"{part.name} ended with status {part.process.returncode} while starting.", next_step=f"read {part.log}"
            )

    def _set(self, part: Part, row: Row) -> None:
        self._rows[part.name] = row
        self._view.changed(row)


def answers(part: Part) -> bool:
    """Whether the part is ready now; a refused connection is a "not yet"."""
    try:
        return part.is_ready()
    except OSError:
        return False


def running(part: Part) -> Running:
    """A part as the state file remembers it."""
    process = part.process
    return Running(name=part.name, pid=process.pid, began=process.identity, address=part.address, log=str(part.log))


def check(layout: Layout, machine: Machine) -> None:
    """What would stop the start half-way is said before it: ``NoJava``, ``PortBusy``, ``NoSpace``."""
    find_java(machine)
    for name in layout.names():
        require_free_port(layout, name)
    for folder in (layout.folder, machine.cache):
        folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(folder).free
        if free < FREE_BYTES:
            raise NoSpace(
                f"Only {free // 1_000_000} MB are free in {folder}; the stack needs {FREE_BYTES // 1_000_000} MB."
            )


def require_free_port(layout: Layout, name: str) -> None:
    """Raises ``PortBusy`` when somebody else listens where ``name`` should."""
    require_free(layout.ports[name], name=name, option=f"--port {name}=<number>")


def put_old_logs_aside(layout: Layout) -> None:
    """Each run begins its logs anew, so that "the last lines" are this run's; those of the run before are kept."""
    for log in (layout.folder / "logs").glob("*.log"):
        log.replace(log.with_suffix(".previous"))


@contextmanager
def ended(stack: Stack, view: View) -> Iterator[None]:
    """Stops the stack at the end, whatever ends it. Ctrl-C while it stops, the second one or the first, has what is left killed;
    who hammers on it then still hears what that was. Raises ``NotEnded``.
    """
    try:
        try:
            yield
        finally:
            if not isinstance(sys.exception(), AtOnce):
                view.say("Stopping; Ctrl-C now kills what does not end.")
                stop(stack)
    except AtOnce:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        if killed := stack.kill():
            view.say(f"Killed: {', '.join(killed)}.")
        raise
    finally:
        stack.require_ended()


def stop(stack: Stack) -> None:
    """A clean end, though somebody asks for it while it is under way. Raises ``AtOnce`` for Ctrl-C."""
    try:
        stack.stop()
    except Ending as asked:
        if asked.number == signal.SIGINT:
            raise AtOnce(asked.number) from None
        stack.stop()


@contextmanager
def running_stack(
    layout: Layout,
    *,
    settings: Settings,
    machine: Machine,
    view: View,
    fresh: bool = False,
    pause: Pause = time.sleep,
) -> Iterator[Stack]:
    """A started stack within; everything is stopped at the end, whatever ends it.

    ``fresh``: data of earlier runs are removed first. The start waits by ``pause``. Raises the faults of ``treaty.local.errors``.
    """
    file = StateFile(layout.folder)
    with file.supervise() as state:
        check(layout, machine)
        if fresh:
            shutil.rmtree(layout.data, ignore_errors=True)
        put_old_logs_aside(layout)
        guard = Guard()
        try:
            stack = Stack(layout, machine=machine, guard=guard, view=view, pause=pause)
            with ended(stack, view):
                stack.start(settings, file=file, state=state)
                with training(layout, machine=machine, guard=guard):
                    yield stack
        finally:
            guard.close()
