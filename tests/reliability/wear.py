"""The whole company at steady work, nobody killed: after an hour every process has the memory and descriptors of the first minutes,
no outbox fills, and answers come as soon as before. What grew is told by `trends`; what was seen is left in looks.json.
"""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from tests.e2e.company import Company
from tests.e2e.load import Load
from tests.e2e.topics import ends
from tests.parts.waiting import wait_until
from tests.reliability import trends, witness
from tests.reliability.asking import Asking, plain_server
from tests.reliability.outcome import Outcome
from tests.reliability.repeats import arrivals
from tests.reliability.told import Telling
from tests.reliability.trends import PLAIN, Looks, Rows, Size
from treaty.local.shoppers import Shoppers

ORDERS = "order"
STORES = frozenset({"kafka", "redis"})
OUTBOXES = ("order", "goods", "chat", "user", "payment", "notification")
WARM_SHARE, WARM_SECONDS = 0.25, 600.0
"""What the beginning does to a process is not judged: a quarter of the time, ten minutes at most."""
FEWEST_LOOKS = 12
GOODS, PIECES, BUYERS, PAUSE_SECONDS = 3, 100_000, 1, 0.25
_TIMES = 20
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@dataclass(slots=True)
class Wear:
    """``seconds`` of traffic at ``rate`` requests each; everything is looked at ``every`` so many seconds."""

    company: Company
    seconds: float
    every: float
    seed: int
    rate: float = 3.0
    patience: float = 600.0
    looks: Looks = field(default_factory=Looks)
    _began: float = field(default_factory=time.monotonic)
    _chance: Random = field(init=False)
    _wrong: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """The dice of the run."""
        self._chance = Random(self.seed)

    def run(self) -> Outcome:
        """The whole run."""
        dead = ends(self.company, *self._dead_letter_topics())
        load = Load(self.company, goods=GOODS, pieces=PIECES, buyers=BUYERS, rng=self._chance)
        shoppers = Shoppers(
            url=self.company.url, keys=self.company.keys, rng=Random(self._chance.random()), rate=self.rate,
            now=lambda: datetime.now(UTC),
        )  # fmt: skip
        with plain_server(self.company.layout.folder, dict(os.environ)) as plain:
            asking = Asking(self.company, self.looks, plain=plain, pace=PAUSE_SECONDS, clock=self._clock)
            began = self._clock()
            with shoppers, load, asking:
                self._look_on(began + self.seconds)
        seen = {"sizes": self.looks.sizes, "rows": self.looks.rows, "answers": self.looks.answers}
        (self.company.layout.root / "looks.json").write_text(json.dumps(seen))
        warm = began + min(WARM_SECONDS, self.seconds * WARM_SHARE)
        self._wrong += [*load.faults, *asking.faults, *trends.faults(self.looks.since(warm), stores=STORES)]
        self._end(dead)
        return self._judged(shoppers, self.looks.since(warm))

    def _look_on(self, end: float) -> None:
        looks = 0
        while self._clock() < end or looks < FEWEST_LOOKS:
            time.sleep(self.every)  # the pace of the looks; nothing is waited for
            self._look()
            looks += 1

    def _look(self) -> None:
        for part in self.company.stack.parts:
            if part.process.is_alive:
                self.looks.sizes[part.name].append(size_of(part.process.pid, at=self._clock()))
            else:
                ended = f"{part.name} ended by itself: {part.process.tail(3)}"
                self._wrong += [ended] * (ended not in self._wrong)
        for service in OUTBOXES:
            waiting = self.company.rows(service, "SELECT count(*) FROM outbox")[0][0]
            self.looks.rows[service].append(Rows(self._clock(), waiting))

    def _clock(self) -> float:
        return time.monotonic() - self._began

    def _end(self, dead: dict[tuple[str, int], int]) -> None:
        try:
            self.company.settle(self.patience)
            self._rest()
        except AssertionError:
            self._wrong.append(f"no-progress: behind {self.company.behind()}")
        if ends(self.company, *self._dead_letter_topics()) != dead:
            self._wrong.append("dead letters")

    def _rest(self) -> None:
        """Orders that nobody pays are cancelled half an hour later, also while everything is counted: their service ends before."""
        for _ in range(_TIMES):
            self.company.stop(ORDERS)
            wait_until(lambda: not [name for name in self.company.behind() if ORDERS not in name], self.patience)
            if not self.company.behind():
                return
            self.company.start(ORDERS)  # one was cancelled at the last moment: it is told, and answered
            self.company.settle(self.patience)
        self._wrong.append(f"no-progress: after {_TIMES} ends of {ORDERS} still behind {self.company.behind()}")

    def _dead_letter_topics(self) -> list[str]:
        return [f"dlq.{name}" for name in self.company.layout.services]

    def _judged(self, shoppers: Shoppers, looks: Looks) -> Outcome:
        telling = Telling(self.company)
        mailed = {name for name, _ in arrivals(self.company.layout.mail)}
        seconds = self._clock()
        return Outcome(
            run="wear" if self.company.layout.database == "sqlite" else f"wear on {self.company.layout.database}",
            faults=f"steady work of {len(looks.sizes)} processes",
            records=telling.records,
            seed=self.seed,
            seconds=seconds,
            wrong=[*self._wrong, *witness.faults(self.company, telling, mailed=mailed)],
            seen={"requests": shoppers.tally.requests, **figures(looks)},
        )


def figures(looks: Looks) -> dict[str, int]:
    """What the page tells: how often was looked, what grew most, how full an outbox was, and how slow each kind of answers became."""
    memory = {name: trends.memory_trend(sizes) for name, sizes in looks.sizes.items() if name not in STORES}
    descriptors = {name: trends.descriptor_trend(sizes) for name, sizes in looks.sizes.items()}
    thirsty, greedy = max(memory, key=memory.__getitem__), max(descriptors, key=descriptors.__getitem__)
    plain = looks.answers[PLAIN]
    return {
        "looks at each": max(map(len, looks.sizes.values())),
        f"kB in ten minutes at most ({thirsty})": round(memory[thirsty] / 1024),
        f"descriptors in ten minutes at most ({greedy})": round(descriptors[greedy]),
        "rows in an outbox at most": max(look.waiting for found in looks.rows.values() for look in found),
        **{
            f"% drift of the slowest hundredth of {kind} ({1000 * trends.slowest(answers):.0f} ms)": round(
                100 * trends.drift(answers, plain)
            )
            for kind, answers in looks.answers.items()
            if kind != PLAIN
        },
    }


def size_of(pid: int, *, at: float) -> Size:
    """What a process has in memory, and how many descriptors are open. Source: proc(5)."""
    process = Path("/proc") / str(pid)
    pages = int((process / "statm").read_text(encoding="ascii").split()[1])
    return Size(at, pages * _PAGE_BYTES, len(list((process / "fd").iterdir())))
