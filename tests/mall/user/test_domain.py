"""The decisions of the user service, row by row."""

from __future__ import annotations

from itertools import product

import pytest

from mall.user.domain import (
    Account,
    Changed,
    Edited,
    LoginFacts,
    Refused,
    Unchanged,
    bucket_of,
    change_status,
    edit,
    erased_name,
    fault_of_email,
    fault_of_name,
    is_same_name,
    is_unusual,
    likeness,
    network_of,
)
from mall_events.user import UserStatus

ANNA = Account(user_id=7, username="anna", email="anna@example.com", locale="zh", version=3)
ACTIVE, SUSPENDED, DELETED = UserStatus.ACTIVE, UserStatus.SUSPENDED, UserStatus.DELETED
LEGAL = {(ACTIVE, SUSPENDED), (SUSPENDED, ACTIVE), (ACTIVE, DELETED), (SUSPENDED, DELETED)}


@pytest.mark.parametrize(("before", "after"), list(product((ACTIVE, SUSPENDED, DELETED), repeat=2)))
def test_an_account_goes_only_where_the_table_leads(before: UserStatus, after: UserStatus) -> None:
    account = Account(user_id=7, username="anna", email="a@b.cc", locale="en", status=before, version=3)
    outcome = change_status(account, after)
    if (before, after) in LEGAL:
        assert isinstance(outcome, Changed)
        assert (outcome.account.status, outcome.account.version, outcome.previous) == (after, 4, before)
    else:
        assert isinstance(outcome, Refused)
        assert before.name in outcome.message
        assert after.name in outcome.message


def test_an_edit_names_what_changed_and_counts_once() -> None:
    outcome = edit(ANNA, {"email": "new@example.com", "phone": "+8613800000000", "locale": "zh"})
    assert isinstance(outcome, Edited)
    assert outcome.changes == {"email": "new@example.com", "phone": "+8613800000000"}
    assert outcome.account.version == 4
    removed = edit(outcome.account, {"phone": None})
    assert isinstance(removed, Edited)
    assert (removed.changes, removed.account.phone) == ({"phone": ""}, None)


def test_an_edit_that_says_what_is_so_changes_nothing() -> None:
    assert isinstance(edit(ANNA, {"username": "anna", "phone": None}), Unchanged)
    assert isinstance(edit(ANNA, {}), Unchanged)


@pytest.mark.parametrize("name", ["testuser", "ab", "张伟", "张伟_2026", "a.b-c", "x" * 30, "Lily1"])
def test_names_that_may_be_taken(name: str) -> None:
    assert fault_of_name(name) is None


@pytest.mark.parametrize(
    "name",
    [
        "",
        "a",
        "x" * 31,
        "аnna",  # a Cyrillic a
        "ａｎｎａ",
        "anna\u200b",
        "an na",
        "anna\n",
        "anna\u202e",
        "_anna",
        "anna.",
        "<b>",
        "admin",
        "Admin",
        "adm1n",
        "ROOT",
        "r00t",
        "system",
        "deleted-7",
        "DeIeted-7",
        "anna@home",
        "e\u0301mile",
        "🙂🙂",
    ],
)
def test_names_that_hide_something_are_refused(name: str) -> None:
    assert fault_of_name(name) is not None


@pytest.mark.parametrize(("one", "other"), [("anna", "ANNA"), ("paul", "pauI"), ("lily", "1i1y"), ("bob", "b0b")])
def test_names_that_look_alike_are_one(one: str, other: str) -> None:
    assert likeness(one) == likeness(other)


def test_a_look_alike_is_taken_but_does_not_sign_in() -> None:
    assert is_same_name("Paul", "pAUL")
    assert not is_same_name("paul", "pauI")
    assert likeness("paul") != likeness("pau1a")


def test_the_name_of_a_deleted_account_is_nobody_s_choice() -> None:
    assert fault_of_name(erased_name(7))


@pytest.mark.parametrize("address", ["test@example.com", "a.b+c@x-y.example", "1@2.cn", f"{'a' * 64}@example.com"])
def test_addresses_that_mail_can_be_sent_to(address: str) -> None:
    assert fault_of_email(address) is None


@pytest.mark.parametrize(
    "address",
    [
        "",
        "a",
        "@b.cc",
        "a@",
        "a@localhost",
        "a@b..cc",
        ".a@b.cc",
        "a.@b.cc",
        "a@-b.cc",
        "a b@c.dd",
        "a@b.cc\r\nBcc: c@d.ee",
        "a@b.cc, c@d.ee",
        "A <a@b.cc>",
        '"a b"@c.dd',
        "a@b.cc\x00",
        "ä@b.cc",
        "a@bä.cc",
        "a@[127.0.0.1]",
        "a@b.cc\u2028",
        f"{'a' * 65}@b.cc",
        f"a@{'b' * 63}.{'b' * 63}.{'b' * 63}.{'b' * 63}.cc",
    ],
)
def test_addresses_that_are_something_else_are_refused(address: str) -> None:
    assert fault_of_email(address) is not None


def facts(**changes: object) -> LoginFacts:
    return LoginFacts(**{"is_first": False, "is_network_seen": True, "is_agent_seen": True, "failures": 0, **changes})  # type: ignore[arg-type]  # the row's own fields


@pytest.mark.parametrize(
    ("row", "unusual"),
    [
        (facts(), False),
        (facts(is_first=True, is_network_seen=False, is_agent_seen=False), False),
        (facts(is_network_seen=False), False),
        (facts(is_agent_seen=False), False),
        (facts(is_network_seen=False, is_agent_seen=False), True),
        (facts(failures=4), False),
        (facts(failures=5), True),
        (facts(is_first=True, failures=9), False),
    ],
)
def test_a_sign_in_is_unusual_from_a_new_place_with_a_new_client_or_after_many_failures(
    row: LoginFacts, unusual: bool
) -> None:
    assert is_unusual(row) is unusual


@pytest.mark.parametrize(
    ("ip", "network", "bucket"),
    [
        ("192.0.2.77", "192.0.2.0/24", "192.0.2.77/32"),
        ("::ffff:192.0.2.77", "192.0.2.0/24", "192.0.2.77/32"),
        ("2001:db8:1:2::3", "2001:db8:1::/48", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/48", "fe80::/64"),
        ("unknown", "unknown", "unknown"),
    ],
)
def test_an_address_has_a_network_and_shares_a_limit(ip: str, network: str, bucket: str) -> None:
    assert (network_of(ip), bucket_of(ip)) == (network, bucket)
