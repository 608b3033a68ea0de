"""How deep generated code is: the limit on open records, in the source of decoder and encoder alike."""

from __future__ import annotations

from treaty_avro.straightline.source import Source


class Depth:
    """Records open around the present place: a number in the entry function, counted from the argument ``d`` in the others."""

    def __init__(self, source: Source, *, most: int) -> None:
        """``most``: records that may be open at once."""
        self._source, self._most = source, most
        self._open, self._is_inner = 0, False

    def begin_function(self) -> None:
        """From here on lines belong to a function that is told by ``d`` how many are open."""
        self._open, self._is_inner = 0, True

    def enter(self) -> None:
        """One more record is open; writes the check of the limit."""
        self._open += 1
        if self._is_inner:
            self._source.line(f"if d > {self._most - self._open}: raise Odd")
        elif self._open > self._most:
            self._source.line("raise Odd")

    def leave(self) -> None:
        """The innermost record is closed."""
        self._open -= 1

    def text(self) -> str:
        """How many are open here, as an expression."""
        if not self._is_inner:
            return str(self._open)
        return f"d + {self._open}" if self._open else "d"
