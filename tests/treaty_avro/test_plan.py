"""The plan: decided once, flat, equal for equal input."""

from __future__ import annotations

import json
from typing import Any

from tests.treaty_avro.orders import Card, OrderCreated
from treaty_avro import compile_decoder, compile_encoder, compile_generic, parse
from treaty_avro.plan.nodes import AGAIN, KEEP, PRIVATE, Op, children


def _plan(document: Any, writer: Any = None) -> Any:
    schema = parse(json.dumps(document))
    return compile_generic(schema, None if writer is None else parse(json.dumps(writer)))[1].plan


def _record(name: str, **fields: Any) -> dict[str, Any]:
    return {"type": "record", "name": name, "fields": [{"name": n, "type": t} for n, t in fields.items()]}


def test_equal_input_gives_an_equal_plan() -> None:
    assert compile_decoder(OrderCreated).plan == compile_decoder(OrderCreated).plan
    assert compile_encoder(OrderCreated).plan == compile_encoder(OrderCreated, prefix=b"x").plan
    assert compile_decoder(OrderCreated).source == compile_decoder(OrderCreated).source
    reader = {
        "type": "record",
        "name": "R",
        "fields": [{"name": "f", "type": {"type": "array", "items": "int"}, "default": []}],
    }
    first, second = (compile_generic(parse(json.dumps(reader)), parse(json.dumps(_record("R"))))[1] for _ in range(2))
    assert first.plan.nodes == second.plan.nodes


def test_nodes_name_nodes_and_consts_that_exist() -> None:
    plan = compile_decoder(OrderCreated).plan
    assert plan.version == 1
    for node in plan.nodes:
        assert all(0 <= child < len(plan.nodes) for child in children(node))
        assert node[0] is not Op.ENUM or node[1] < len(plan.consts)


def test_a_record_that_holds_itself_is_behind_a_ref_with_its_cost() -> None:
    plan = _plan(_record("Node", value="int", next=["null", "Node"]))
    assert plan.nodes[plan.root][0] is Op.REF
    _, target, cost = plan.nodes[plan.root]
    assert plan.nodes[target][0] is Op.RECORD
    assert cost == 3


def test_items_have_their_least_bytes_and_their_cost() -> None:
    item = _record("Item", a="double", b=["null", "string"], c={"type": "fixed", "name": "F", "size": 3}, d="null")
    plan = _plan(_record("R", items={"type": "array", "items": item}, entries={"type": "map", "values": "int"}))
    array = next(node for node in plan.nodes if node[0] is Op.ARRAY)
    entries = next(node for node in plan.nodes if node[0] is Op.MAP)
    assert array[2:] == (8 + 1 + 3, 5)
    assert entries[2:] == (2, 2)


def test_skipped_fields_need_no_class_and_fields_carry_their_flags() -> None:
    inner = _record("Inner", x="int")
    plan = _plan(_record("R", b="string"), _record("R", a=inner, b="string"))
    root = plan.nodes[plan.root]
    (_, skipped, dropped), (name, _, kept) = root[2]
    assert plan.nodes[skipped][0] is Op.SKIP
    assert (dropped, name, kept) == (0, "b", KEEP)
    assert AGAIN & (KEEP | PRIVATE) == 0


def test_personal_fields_are_marked() -> None:
    plan = compile_encoder(OrderCreated).plan
    card = next(node for node in plan.nodes if node[0] is Op.RECORD and plan.consts[node[1]] is Card)
    assert card[2][0][2] == KEEP | PRIVATE


def test_shared_records_are_not_written_out_at_each_use() -> None:
    inner: Any = _record("R0", **{f"f{i}": "int" for i in range(5)})
    for n in range(1, 25):
        inner = _record(f"R{n}", a=inner, b=f"R{n - 1}")
    encode, decode = compile_generic(parse(json.dumps(inner)))
    assert len(encode.source) + len(decode.source) < 100_000
