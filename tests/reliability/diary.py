"""What a member says of itself: what it saw happen, and on SIGUSR1 where it stands. Read when a run stands still."""

from __future__ import annotations

import asyncio
import faulthandler
import signal
import time
from pathlib import Path
from typing import Any, TextIO

from treaty_runtime import hooks
from treaty_runtime.consume.consumer import Consumer
from treaty_runtime.runtime import Runtime

_TOLD = (hooks.Rebalanced, hooks.OutageBegan, hooks.Recovered, hooks.Throttled, hooks.Quarantined, hooks.CommitFailed)
_LINES = 60


class Diary:
    """One file a life; lines begin with the second of the wall clock, so that those of several members can be laid side by side."""

    def __init__(self, folder: str, life: str) -> None:
        # Open as long as the life: a signal must find it ready.
        self._file: TextIO = Path(folder, f"{life}.diary").open("a", buffering=1, encoding="utf-8")  # noqa: SIM115  # a signal must find it
        self._committed = 0

    def observe(self, event: Any) -> None:
        """An observer of the runtime."""
        if isinstance(event, hooks.Committed):
            self._committed += 1
        elif isinstance(event, _TOLD):
            self._say(f"{event} after {self._committed} commits")

    def answer(self, runtime: Runtime) -> None:
        """From now on SIGUSR1 is answered with the state of each consumer and the stacks of threads and tasks."""
        asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, self._stand, runtime)

    def _stand(self, runtime: Runtime) -> None:
        for consumer in runtime.consumers:
            self._say(_standing(consumer))
        for task in asyncio.all_tasks():
            self._say(f"task {task.get_name()} {task.get_coro()} at {[str(frame) for frame in task.get_stack()]}")
        faulthandler.dump_traceback(self._file, all_threads=True)

    def _say(self, text: str) -> None:
        self._file.write(f"{time.time():.3f} {text}\n")


def told(folder: str) -> list[str]:
    """The last lines of each diary."""
    return [
        f"{path.stem}: {line}"
        for path in sorted(Path(folder).glob("*.diary"))
        for line in path.read_text(encoding="utf-8").splitlines()[-_LINES:]
    ]


def _standing(consumer: Consumer) -> str:
    """What is in the consumer's hands; its private parts too, as nobody else has to see them."""
    partitions = [
        f"{each.partition.partition}: epoch {each.epoch} committed {each.committed} watermark {each.watermark.position} "
        f"works {len(each.works)} in flight {sum(work.in_flight for work in each.works.values())} later {len(each.later)} "
        f"pauses {sorted(each.pauses)} leaving {each.is_leaving} care {each.care}"
        for each in consumer.dispatch.assignments.values()
    ]
    source, commits = consumer._source, consumer._commits
    while inner := getattr(source, "_inner", None):
        source = inner
    parts = vars(source) if source is not None else {}
    names = ("_arrived", "_commands", "_commits", "_assigned", "_polled_at", "_is_closing", "_is_over", "_last_error")
    return (
        f"outage {consumer.dispatch.outage} idle {consumer.is_idle} polled {consumer.poll_age_seconds:.1f} s ago, "
        f"commits {vars(commits) if hasattr(commits, '__dict__') else commits}, "
        f"source { {name: str(parts.get(name))[:300] for name in names} }, partitions {partitions}"
    )
