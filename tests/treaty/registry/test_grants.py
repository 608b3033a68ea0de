"""Who may do what where: every pattern against every kind of name, every role against every other."""

from __future__ import annotations

import itertools

import pytest

from treaty.registry.access.grants import ANYONE, BadGrant, Grant, Pattern, Principal, Role, granted, read_role
from treaty.registry.guard.permissions import NEEDS, UNPLACED, need_of
from treaty.registry.http.routes import ROUTES
from treaty.registry.names import GLOBAL, TOP, Name

NAMES = {
    "orders-value": Name(".", "orders-value"),
    "orders": Name(".", "orders"),
    "order": Name(".", "order"),
    "goods": Name(".", "goods"),
    "staging orders-value": Name(".staging", "orders-value"),
    "staging goods": Name(".staging", "goods"),
    "staging2 orders-value": Name(".staging2", "orders-value"),
    "staging itself": Name(".staging", ""),
    "staging2 itself": Name(".staging2", ""),
    "top": TOP,
    "global": GLOBAL,
}
ORDERS = {"orders-value", "orders"}
COVERED = {
    "orders-value": {"orders-value"},
    "orders*": ORDERS,
    "orders-*": {"orders-value"},
    ":.:*": {"orders-value", "orders", "order", "goods"},
    ":.staging:*": {"staging orders-value", "staging goods", "staging itself"},
    ":.staging:orders*": {"staging orders-value"},
    ":.staging:goods": {"staging goods"},
    ":*:orders-*": {"orders-value", "staging orders-value", "staging2 orders-value"},
    ":*:goods": {"goods", "staging goods"},
    "*": set(NAMES),
}


@pytest.mark.parametrize(("text", "name"), list(itertools.product(COVERED, NAMES)))
def test_a_pattern_covers_these_names_and_no_others(text: str, name: str) -> None:
    assert Pattern.parse(text).covers(NAMES[name]) == (name in COVERED[text])


@pytest.mark.parametrize("text", COVERED)
def test_a_pattern_reads_back_what_it_prints(text: str) -> None:
    assert Pattern.parse(str(Pattern.parse(text))) == Pattern.parse(text)


@pytest.mark.parametrize("text", ["", "a*b", "**", "*a", ":.staging:", ":*:", ":.staging:a*b"])
def test_what_is_no_pattern_is_refused(text: str) -> None:
    with pytest.raises(BadGrant, match="is no pattern"):
        Pattern.parse(text)


@pytest.mark.parametrize(("given", "asked"), list(itertools.product(Role, Role)))
def test_a_role_has_the_rights_of_those_below_it_on_its_own_pattern_only(given: Role, asked: Role) -> None:
    principal = Principal("p", (Grant("p", given, Pattern.parse("orders-*")),))
    assert principal.may(asked, Name(".", "orders-value")) == (given >= asked)
    assert not principal.may(asked, Name(".", "goods"))
    assert not principal.may_everywhere(asked)


def test_grants_are_never_put_together() -> None:
    """Admin of one prefix and reader of everything is not admin of everything."""
    grants = (Grant("p", Role.ADMIN, Pattern.parse("a-*")), Grant("p", Role.READER, Pattern.parse("*")))
    principal = Principal("p", grants)
    assert principal.may(Role.READER, Name(".", "b"))
    assert not principal.may(Role.WRITER, Name(".", "b"))
    assert principal.may_everywhere(Role.READER)
    assert not principal.may_everywhere(Role.WRITER)


def test_a_principal_has_its_own_grants_and_those_of_its_groups() -> None:
    everything = Pattern.parse("*")
    grants = [Grant(to, Role.READER, everything) for to in ("ann", "bob", "group:staff", "group:ann")]
    assert {grant.to for grant in granted(grants, name="ann", groups=["staff"]).grants} == {"ann", "group:staff"}
    assert granted(grants, name="group").grants == ()


def test_who_reads_the_same_has_the_same_view() -> None:
    def view(*patterns: str) -> str:
        return Principal("p", tuple(Grant("p", Role.READER, Pattern.parse(each)) for each in patterns)).view

    assert view("a", "b*") == view("b*", "a") != view("a")
    assert view("*") == view("a", "*") == ANYONE.view == ""
    assert view() != ""


def test_roles_are_read_in_any_case() -> None:
    assert read_role("Writer") is Role.WRITER
    with pytest.raises(BadGrant, match="reader, writer, maintainer, admin"):
        read_role("boss")


def test_every_route_has_its_place_and_what_has_none_needs_everything() -> None:
    routes = {(route.method, route.path) for route in ROUTES}
    assert not routes - set(NEEDS)
    assert need_of("POST", "/new", query=()) == UNPLACED
    assert (UNPLACED.role, UNPLACED.where) == (Role.ADMIN, "everything")


def test_nothing_that_changes_is_a_readers() -> None:
    asking = {("POST", "/"), ("POST", "/subjects/{subject}")}
    for (method, path), need in NEEDS.items():
        is_question = method == "GET" or "/compatibility/" in path or (method, path) in asking
        assert is_question == (need.role is Role.READER or path == "/treaty/v1/audit"), (method, path)


@pytest.mark.parametrize("flag", ["true", "TRUE", "True"])
def test_an_admins_flag_makes_an_admins_request_wherever_it_stands(flag: str) -> None:
    path = "/subjects/{subject}"
    assert need_of("DELETE", path, query=()).role is Role.MAINTAINER
    assert need_of("DELETE", path, query=(("permanent", "false"), ("permanent", flag))).role is Role.ADMIN
    assert need_of("POST", f"{path}/versions", query=(("force", flag),)).role is Role.ADMIN
