"""What the source rules say of the SDK is what the generator really makes of both sides."""

from __future__ import annotations

import ast
from typing import Any

import pytest

from tests.treaty_codegen.change_row import Row
from tests.treaty_codegen.schema_changes import rows
from tests.treaty_codegen.schema_texts import event, f, record, topics
from treaty_codegen import Catalog, SdkSettings, emit_sdk, load_catalog
from treaty_codegen.breaking import breaking
from treaty_codegen.old_set import old_set

SDK = SdkSettings(package="events", distribution="events", namespace="mall", version="1.0.0")


def rules(old: Catalog, new: Catalog) -> set[str]:
    found = breaking(new, [old_set(old, label="release 1.0.0")], use=["field-type-in-sdk-changed", "class-moved"])
    return {row.rule for row in found}


def attributes(catalog: Catalog) -> dict[str, dict[str, str]]:
    """Class by class, each attribute's annotation as the generator wrote it, without None; enums have none."""
    classes: dict[str, dict[str, str]] = {}
    for path, data in emit_sdk(catalog, SDK).items():
        if path.suffix == ".py" and path.name.startswith("_") and path.name not in {"__init__.py", "_lazy.py"}:
            for node in ast.parse(data).body:
                if isinstance(node, ast.ClassDef):
                    classes[node.name] = dict(annotated(node))
    return classes


def annotated(node: ast.ClassDef) -> list[tuple[str, str]]:
    lines = [line for line in node.body if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name)]
    return [
        (line.target.id, ast.unparse(line.annotation).replace(" | None", ""))
        for line in lines
        if isinstance(line.target, ast.Name) and not line.target.id.startswith("__")
    ]


@pytest.mark.parametrize("change", rows(), ids=lambda change: change.title)
def test_a_rule_fires_where_the_generated_class_differs(change: Row) -> None:
    old, new = (load_catalog(event(side), topics=topics(change.level)) for side in (change.old, change.new))
    before, after, found = attributes(old), attributes(new), rules(old, new)
    gone = set(before) - set(after)
    retyped = {
        (name, field)
        for name in set(before) & set(after)
        for field in set(before[name]) & set(after[name])
        if before[name][field] != after[name][field]
    }
    if gone and retyped:
        return  # an annotation that names a class which has gone: which of both it is told as depends on the change
    assert ("field-type-in-sdk-changed" in found) == bool(retyped), (retyped, found)
    if not gone:
        assert "class-moved" not in found or "namespace" in change.title


def test_a_field_that_becomes_optional_keeps_its_type() -> None:
    old, new = (load_catalog(event([f("x", type_)]), topics=topics("NONE")) for type_ in ("string", ["null", "string"]))
    assert rules(old, new) == set()


@pytest.mark.parametrize("moved", [{"name": "Row"}, {"namespace": "mall.goods"}])
def test_a_class_with_another_full_name_has_moved(moved: dict[str, Any]) -> None:
    line = record("Line", f("n", "long"), namespace="mall.order")
    old, new = (load_catalog(event([f("x", type_)]), topics=topics("NONE")) for type_ in (line, line | moved))
    assert rules(old, new) == {"class-moved"}


def test_an_event_renamed_by_alias_has_moved_for_its_callers() -> None:
    old = load_catalog(event([f("id", "long")]), topics=topics("NONE"))
    files = event([f("id", "long")], name="OrderSettled", aliases=["OrderPaid"])
    new = load_catalog(files, topics=topics("NONE", events=("mall.order.OrderSettled",)))
    assert rules(old, new) == {"class-moved"}
