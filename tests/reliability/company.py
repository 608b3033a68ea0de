"""The whole company under the demo's traffic and buyers who insist; every few seconds one of its services is killed and started again.

Law: what must hold at every moment (stock, money) is looked at all along, the rest when nothing is left to do.
"""

from __future__ import annotations

import time
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import ceil
from random import Random

from tests.e2e.books import money_faults, stock_faults, unended
from tests.e2e.company import Company
from tests.e2e.load import Load
from tests.e2e.looking import Looking
from tests.e2e.market import registered
from tests.e2e.topics import ends
from tests.parts.waiting import wait_until
from tests.reliability import witness
from tests.reliability.outcome import Outcome
from tests.reliability.repeats import arrivals, repeat_faults
from tests.reliability.told import Telling
from treaty.local.shoppers import Shoppers

LOOK_SECONDS = 0.5
GOODS, PIECES, BUYERS = 6, 10_000, 2
LOOK_AT_LEAST = 20.0
"""There must be a look in so many seconds of traffic: a busy machine makes far fewer than two in one."""
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
    _killed: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
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
        with Looking(self._seen_wrong, every=LOOK_SECONDS) as looking:
            with shoppers, load:
                self._kill()
            self._end()
        self._wrong += [*looking.faults(least=ceil(self.seconds / LOOK_AT_LEAST)), *load.faults]
        if ends(self.company, *self._dead_letter_topics()) != dead:
            self._wrong.append("dead letters")
        return self._judged(shoppers, load, looking.looks, time.monotonic() - began)

    def _kill(self) -> None:
        end = time.monotonic() + self.seconds
        services = self.company.layout.services
        while time.monotonic() + self.every < end:
            time.sleep(self.every)  # the pace of the faults; nothing is waited for
            victim = self._chance.choice(services)
            if not self.company.is_alive(victim):
                self._wrong.append(f"{victim} ended by itself: {self.company.part(victim).process.tail(3)}")
            self._killed[victim].append(time.time())  # the clock of the mails' files
            self.company.kill(victim)
            self.company.start(victim)
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

    def _seen_wrong(self) -> list[str]:
        """What is wrong with stock and money at this moment."""
        return [*money_faults(self.company), *stock_faults(self.company)]

    def _dead_letter_topics(self) -> list[str]:
        return [f"dlq.{name}" for name in self.company.layout.services]

    def _judged(self, shoppers: Shoppers, load: Load, looks: int, seconds: float) -> Outcome:
        came = arrivals(self.company.layout.mail)
        mails = {name for name, _ in came}
        telling = Telling(self.company)
        wrong = [*self._wrong, *witness.faults(self.company, telling, mailed=mails)]
        wrong += repeat_faults(came, deaths=self._killed["notification"])
        placed = {row.id for row in self.company.rows("order", "SELECT id FROM orders")}
        if lost := set(load.keys.values()) - placed:
            wrong.append(f"lost-write: {len(lost)} answered orders are not there")
        tally = shoppers.tally
        return Outcome(
            run="company",
            faults=f"{sum(map(len, self._killed.values()))} SIGKILLs of {len(self.company.layout.services)} services",
            records=telling.records,
            seed=self.seed,
            seconds=seconds,
            wrong=wrong,
            seen={
                "orders": len(placed),
                "looks at stock and money": looks,
                "requests": tally.requests,
                "of them without an answer": tally.failed.total(),
                "notices": self.company.rows("notification", "SELECT count(*) FROM notification")[0][0],
                "events sent twice or more": telling.copies,
                "mails": len(mails),
                "mails sent again": len(came) - len(mails),
            },
        )
