"""The two modules of an SDK that no schema has a part in: lazy imports, and the class of durations."""

from __future__ import annotations

from typing import Final

from treaty_codegen.lines import header

LAZY: Final = (
    header()
    + '''
"""Classes are imported when they are asked for: one event loads one module, however many there are."""

from __future__ import annotations

import collections.abc as _abc
import importlib as _importlib
import sys as _sys
import typing as _typing

_Homes = _abc.Mapping[str, tuple[str, str]]


class Events(_abc.Mapping[str, type]):
    """Full name to class. Iteration and `in` load nothing, `[]` imports one module."""

    __slots__ = ("_homes",)

    def __init__(self, homes: _Homes) -> None:
        self._homes = homes

    def __getitem__(self, full_name: str) -> type:
        return _typing.cast(type, _load(self._homes[full_name]))

    def __contains__(self, full_name: object) -> bool:
        return full_name in self._homes

    def __iter__(self) -> _abc.Iterator[str]:
        return iter(self._homes)

    def __len__(self) -> int:
        return len(self._homes)

    def __repr__(self) -> str:
        return f"<{len(self)} events: {', '.join(self)}>"


def exports(package: str, homes: _Homes) -> tuple[_abc.Callable[[str], object], _abc.Callable[[], list[str]]]:
    """The `__getattr__` and `__dir__` of a package whose names are at these homes (PEP 562)."""

    def get(name: str) -> object:
        home = homes.get(name)
        if home is None:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = _load(home)
        setattr(_sys.modules[package], name, value)
        return value

    return get, lambda: sorted({*vars(_sys.modules[package]), *homes})


def _load(home: tuple[str, str]) -> object:
    module, name = home
    return getattr(_importlib.import_module(module), name)
'''
)

DURATION: Final = (
    header()
    + '''
"""The logical type duration."""

from __future__ import annotations

import typing as _typing


class Duration(_typing.NamedTuple):
    """Months, days and milliseconds, each from 0 to 4294967295; they do not convert into one another."""

    months: int
    days: int
    milliseconds: int
'''
)
