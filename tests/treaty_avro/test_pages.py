"""What docs/avro says is what happens: every example runs, every verdict is given, every name and code is told."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any, Final, get_args

import pytest

import treaty_avro
from tests.cases.markdown import ROOT, Case, cases, expect
from tests.treaty_avro.orders import OrderCreated, order
from treaty_avro import AmbiguousField, DecodeError, compile_generic, errors, incompatibilities, parse
from treaty_avro.compat import checker
from treaty_avro.plan.nodes import Op

FOLDER: Final = ROOT / "docs/avro"
PAGES: Final = sorted(FOLDER.glob("*.md"))
WITH_CODE: Final = [*PAGES, ROOT / "platform/avro/README.md"]
COMPARED: Final = [case for case in cases(FOLDER / "compatibility.md") if case.of("verdict")]
_ROW: Final = re.compile(
    r"^\| `(\w+)` \| (?:[^|`]|`[^`]+`)*\| (?:(array of )?`([^`]+)`: `([0-9a-f ]+)`)?", re.MULTILINE
)
CODES: Final = _ROW.findall((FOLDER / "errors.md").read_text(encoding="utf-8").partition("## Codes")[2])


class _MustRaise(ast.NodeTransformer):
    """A ``try`` on a page shows an error: if none is raised, the page is wrong."""

    def visit_Try(self, node: ast.Try) -> ast.Try:
        """Give it an ``else`` that fails."""
        if not node.orelse:
            node.orelse = ast.parse(f"raise AssertionError('nothing was raised in block line {node.lineno}')").body
        return node


@pytest.mark.parametrize("page", WITH_CODE, ids=[f"{path.parent.name}-{path.stem}" for path in WITH_CODE])
def test_every_python_block_of_a_page_runs_after_those_above_it(page: Path) -> None:
    namespace: dict[str, Any] = {"__name__": __name__}
    if page.parent != FOLDER:
        namespace |= {"OrderCreated": OrderCreated, "writer_text": OrderCreated.__avro_schema__, "order": order()}
    for case in cases(page):
        for block in case.of("python"):
            tree = ast.fix_missing_locations(_MustRaise().visit(ast.parse(block.text)))
            ast.increment_lineno(tree, block.line - 1)
            exec(compile(tree, str(page), "exec"), namespace)  # noqa: S102  # our own pages


@pytest.mark.snapshot
@pytest.mark.parametrize("case", COMPARED, ids=lambda case: case.title)
def test_a_rule_of_compatibility_is_as_its_page_shows(case: Case) -> None:
    reader, writer = (next(b.text for b in case.of("avsc") if b.argument == side) for side in ("reader", "writer"))
    (block,) = case.of("verdict")
    try:
        found = incompatibilities(parse(reader), parse(writer))
        told = "".join(f"{each.type} {each.location} {each.message}\n" for each in found) or "compatible\n"
    except AmbiguousField as error:
        told = f"{error}\n"
    expect(case, block, told)


def test_every_kind_of_incompatibility_has_an_example() -> None:
    told = "".join(block.text for case in COMPARED for block in case.of("verdict"))
    kinds = get_args(treaty_avro.Incompatibility.__annotations__["type"]) or get_args(checker.Reason)
    assert [kind for kind in kinds if kind not in told] == []


def test_every_public_name_is_on_a_page() -> None:
    pages = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    public = [name for name in dir(treaty_avro) if name[0] != "_" and not _is_module(getattr(treaty_avro, name))]
    assert len(public) > 50
    assert [name for name in public if not re.search(rf"`{name}[`(]", pages)] == []


def _is_module(value: object) -> bool:
    return type(value) is type(treaty_avro)


def test_every_code_of_a_decode_error_is_explained_once() -> None:
    told = [code for code, *_ in CODES]
    assert sorted(told) == sorted(get_args(errors.DecodeCode))


@pytest.mark.parametrize(("code", "array", "type_", "data"), [row for row in CODES if row[3]])
def test_the_example_of_a_code_gives_that_code(code: str, array: str, type_: str, data: str) -> None:
    if type_ == "date":
        schema: object = {"type": "int", "logicalType": "date"}
    else:
        schema = json.loads(type_) if type_[0] == "[" else type_
    _, decode = compile_generic(parse(json.dumps({"type": "array", "items": schema} if array else schema)))
    with pytest.raises(DecodeError) as caught:
        decode(bytes.fromhex(data))
    assert caught.value.code == code


def test_every_class_of_error_is_explained() -> None:
    page = (FOLDER / "errors.md").read_text(encoding="utf-8")
    classes = [each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, Exception)]
    assert [each.__name__ for each in classes if f"`{each.__name__}`" not in page] == []


def test_every_operation_of_a_plan_is_explained_with_its_number() -> None:
    page = (FOLDER / "plan.md").read_text(encoding="utf-8")
    assert [op.name for op in Op if not re.search(rf"^\| {op.value} \| `{op.name}` \|", page, re.MULTILINE)] == []
