"""Names of schemas as Python names, and the names of events on their topics."""

from __future__ import annotations

import keyword

import pytest
from hypothesis import given
from hypothesis import strategies as st

from treaty_codegen import Topic, event_type_of, snake_case, subject_of
from treaty_codegen.contract import key_parts
from treaty_codegen.names import MEMBER_NAMES, module_stem, place, public_name, shown_path

AVRO_NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True) | st.sampled_from(
    [*keyword.kwlist, "_", "__"]
)


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("order_id", "order_id"),
        ("from", "from_"),
        ("None", "None_"),
        ("match", "match"),  # soft keywords are names
        ("_hidden", "hidden"),
        ("__init__", "init__"),
        ("_", "x"),
        ("_1", "x1"),
        ("_class", "class_"),
    ],
)
def test_a_name_stays_where_it_can(name: str, wanted: str) -> None:
    assert public_name(name) == wanted


def test_names_that_can_stay_are_placed_before_those_that_must_change() -> None:
    assert place(["_a", "a", "a_"]) == {"_a": "a__", "a": "a", "a_": "a_"}


def test_what_enums_use_is_no_member() -> None:
    assert place(["name", "value", "mro", "OK"], reserved=MEMBER_NAMES) == {
        "name": "name_",
        "value": "value_",
        "mro": "mro_",
        "OK": "OK",
    }


def test_file_names_are_compared_without_case() -> None:
    assert place(["Order", "order", "CON"], reserved={"con"}, fold=True) == {
        "Order": "Order",
        "order": "order_",
        "CON": "CON_",
    }


@given(st.lists(AVRO_NAMES, unique=True))
def test_every_avro_name_becomes_a_public_name_of_its_own(names: list[str]) -> None:
    placed = place(names)
    assert list(placed) == names
    assert len(set(placed.values())) == len(names)
    for name in placed.values():
        assert name.isidentifier()
        assert not name.startswith("_")
        assert not keyword.iskeyword(name)


@pytest.mark.parametrize(
    ("path", "stem"),
    [
        ("order/order_paid.avsc", "order_paid"),
        ("__x.avsc", "x"),
        ("a b;import os.avsc", "a_b_import_os"),
        ("é.avsc", "x"),
        ("1.avsc", "1"),
    ],
)
def test_a_module_is_named_after_its_file(path: str, stem: str) -> None:
    assert module_stem(path) == stem


def test_a_long_file_name_is_cut_and_stays_its_own() -> None:
    stems = {module_stem(f"{'a' * 200}{end}.avsc") for end in "xy"}
    assert len(stems) == 2
    assert {len(stem) for stem in stems} == {89}


def test_a_path_in_a_comment_holds_plain_characters_only() -> None:
    assert shown_path("a/b\nimport os\u2028.avsc") == "a/b?import?os?.avsc"


@pytest.mark.parametrize(
    ("name", "snake"),
    [("OrderCreated", "order_created"), ("SMSRequested", "sms_requested"), ("OAuth2Granted", "o_auth2_granted")],
)
def test_snake_case_keeps_runs_of_capitals_together(name: str, snake: str) -> None:
    assert snake_case(name) == snake


@pytest.mark.parametrize(
    ("style", "event", "wanted"),
    [
        ("upper", "mall.order.OrderCreated", "ORDER_CREATED"),
        ("dotted", "mall.user.UserLoggedIn", "user.logged_in"),
        ("dotted", "mall.user.ProfileSeen", "user.profile_seen"),
        ("topic", "mall.payment.PaymentCreated", "payment.created"),
    ],
)
def test_an_event_type_follows_the_style_of_its_topic(style: str, event: str, wanted: str) -> None:
    topic = Topic(name="payment.created", doc="", owner="", events=(event,), event_type=style)
    assert event_type_of(topic, event=event) == wanted


@pytest.mark.parametrize(
    ("rule", "wanted"),
    [("topic-record", "orders-mall.order.OrderPaid"), ("record", "mall.order.OrderPaid"), ("topic", "orders-value")],
)
def test_a_subject_follows_the_rule_of_its_topic(rule: str, wanted: str) -> None:
    topic = Topic(name="orders", doc="", owner="", events=(), subject=rule)
    assert subject_of(topic, event="mall.order.OrderPaid") == wanted


def test_a_key_is_a_path_or_a_template() -> None:
    assert list(key_parts("order.id")) == [(True, "order.id")]
    assert list(key_parts("shop:{a}/{b.c}")) == [(False, "shop:"), (True, "a"), (False, "/"), (True, "b.c")]


@pytest.mark.parametrize("key", ["{", "}", "{}", "a{b", "{a{b}}"])
def test_a_template_with_unpaired_braces_is_refused(key: str) -> None:
    with pytest.raises(ValueError, match="unpaired braces"):
        list(key_parts(key))
