"""Runs a module's tests as plain calls, without pytest's collection: most faults fall at once, and there are hundreds.

What needs fixtures, or lets Hypothesis look for examples, is passed over; pytest runs it on what survives.
"""

from __future__ import annotations

import importlib
import inspect
import itertools
from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest

_MARKED: Final = type(pytest.param(0))


def failure(module: str, *, without: tuple[str, ...]) -> BaseException | None:
    """What the first failing test raised; None if none fails. ``without``: parts of names of tests to leave out."""
    try:
        for name, test in vars(importlib.import_module(module)).items():
            if name.startswith("test_") and callable(test) and not any(part in name for part in without):
                for arguments in _cases(test):
                    test(**arguments)
    except pytest.skip.Exception:
        return None
    except BaseException as error:  # noqa: BLE001  # MemoryError and SystemExit are failures as well
        return error
    return None


def _cases(test: Callable[..., object]) -> Iterator[dict[str, Any]]:
    """The arguments of each call; none for a test that wants more than its own parameters."""
    marks = [mark for mark in getattr(test, "pytestmark", []) if mark.name == "parametrize"]
    named = [_rows(mark.args[0], mark.args[1]) for mark in marks]
    for chosen in itertools.product(*named):
        arguments = {name: value for row in chosen for name, value in row.items()}
        if arguments.keys() != set(inspect.signature(test).parameters) or hasattr(test, "hypothesis"):
            return
        yield arguments


def _rows(names: Any, values: Any) -> list[dict[str, Any]]:
    keys = [name.strip() for name in names.split(",")] if isinstance(names, str) else list(names)
    plain = [value.values if isinstance(value, _MARKED) else value if len(keys) > 1 else (value,) for value in values]
    return [dict(zip(keys, row, strict=True)) for row in plain]
