"""The whole company under the demo's traffic and buyers who insist; every few seconds one of its services is killed and started again.

Law: what must hold at every moment (stock, money) is looked at all along, the rest when nothing is left to do.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random

from sqlalchemy.exc import OperationalError

from tests.e2e.books import money_faults, stock_faults, unended
from tests.e2e.company import Company
from tests.e2e.load import Load
from tests.e2e.market import registered
from tests.e2e.topics import ends
from tests.parts.waiting import wait_until
from tests.reliability import witness
from tests.reliability.outcome import Outcome
from tests.reliability.told import Telling
from treaty.local.shoppers import Shoppers

LOOK_SECONDS = 0.5
GOODS, PIECES, BUYERS = 6, 10_000, 2
ON_THEIR_WAY = 32
"""Mails that the group sends side by side (``Group.workers``): a death between sending and noting sends each of them once more."""
ENDED_SECONDS = 600.0
"""A payment that nobody answered is given up after five minutes; a refund that was refused is tried again each minute."""


@dataclass(slots=True)
class CompanyKills:
    """``seconds`` of traffic at ``rate`` requests each, in which a random service dies ``every`` so many seconds."""

    company: Company
    seconds: float
    every: float
    seed: int
    rate: float = 6.0
    patience: float = 600.0
    _chance: Random = field(init=False)
    _killed: Counter[str] = field(default_factory=Counter)
    _looks: int = 0
    _wrong: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """The dice of the run."""
        self._chance = Random(self.seed)

    def run(self) -> Outcome:
        """The whole run."""
        began = time.monotonic()
        dead = ends(self.company, *self._dead_letter_topics())
        load = Load(
            self.company, goods=GOODS, pieces=PIECES, buyers=BUYERS, rng=self._chance,
            new_user=lambda: registered(self.company, locale="en")[0],
        )  # fmt: skip
        shoppers = Shoppers(
            url=self.company.url, keys=self.company.keys, rng=Random(self._chance.random()), rate=self.rate,
            now=lambda: datetime.now(UTC),
        )  # fmt: skip
        over = threading.Event()
        looking = threading.Thread(target=self._look, args=(over,), daemon=True)
        with shoppers, load:
            looking.start()
            self._kill()
        self._end()
        over.set()
        looking.join()
        self._wrong += load.faults
        if ends(self.company, *self._dead_letter_topics()) != dead:
            self._wrong.append("dead letters")
        return self._judged(shoppers, load, time.monotonic() - began)

    def _kill(self) -> None:
        end = time.monotonic() + self.seconds
        services = self.company.layout.services
        while time.monotonic() + self.every < end:
            time.sleep(self.every)  # the pace of the faults; nothing is waited for
            victim = self._chance.choice(services)
            if not self.company.is_alive(victim):
                self._wrong.append(f"{victim} ended by itself: {self.company.part(victim).process.tail(3)}")
            self.company.kill(victim)
            self.company.start(victim)
            self._killed[victim] += 1
        time.sleep(max(0.0, end - time.monotonic()))

    def _end(self) -> None:
        """Waits until nothing is left to do, or says what is."""
        try:
            self.company.settle(self.patience)
            wait_until(lambda: not unended(self.company), ENDED_SECONDS)
            self.company.settle(self.patience)
        except AssertionError:
            unwell = [name for name in self.company.layout.services if not self.company.is_well(name)]
            left = f"unwell {unwell}, behind {self.company.behind()}, payments not ended {unended(self.company)}"
            self._wrong.append(f"no-progress: {left}")

    def _look(self, over: threading.Event) -> None:
        """Stock and money, all along; one fault is told once."""
        seen: set[str] = set()
        while not over.wait(LOOK_SECONDS):
            try:
                found = {*money_faults(self.company), *stock_faults(self.company)}
            except OperationalError:  # a table is being opened by a service that was just killed
                continue
            self._looks += 1
            self._wrong += sorted(found - seen)
            seen |= found

    def _dead_letter_topics(self) -> list[str]:
        return [f"dlq.{name}" for name in self.company.layout.services]

    def _judged(self, shoppers: Shoppers, load: Load, seconds: float) -> Outcome:
        mails = witness.mails(self.company)
        telling = Telling(self.company)
        wrong = [*self._wrong, *witness.faults(self.company, telling, mailed=mails)]
        again = mails.total() - len(mails)
        deaths = self._killed["notification"]
        if again > deaths * ON_THEIR_WAY or max(mails.values(), default=0) > 1 + deaths:
            wrong.append(f"mails: {again} sent again, {deaths} deaths")
        placed = {row.id for row in self.company.rows("order", "SELECT id FROM orders")}
        if lost := set(load.keys.values()) - placed:
            wrong.append(f"lost-write: {len(lost)} answered orders are not there")
        tally = shoppers.tally
        return Outcome(
            run="company",
            faults=f"{self._killed.total()} SIGKILLs of {len(self.company.layout.services)} services",
            records=telling.records,
            seed=self.seed,
            seconds=seconds,
            wrong=wrong,
            seen={
                "orders": len(placed),
                "looks at stock and money": self._looks,
                "requests": tally.requests,
                "of them without an answer": tally.failed.total(),
                "notices": self.company.rows("notification", "SELECT count(*) FROM notification")[0][0],
                "events sent twice or more": telling.copies,
                "mails": len(mails),
                "mails sent again": again,
            },
        )
