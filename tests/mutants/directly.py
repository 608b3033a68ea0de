"""Runs a module's tests as plain calls, without pytest's collection: most faults fall at once, and there are hundreds.

What needs fixtures or an event loop, or lets Hypothesis look for examples, is passed over; pytest runs it on what survives.
"""

from __future__ import annotations

import importlib
import inspect
import itertools
from collections.abc import Callable
from enum import IntEnum
from typing import Any, Final

import pytest

_MARKED: Final = type(pytest.param(0))


class Outcome(IntEnum):
    """What the plain calls say."""

    PASSED = 0
    UNDECIDED = 1
    FAILED = 2


def outcome(module: str, *, without: tuple[str, ...]) -> Outcome:
    """Whether a test fails; undecided if none does but some were left out. ``without``: parts of names of tests to leave out."""
    answer = Outcome.PASSED
    try:
        for name, test in vars(importlib.import_module(module)).items():
            if name.startswith("test_") and callable(test):
                cases = None if any(part in name for part in without) else _cases(test)
                answer = max(answer, Outcome.PASSED if cases is not None else Outcome.UNDECIDED)
                for arguments in cases or ():
                    test(**arguments)
    except pytest.skip.Exception:
        return Outcome.UNDECIDED
    except BaseException:  # noqa: BLE001  # MemoryError and SystemExit are failures as well
        return Outcome.FAILED
    return answer


def _cases(test: Callable[..., object]) -> list[dict[str, Any]] | None:
    """The arguments of each call; None for a test that wants more than its own parameters."""
    if hasattr(test, "hypothesis") or inspect.iscoroutinefunction(test):
        return None
    marks = [mark for mark in getattr(test, "pytestmark", []) if mark.name == "parametrize"]
    named = [_rows(mark.args[0], mark.args[1]) for mark in marks]
    cases = [{name: value for row in chosen for name, value in row.items()} for chosen in itertools.product(*named)]
    wanted = inspect.signature(test).parameters.keys()
    return cases if all(case.keys() == wanted for case in cases) else None


def _rows(names: Any, values: Any) -> list[dict[str, Any]]:
    keys = [name.strip() for name in names.split(",")] if isinstance(names, str) else list(names)
    plain = [value.values if isinstance(value, _MARKED) else value if len(keys) > 1 else (value,) for value in values]
    return [dict(zip(keys, row, strict=True)) for row in plain]
