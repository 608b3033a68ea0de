"""What ``treaty demo`` shows: a live view on a terminal, a line every five seconds elsewhere, a summary at the end."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from rich.columns import Columns
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from treaty.local.measure import DEAD, HANDLED, PUBLISHED, WAITING, Facts
from treaty.local.shoppers import Tally
from treaty.local.view import STYLE, Row

RATE_OVER = 5
"""Rates are means over so many looks: about five seconds."""


class Rates:
    """Events a second, from successive looks."""

    def __init__(self) -> None:
        self._looks: deque[Facts] = deque(maxlen=RATE_OVER + 1)

    def take(self, facts: Facts) -> None:
        """One more look; the same one twice counts once."""
        if not self._looks or facts.seconds > self._looks[-1].seconds:
            self._looks.append(facts)

    def of(self, metric: str) -> float:
        """A metric's growth a second."""
        if len(self._looks) < 2:
            return 0.0
        first, last = self._looks[0], self._looks[-1]
        return max(0.0, (last.total(metric) - first.total(metric)) / (last.seconds - first.seconds))


def line(facts: Facts, tally: Tally, rates: Rates) -> str:
    """One line for a log."""
    return (
        f"{facts.seconds:4.0f} s  requests {tally.requests} ({tally.refused.total()} refused, {tally.failed.total()} failed)"
        f"  published {facts.total(PUBLISHED)} ({rates.of(PUBLISHED):.1f}/s)"
        f"  handled {facts.total(HANDLED)} ({rates.of(HANDLED):.1f}/s)"
        f"  lag {facts.lag}  dead letters {facts.total(DEAD)}"
        + (f"  last: {facts.effects[-1].text}" if facts.effects else "")
    )


def screen(facts: Facts, *, tally: Tally, rates: Rates, rows: Sequence[Row], page: str) -> RenderableType:
    """The whole live view."""
    head = Text.assemble(
        ("the mall on treaty", "bold"), f"   {clock(facts.seconds)}   send a test event: ", (page, "underline")
    )
    states = Text("  ").join(Text(f"● {row.name}", style=STYLE[row.condition]) for row in rows)
    tables: list[RenderableType] = [flow(facts, rates), lags(facts), calls(tally), ranking(facts)]
    ended = [Text(f"{row.name}: {row.detail}\n{row.tail}", style="red") for row in rows if row.condition == "ended"]
    foot = Text("Ctrl-C ends the demo.", style="dim")
    return Group(head, states, Text(), Columns(tables, padding=(0, 4)), Text(), effects(facts), *ended, foot)


def flow(facts: Facts, rates: Rates) -> Table:
    """How many events were published and handled, in all and a second, and how many wait or died."""
    table = plain("events", "all", "a second")
    table.add_row("published", str(facts.total(PUBLISHED)), f"{rates.of(PUBLISHED):.1f}")
    table.add_row("handled", str(facts.total(HANDLED)), f"{rates.of(HANDLED):.1f}")
    table.add_row("in the outboxes", str(facts.total(WAITING)), "")
    table.add_row("dead letters", str(facts.total(DEAD)), "")
    return table


def lags(facts: Facts) -> Table:
    """How many records each consumer group is behind."""
    table = plain("consumer group", "lag")
    for group, lag in facts.lags.items():
        table.add_row(group, Text(str(lag), style="yellow" if lag else "green"))
    return table


def calls(tally: Tally) -> Table:
    """Requests by kind, refusals by reason, failures in one row."""
    table = plain("requests", "done")
    for kind, count in tally.done.most_common(8):
        table.add_row(kind, str(count))
    for word, count in tally.refused.most_common(3):
        table.add_row(Text(f"refused: {word}", style="dim"), str(count))
    if tally.failed:
        table.add_row(Text("failed", style="red"), str(tally.failed.total()))
    return table


def ranking(facts: Facts) -> Table:
    """The mall's hot goods, the hottest first."""
    table = plain("hot goods", "score")
    for title, score in facts.ranking:
        table.add_row(Text(title[:28]), str(score))
    return table


def effects(facts: Facts) -> Table:
    """What reached people last, the newest first."""
    table = plain("at", "user", "what reached people last")
    for effect in sorted(facts.effects, key=lambda effect: effect.at, reverse=True):
        table.add_row(effect.at, str(effect.user), Text(effect.text[:100]))
    return table


def plain(*columns: str) -> Table:
    """An empty table without lines; numbers are right-aligned."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for number, column in enumerate(columns):
        table.add_column(column, justify="left" if number == 0 or column.startswith("what") else "right")
    return table


def summary(facts: Facts, tally: Tally) -> list[str]:
    """The last lines of a demo."""
    kinds = ", ".join(f"{kind} {count}" for kind, count in tally.done.most_common())
    refused = ", ".join(f"{word} {count}" for word, count in tally.refused.most_common())
    lines = [
        f"{clock(facts.seconds)} of traffic: {tally.requests} requests ({kinds or 'none answered'}).",
        f"Events: {facts.total(PUBLISHED)} published, {facts.total(HANDLED)} handled, {facts.total(DEAD)} dead letters, lag {facts.lag}.",
    ]
    if refused:
        lines.append(f"Refused by the services' own rules: {refused}.")
    if tally.failed:
        lines.append(f"Failed: {tally.failed.total()}; last: {tally.last_fault}.")
    return lines


def clock(seconds: float) -> str:
    """Seconds as ``m:ss``."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"
