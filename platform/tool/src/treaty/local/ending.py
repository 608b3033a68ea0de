"""Signals that ask the supervising command to end become one exception in its main thread."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Ending(BaseException):
    """Somebody asked us to end: Ctrl-C, ``treaty down``, or the terminal that went away."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """Within, the first signal raises ``Ending``; later ones are ignored, so that the clean end is not cut short.

    A signal that the caller had us ignore (``nohup``) stays ignored.
    """

    def first(number: int, _frame: FrameType | None) -> None:
        for one in before:
            signal.signal(one, signal.SIG_IGN)
        raise Ending(number)

    before = {one: signal.getsignal(one) for one in SIGNALS if signal.getsignal(one) is not signal.SIG_IGN}
    for one in before:
        signal.signal(one, first)
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
