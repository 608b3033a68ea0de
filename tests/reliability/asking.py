"""Somebody who asks the company the same few things again and again and looks at the clock."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx

from tests.e2e.company import ANSWER_SECONDS, ROOT, Company
from tests.e2e.crowd import Crowd
from tests.e2e.market import conversation, goods_on_sale, known_to
from tests.parts.waiting import wait_until
from tests.reliability.trends import PLAIN, Answer, Looks
from treaty.local.ports import LOOPBACK, free_port
from treaty.local.process import Process


class Asking(Crowd):
    """Within, a goods page is read, a message written and the plain server asked, then again after ``pace`` seconds."""

    def __init__(self, company: Company, looks: Looks, *, plain: str, pace: float, clock: Callable[[], float]) -> None:
        """``plain``: where the plain server is; ``clock``: seconds of the run."""
        super().__init__()
        self._company, self._looks, self._plain, self._clock = company, looks, plain, clock
        self._pace = pace
        self._buyer, seller = company.new_user(), company.new_user()
        self._goods = goods_on_sale(company, seller, title="A lamp that is looked at")
        known_to(company, "chat", self._goods)
        self._talk = conversation(company, self._buyer, self._goods)
        self.joins(self._live)

    def _live(self) -> None:
        number = 0
        while self.goes_on(self._pace):
            number += 1
            self._timed("reading", self._read)
            self._timed("writing", lambda number=number: self._write(number))  # type: ignore[misc]  # binds the loop's value
            self._timed(PLAIN, lambda: httpx.get(self._plain, timeout=ANSWER_SECONDS))

    def _timed(self, kind: str, ask: Callable[[], httpx.Response]) -> None:
        at, began = self._clock(), time.perf_counter()
        answer = ask()
        self._looks.answers[kind].append(Answer(at, time.perf_counter() - began))
        assert answer.is_success, f"{kind}: {answer.status_code} {answer.text}"

    def _read(self) -> httpx.Response:
        return self._company.call("goods", "GET", f"/api/v1/goods/{self._goods}", user=self._buyer)

    def _write(self, number: int) -> httpx.Response:
        path = f"/api/v1/conversations/{self._talk}/messages"
        key = {"Idempotency-Key": f"asking-{self._talk}-{number}"}
        return self._company.call("chat", "POST", path, user=self._buyer, headers=key, json={"text": f"{number}?"})


@contextmanager
def plain_server(folder: Path, env: dict[str, str]) -> Iterator[str]:
    """A plain server with its row in the folder; answers its address."""
    port = free_port()
    argv = [sys.executable, "-m", "tests.reliability.plain_server", str(port), str(folder / "plain.db")]
    process = Process(argv, name="plain", log=folder / "plain.log", env=env, folder=ROOT)
    address = f"http://{LOOPBACK}:{port}/"

    def answers() -> bool:
        with suppress(httpx.TransportError):
            return httpx.get(address, timeout=ANSWER_SECONDS).is_success
        return False

    try:
        wait_until(answers)
        yield address
    finally:
        process.kill()
