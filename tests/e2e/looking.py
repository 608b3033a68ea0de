"""What must be so at every moment is looked at all along, in a thread of its own; a look that cannot be had is not passed over."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Self

from sqlalchemy.exc import OperationalError


class Looking:
    """A context manager: within, ``look`` is asked ``every`` so many seconds what is wrong.

    ``looks`` counts the answers. A database may refuse while its service is being killed: that is no answer, and kept in ``refused``.
    """

    def __init__(self, look: Callable[[], Iterable[str]], *, every: float) -> None:
        self._look, self._every = look, every
        self.looks, self.refused = 0, "nothing"
        self._wrong: dict[str, None] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._go_on, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def faults(self, *, least: int) -> list[str]:
        """What was seen, each once; and that there were fewer looks than ``least``."""
        few = f"looking: {self.looks} looks instead of {least}, the last refusal: {self.refused}"
        return [*self._wrong, *[few] * (self.looks < least)]

    def _go_on(self) -> None:
        while not self._over.wait(self._every):
            try:
                self._wrong |= dict.fromkeys(self._look())
            except OperationalError as fault:
                self.refused = str(fault)
                continue
            except Exception as fault:  # noqa: BLE001  # the thread would end, and nobody would know that nobody looks
                self._wrong[f"looking: {fault!r}"] = None
            self.looks += 1
