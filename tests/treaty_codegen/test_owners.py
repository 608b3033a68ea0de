"""CODEOWNERS: who must look at which file."""

from __future__ import annotations

import json

from tests.treaty_codegen.schema_texts import event, f
from treaty_codegen import load_catalog
from treaty_codegen.owners import BEGIN, END, codeowners, owned, with_block

STATUS = {"type": "enum", "namespace": "mall.order", "name": "Status", "symbols": ["A"]}
TOPICS = """format = 1
[topic."order-events"]
doc = "Orders."
owner = "@mall/orders"
events = ["mall.order.OrderPaid"]
[topic."risk-events"]
doc = "Risks."
owner = "@mall/risk"
events = ["mall.order.OrderHeld"]
"""


def block(pii_owner: str = "@mall/privacy", *approvers: str) -> str:
    files = {
        "order/status.avsc": json.dumps(STATUS),
        **event([f("s", "mall.order.Status"), f("mail", "string", treaty={"pii": "email"})]),
        **event([f("s", "mall.order.Status")], name="OrderHeld"),
    }
    catalog = load_catalog(files, topics=TOPICS)
    return codeowners(owned(catalog, root="schemas/", approvers=approvers, pii_owner=pii_owner))


def test_a_file_belongs_to_its_topics_and_a_shared_one_to_all_of_theirs() -> None:
    assert block("@mall/privacy", "@mall/architects") == (
        f"{BEGIN}\n"
        "/schemas/order/orderheld.avsc @mall/risk\n"
        "/schemas/order/orderpaid.avsc @mall/orders @mall/privacy\n"
        "/schemas/order/status.avsc @mall/orders @mall/risk\n"
        "/schemas/topics.toml @mall/architects\n"
        "/schemas/waivers.toml @mall/architects\n"
        f"{END}\n"
    )
    assert "@mall/privacy" not in block("")


def test_the_block_is_replaced_and_the_rest_stays() -> None:
    for before, after in (("", ""), ("* @all\n\n", "\n/docs @writers\n"), ("* @all\n\n", "")):
        old = f"{before}{BEGIN}\nold\n{END}\n{after}"
        assert with_block(old, block()) == f"{before}{block()}{after}"
    assert with_block("* @all", block()) == f"* @all\n\n{block()}"
    assert with_block("", block()) == block()
    once = with_block("* @all\n", block())
    assert with_block(once, block()) == once
