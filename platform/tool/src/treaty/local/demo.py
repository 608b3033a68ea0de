"""The demo: a started stack, steady traffic through the services' REST APIs, and somebody who watches."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from random import Random

from rich.live import Live

from treaty.local import live
from treaty.local.ending import Pause
from treaty.local.errors import StartFailed
from treaty.local.keys import keys_in
from treaty.local.live import Rates
from treaty.local.measure import WAITING, Meter
from treaty.local.shoppers import Shoppers
from treaty.local.stack import Stack
from treaty.local.view import View
from treaty_codegen import Catalog

LINE_SECONDS = 5.0
TICK_SECONDS = 0.5
QUIET_SECONDS = 30.0
PAGE_SERVICE = "order"
DRIVEN = frozenset({"goods", "order", "chat"})
"""The services that the traffic goes to; ``--without`` one of them means that its developer runs it on the same port."""


class Demo:
    """One run of the demo on a started stack."""

    def __init__(
        self,
        catalog: Catalog,
        *,
        rng: Random,
        rate: float,
        seconds: float | None,
        now: Callable[[], datetime],
        show_page: Callable[[str], bool],
    ) -> None:
        """``rate``: requests a second; ``seconds`` None: until somebody ends it; ``show_page`` opens the quick-test page."""
        self._catalog, self._rng, self._rate, self._seconds, self._now = catalog, rng, rate, seconds, now
        self._show_page = show_page

    def run(self, stack: Stack, view: View, pause: Pause) -> None:
        """Traffic and view until the time is over or a signal comes; the summary in any case."""
        require_services(stack)
        layout, rates = stack.layout, Rates()
        shoppers = Shoppers(
            url=layout.service_url, keys=keys_in(layout.keys), rng=self._rng, rate=self._rate, now=self._now
        )  # fmt: skip
        page = f"{layout.service_url(PAGE_SERVICE)}/quick-test" if PAGE_SERVICE in layout.services else ""
        view.table(stack.rows)
        view.say(f"Quick test page: {page}" if page else "No service serves the quick test page.")
        view.say("`treaty fault`, in another terminal, plants something to find and mend.")
        if page:
            self._show_page(page)
        with Meter(layout, catalog=self._catalog, shoppers=shoppers, now=self._now) as meter, shoppers:
            try:
                watch = self._on_terminal if view.console.is_terminal else self._in_lines
                watch(stack, view, self._ticks(pause), meter=meter, shoppers=shoppers, rates=rates, page=page)
                shoppers.stop()
                self._wait_for_quiet(meter, pause)
            finally:
                for sentence in live.summary(meter.facts, shoppers.tally):
                    view.say(sentence)

    def _on_terminal(
        self, stack: Stack, view: View, ticks: Ticks, *, meter: Meter, shoppers: Shoppers, rates: Rates, page: str
    ) -> None:
        with Live(console=view.console, auto_refresh=False, transient=True) as shown:
            for _ in ticks:
                stack.look()
                rates.take(meter.facts)
                shown.update(
                    live.screen(meter.facts, tally=shoppers.tally, rates=rates, rows=stack.rows, page=page),
                    refresh=True,
                )

    def _in_lines(
        self, stack: Stack, view: View, ticks: Ticks, *, meter: Meter, shoppers: Shoppers, rates: Rates, page: str
    ) -> None:
        del page  # it was said
        last = 0.0
        for passed in ticks:
            stack.look()
            rates.take(meter.facts)
            if passed - last >= LINE_SECONDS:
                last = passed
                view.say(live.line(meter.facts, shoppers.tally, rates))

    def _ticks(self, pause: Pause) -> Ticks:
        return Ticks(pause, seconds=self._seconds)

    def _wait_for_quiet(self, meter: Meter, pause: Pause) -> None:
        """Until every event has been handled, so that the summary's lag is that of a quiet system."""
        deadline, before = time.monotonic() + QUIET_SECONDS, meter.facts
        while time.monotonic() < deadline:
            facts = meter.facts
            is_quiet = facts.lags and facts.lag == 0 and facts.total(WAITING) == 0
            if facts.seconds > before.seconds and is_quiet:
                return
            pause(0.2)


def require_services(stack: Stack) -> None:
    """Raises ``StartFailed`` when a service that the traffic goes to did not come up: its last lines were shown."""
    down = [row.name for row in stack.rows if row.name in DRIVEN and row.condition != "ready"]
    if down:
        step = f"read {stack.layout.log(down[0])}"
        raise StartFailed(f"The demo cannot trade without {', '.join(down)}.", next_step=step)


class Ticks:
    """Seconds passed, every half second, until ``seconds`` are over (None: for ever)."""

    def __init__(self, pause: Pause, *, seconds: float | None) -> None:
        self._pause, self._seconds, self._began = pause, seconds, time.monotonic()

    def __iter__(self) -> Ticks:
        return self

    def __next__(self) -> float:
        self._pause(TICK_SECONDS)
        passed = time.monotonic() - self._began
        if self._seconds is not None and passed >= self._seconds:
            raise StopIteration
        return passed
