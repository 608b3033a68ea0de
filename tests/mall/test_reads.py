"""The field scanner on the mall's own services, beside a simpler witness: every handler, and every ``event.field`` in it, is found."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from functools import cache

import pytest

from tests.cases.markdown import ROOT
from treaty.config import Settings
from treaty.ops.readers import own_scans
from treaty.ops.schemas import load_project
from treaty_codegen import Catalog
from treaty_codegen.readers import Scan

SETTINGS = Settings.load(ROOT / "treaty.toml", os.environ, start=ROOT)


@cache
def catalog() -> Catalog:
    return load_project(SETTINGS)


@cache
def scans() -> dict[str, Scan]:
    return own_scans(SETTINGS, catalog())


def handlers(service: str) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef, list[str]]]:
    """File, function and event names of everything under a decorator ``on(Event)`` or ``….on(Event)``."""
    for path in sorted((ROOT / catalog().services[service].code).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                events = [
                    each.args[0].id
                    for each in node.decorator_list
                    if isinstance(each, ast.Call)
                    and ast.unparse(each.func).rpartition(".")[2] == "on"
                    and isinstance(each.args[0], ast.Name)
                ]
                if events:
                    yield path.relative_to(ROOT).as_posix(), node, events


def full_name(simple: str) -> str:
    return next(name for name in catalog().by_name if name.rpartition(".")[2] == simple)


def services() -> list[str]:
    """By their folders: a scan takes a second, and the tests' names are needed by every worker."""
    return sorted(name for name, each in catalog().services.items() if each.code and (ROOT / each.code).is_dir())


@pytest.mark.parametrize("service", services())
def test_every_handler_of_a_service_is_found(service: str) -> None:
    found = {(each.file, each.event) for each in scans()[service].handled}
    assert found == {(path, full_name(event)) for path, _, events in handlers(service) for event in events}


@pytest.mark.parametrize("service", services())
def test_every_field_that_a_handler_names_is_found_at_its_line(service: str) -> None:
    reads = {(each.file, each.line, each.event, each.path) for each in scans()[service].reads}
    for path, node, events in handlers(service):
        event = node.args.args[0].arg
        for each in ast.walk(node):
            if isinstance(each, ast.Attribute) and isinstance(each.value, ast.Name) and each.value.id == event:
                for name in map(full_name, events):
                    fields = {field.name for field in getattr(catalog().by_name[name].schema.root, "fields", ())}
                    if each.attr in fields:
                        assert (path, each.lineno, name, each.attr) in reads


@pytest.mark.parametrize("service", services())
def test_of_every_event_that_is_handled_something_is_read_or_it_is_unknown(service: str) -> None:
    scan = scans()[service]
    known = {each.event for each in scan.reads} | {each.event for each in scan.unknown}
    for path, node, events in handlers(service):
        event = node.args.args[0].arg
        names = [each.id for each in ast.walk(node) if isinstance(each, ast.Name)]
        is_used = event in names
        assert not is_used or {full_name(each) for each in events} <= known, f"{path}:{node.lineno}"


def test_an_event_that_gets_out_of_sight_is_called_unknown() -> None:
    lost = {(each.event, each.why) for each in scans()["order"].unknown}
    assert ("mall.order.OrderCreated", "`lines` is passed to Order") in lost
