"""What ``treaty up`` shows while it works: lines where there is no terminal, and one table of names, addresses and states."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from rich.console import Console
from rich.table import Table
from rich.text import Text

Condition = Literal["waiting", "starting", "ready", "ended"]
STYLE = {"waiting": "dim", "starting": "yellow", "ready": "green", "ended": "bold red"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One part as people see it; ``detail`` is what it says about itself, ``tail`` its last log lines when it ended."""

    name: str
    address: str
    condition: Condition = "waiting"
    detail: str = ""
    tail: str = ""


class View:
    """Writes to one console. A terminal that went away is no reason to stop: its errors are dropped."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._shown: dict[str, Row] = {}

    def say(self, sentence: str) -> None:
        """One line."""
        with contextlib.suppress(OSError):
            self.console.print(Text(sentence))

    def progress(self, done: int, everything: int) -> None:
        """Bytes of a download; drawn over itself, and only on a terminal."""
        if self.console.is_terminal:
            with contextlib.suppress(OSError):
                end = "\n" if done >= everything else "\r"
                self.console.print(
                    f"Kafka's jars: {done / 1e6:5.1f} of {everything / 1e6:.1f} MB", end=end, markup=False
                )

    def changed(self, row: Row) -> None:
        """Says it when the condition of a part is another than before."""
        before = self._shown.get(row.name)
        if before is None or before.condition != row.condition:
            self._shown[row.name] = row
            if row.condition in ("ready", "ended"):
                self.say(f"{row.name:13} {row.condition:8} {row.address}  {row.detail}".rstrip())
            if row.tail:
                self.say(row.tail)

    def table(self, rows: Sequence[Row]) -> None:
        """All parts."""
        with contextlib.suppress(OSError):
            self.console.print(table_of(rows))


def table_of(rows: Sequence[Row]) -> Table:
    """Names, addresses, states."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("name", "address", "state"):
        table.add_column(column, no_wrap=column == "name")
    for row in rows:
        state = Text(row.condition, style=STYLE[row.condition])
        if row.detail:
            state.append(f"  {row.detail}", style="dim")
        table.add_row(Text(row.name), Text(row.address), state)
    return table
