"""People who do things side by side, each in a thread of its own; what ends one of them is told."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import ParamSpec, Self

P = ParamSpec("P")


class Crowd:
    """A context manager: within, everybody who has joined lives. ``faults``: a sentence for each who could not go on, and what they add."""

    def __init__(self) -> None:
        self.faults: list[str] = []
        self._over = threading.Event()
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def joins(self, live: Callable[P, None], *args: P.args, **kwargs: P.kwargs) -> None:
        """One more, before they start: lives until ``goes_on`` says no."""

        def guarded() -> None:
            try:
                live(*args, **kwargs)
            except AssertionError as fault:
                self.faults.append(str(fault) or repr(fault))
            except Exception as fault:  # noqa: BLE001  # the thread would end, and nobody would know that one is missing
                self.faults.append(f"{live.__name__}: {fault!r}")

        self._threads.append(threading.Thread(target=guarded, daemon=True))

    def goes_on(self, seconds: float) -> bool:
        """Whether it goes on after a pause, which the end cuts short."""
        return not self._over.wait(seconds)

    def pause(self, seconds: float) -> None:
        """Let them go on for so long."""
        self._over.wait(seconds)
