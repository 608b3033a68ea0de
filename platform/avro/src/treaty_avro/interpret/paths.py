"""Where in a value something is wrong: ``lines[2].unit_price``."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from treaty_avro.values.shown import shown


class Path:
    """Steps from the root value. A step that fails stays, so that the path of the failure can be read afterwards."""

    def __init__(self) -> None:
        """Begin at the root."""
        self._steps: list[tuple[str, int | str, bool]] = []

    def field(self, name: str, *, is_private: bool) -> Self:
        """Enter a field; ``is_private``: neither it nor what it holds is shown in messages."""
        self._steps.append((".", name, is_private or self.is_private))
        return self

    def item(self, key: int | str) -> Self:
        """Enter an item of an array, or an entry of a map."""
        # Made into text only when it is asked for: data may hold a million items before the one that is wrong.
        self._steps.append(("[", key, bool(self._steps) and self._steps[-1][2]))
        return self

    @property
    def is_private(self) -> bool:
        """Whether what stands here is personal data."""
        return bool(self._steps) and self._steps[-1][2]

    def __len__(self) -> int:
        return len(self._steps)

    def cut(self, length: int) -> None:
        """Go back to where ``len()`` was ``length``."""
        del self._steps[length:]

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._steps.pop()

    def __str__(self) -> str:
        return "".join(_text(*step) for step in self._steps).removeprefix(".")


def _text(kind: str, key: int | str, is_private: bool) -> str:  # the parts of a step
    if kind == ".":
        return f".{key}"
    return "[…]" if is_private and isinstance(key, str) else f"[{shown(key)}]"
