"""What importing one event of the committed SDK loads: its module, what it refers to, and the standard library."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import pytest

import mall_events
from tests.cases.markdown import ROOT

EVENTS: Mapping[str, Any] = mall_events.EVENTS
PROGRAM = """
import json, sys
before = set(sys.modules)
from {package} import {name}
print(json.dumps(sorted(set(sys.modules) - before)))
"""


def loaded(package: str, name: str) -> set[str]:
    """Every module that one import loads, in a fresh interpreter that sees the SDK alone."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "sdk/src")}
    words = [sys.executable, "-S", "-c", PROGRAM.format(package=package, name=name)]
    done = subprocess.run(words, env=environment, check=True, capture_output=True, text=True)
    return set(json.loads(done.stdout))


def wanted(module: str) -> set[str]:
    """The modules of the SDK that one private module needs, by what stands at its top."""
    spec = importlib.util.find_spec(module)
    assert spec is not None
    assert spec.origin is not None
    with open(spec.origin, encoding="utf-8") as file:  # noqa: PTH123  # a path of importlib
        text = file.read()
    needed = {module}
    for package, name in re.findall(r"^from (mall_events[\w.]*) import (\w+)", text, re.MULTILINE):
        submodule = f"{package}.{name}"
        needed |= {submodule} if importlib.util.find_spec(package) and name.endswith("_avsc") else wanted(package)
    return needed


@pytest.mark.parametrize("event", ["mall.order.OrderPaid", "mall.order.OrderCreated", "mall.chat.ChatMessageCreated"])
def test_one_event_loads_its_module_and_what_it_is_made_of(event: str) -> None:
    class_ = EVENTS[event]
    home = class_.__module__
    package = home.rpartition(".")[0]
    found = loaded(package, class_.__name__)
    ours = {name for name in found if name.partition(".")[0] == "mall_events"}
    packages = {"mall_events", *(name.rpartition(".")[0] for name in ours)}
    assert ours - packages - {"mall_events._lazy", "mall_events._duration"} == wanted(home) - packages
    others = {name.partition(".")[0] for name in found} - {"mall_events"}
    assert others <= sys.stdlib_module_names


def test_the_package_itself_loads_no_event_however_many_there_are() -> None:
    ours = {name for name in loaded("mall_events", "EVENTS") if name.startswith("mall_events.")}
    assert ours <= {"mall_events._lazy", "mall_events._duration"}
