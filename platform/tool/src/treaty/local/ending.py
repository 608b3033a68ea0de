"""Signals that ask the supervising command to end become one exception in its main thread."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


class Ending(BaseException):
    """Somebody asked us to end: Ctrl-C, ``treaty down``, or the terminal that went away."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


class AtOnce(Ending):
    """Somebody pressed Ctrl-C again while we were ending: what still runs is killed."""


PERSON_SECONDS = 0.5
"""A Ctrl-C that comes sooner is the one before, told twice: by the terminal to all of us, and by whoever started us."""

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


Pause = Callable[[float], None]
"""Sleeps for so many seconds; raises ``Ending`` if somebody asked us to end."""


class Asked:
    """Whether somebody asked us to end. Python throws away an exception that a signal handler raises inside a callback of its
    own (after a fork, in a finalizer), so whoever waits asks again.
    """

    def __init__(self) -> None:
        self.number: int | None = None
        self.at_once = False

    def check(self) -> None:
        """Raises ``Ending`` if a signal came, ``AtOnce`` if Ctrl-C came again."""
        if self.at_once:
            raise AtOnce(signal.SIGINT)
        if self.number is not None:
            raise Ending(self.number)

    def pause(self, seconds: float) -> None:
        """A ``Pause``."""
        self.check()
        time.sleep(seconds)
        self.check()


@contextmanager
def ended_by_signals(clock: Callable[[], float] = time.monotonic) -> Iterator[Asked]:
    """Within, the first signal raises ``Ending``, and a later Ctrl-C ``AtOnce``, each time, for Python may throw it away. Others are
    ignored after the first, so that the clean end is not cut short by somebody who only repeats it. Whoever hears ``AtOnce`` ignores
    Ctrl-C from there on; after the block it is ignored for good.

    A signal that the caller had us ignore (``nohup``) stays ignored.
    """
    asked = Asked()
    began = 0.0

    def first(number: int, _frame: FrameType | None) -> None:
        nonlocal began
        began = clock()
        for one in before:
            signal.signal(one, again)
        asked.number = number
        raise Ending(number)

    def again(number: int, _frame: FrameType | None) -> None:
        nonlocal began
        if number == signal.SIGINT and clock() - began >= PERSON_SECONDS:
            began = clock()
            asked.at_once = True
            raise AtOnce(number)

    before: dict[int, signal.Handlers | Callable[[int, FrameType | None], object] | int | None]
    before = {one: signal.getsignal(one) for one in SIGNALS if signal.getsignal(one) is not signal.SIG_IGN}
    for one in before:
        signal.signal(one, first)
    try:
        yield asked
    finally:
        for one, handler in before.items():
            is_over = one == signal.SIGINT and (asked.at_once or signal.getsignal(one) is signal.SIG_IGN)
            signal.signal(one, signal.SIG_IGN if is_over else handler)
