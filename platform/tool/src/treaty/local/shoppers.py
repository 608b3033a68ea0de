"""Sends the demo's traffic at a steady rate, from a few threads, and counts what came back."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Self

from treaty.local import rest
from treaty.local.keys import Keys
from treaty.local.rest import Answer
from treaty.local.traffic import Call, World, browse, learn, next_call

SHOPPERS = 4


@dataclass(slots=True)
class Tally:
    """What happened so far, by kind of call; ``refused`` by the service's own word, ``failed`` are faults."""

    done: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    last_fault: str = ""

    @property
    def requests(self) -> int:
        """All of them."""
        return self.done.total() + self.refused.total() + self.failed.total()

    def take(self, call: Call, answer: Answer) -> None:
        """Counts one answer."""
        if answer.is_ok:
            self.done[call.kind] += 1
        elif answer.is_refusal:
            self.refused[str(answer.body.get("error", answer.status))] += 1
        else:
            self.failed[call.kind] += 1
            said = answer.body.get("message") or answer.status or "no answer"
            self.last_fault = f"{call.method} {call.path.partition('?')[0]}: {said}"


class Shoppers:
    """A context manager: within, requests are sent by ``SHOPPERS`` at once, each of whom waits for an answer before asking again."""

    def __init__(
        self, *, url: Callable[[str], str], keys: Keys, rng: Random, rate: float, now: Callable[[], datetime]
    ) -> None:
        """``url`` gives a service's address; ``rate`` is the mean number of requests a second."""
        self.world, self.tally = World(), Tally()
        self._url, self._keys, self._rng, self._rate, self._now = url, keys, rng, rate, now
        self._tokens: dict[int, str] = {}
        self._stop = threading.Event()
        self._knowing = threading.Lock()  # around everything that all of them know
        names = [f"shopper-{number}" for number in range(SHOPPERS)]
        self._threads = [threading.Thread(target=self._run, name=name, daemon=True) for name in names]

    def __enter__(self) -> Self:
        self._ask(browse(self._rng))  # what an earlier run left on sale
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """No further request after those that are under way."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def token(self, user: int, *, is_admin: bool = False) -> str:
        """The user's token, made once."""
        if user not in self._tokens:
            self._tokens[user] = self._keys.token(user, now=self._now(), is_admin=is_admin)
        return self._tokens[user]

    def _run(self) -> None:
        while not self._stop.wait(self._pause()):
            with self._knowing:
                call = next_call(self.world, self._rng)
            self._ask(call)

    def _pause(self) -> float:
        with self._knowing:
            return self._rng.expovariate(self._rate / SHOPPERS)

    def _ask(self, call: Call) -> None:
        token = self.token(call.user, is_admin=call.is_admin) if call.user else None
        answer = rest.call(self._url(call.service), call.method, call.path, token=token, body=call.body, key=call.key)
        with self._knowing:
            self.tally.take(call, answer)
            learn(self.world, call, answer)
