"""A bar for work that lasts: on a person's terminal, on stderr, after a second, and gone when the work is done.

Logs get nothing, and data on stdout is never touched: what a command prints while it works is said ``aside``.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from treaty.cli.language import chosen
from treaty.cli.talk import is_terminal, may_be_colored

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

AFTER_SECONDS: Final = 1.0
"""Work that is over sooner needs no bar, and would only flicker."""


class Bar:
    """One work. It is told how far the work is from any thread."""

    def __init__(self, words: str, *, is_colored: bool = False) -> None:
        self._words, self._is_colored = words, is_colored
        self._lock = threading.RLock()
        self._done: tuple[int, int | None] = (0, None)
        self._shown: tuple[Progress, TaskID] | None = None
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._wait, name="bar", daemon=True)

    def told(self, done: int, total: int) -> None:
        """``done`` of ``total`` are done: a ``treaty.ops.progress.Progress``."""
        with self._lock:
            self._done = (done, total)
            if self._shown is not None:
                bar, task = self._shown
                bar.update(task, completed=done, total=total)

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Within, the terminal is free for lines of the command's own."""
        with self._lock:
            bar = self._shown[0] if self._shown is not None else None
            if bar is None:
                yield
                return
            bar.stop()
            try:
                yield
            finally:
                bar.start()

    def start(self) -> None:
        """From now on the time counts."""
        self._thread.start()

    def end(self) -> None:
        """The work is over, or failed: the bar goes."""
        self._is_over.set()
        try:
            self._thread.join()
        finally:  # also for who presses Ctrl-C just now: else the terminal would be without a cursor
            if self._shown is not None:
                self._shown[0].stop()

    def _wait(self) -> None:
        if self._is_over.wait(AFTER_SECONDS):
            return
        bar = made(is_colored=self._is_colored)
        with self._lock:
            if not self._is_over.is_set():
                done, total = self._done
                self._shown = bar, bar.add_task(self._words, completed=done, total=total)
                bar.start()


@contextmanager
def working(words: str) -> Iterator[Bar]:
    """A bar with these words while what is within lasts; they are said in the language that was asked for."""
    if not is_watched(is_terminal(sys.stderr), os.environ):
        yield Bar(words)  # which nobody starts, so it is never shown
        return
    bar = Bar(chosen().say(words), is_colored=may_be_colored())
    bar.start()
    try:
        yield bar
    finally:
        bar.end()


def is_watched(is_on_terminal: bool, env: Mapping[str, str]) -> bool:
    """Whether somebody sees what is drawn over itself: some runners of workflows give their logs a terminal."""
    return is_on_terminal and env.get("TERM") != "dumb" and env.get("CI", "").lower() not in {"1", "true"}


def made(*, is_colored: bool) -> Progress:
    """The bar itself; imported late, for who waits a second anyway. It leaves stdout and stderr as they are."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    return Progress(
        SpinnerColumn("line"),  # letters that every terminal has
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(file=sys.stderr, no_color=None if is_colored else True),
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    )
