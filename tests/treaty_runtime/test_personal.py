"""Personal values are found by the schema's property, wherever they lie."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import pytest

from treaty_runtime.wire.personal import personal_values

_ADDRESS = (
    '{"type":"record","name":"Address","fields":[{"name":"street","type":"string","treaty":{"pii":"address"}},'
    '{"name":"country","type":"string"}]}'
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where somebody lives."""

    street: str
    country: str

    __avro_names__: ClassVar[Mapping[str, str]] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """Somebody registered; the field `class` is an attribute of another name."""

    class_: str
    user_id: int
    emails: list[str]
    home: Address | None = None

    __avro_schema__: ClassVar[str] = (
        '{"type":"record","name":"Registered","namespace":"mall.user","fields":['
        '{"name":"class","type":"string","treaty":{"pii":"x"}},{"name":"user_id","type":"long"},'
        '{"name":"emails","type":{"type":"array","items":"string"},"treaty":{"pii":"contact"}},'
        f'{{"name":"home","type":["null",{_ADDRESS}],"default":null}}]}}'
    )
    __avro_fullname__: ClassVar[str] = "mall.user.Registered"
    __avro_names__: ClassVar[Mapping[str, str]] = {"class": "class_"}
    __avro_references__: ClassVar[tuple[str, ...]] = ()

    @staticmethod
    def __avro_types__() -> Mapping[str, type]:
        """The classes within reach."""
        return {"mall.user.Registered": Registered, "mall.user.Address": Address}


def test_values_under_the_property_are_found_through_names_lists_and_records() -> None:
    home = Address(street="Long Street 1", country="CN")
    event = Registered(class_="gold", user_id=7, emails=["a@b.example", "x"], home=home)
    assert personal_values(event) == {"gold", "a@b.example", "Long Street 1"}


def test_what_is_no_event_has_no_personal_values() -> None:
    assert personal_values(b"bytes") == frozenset()
    assert personal_values(Registered(class_="no", user_id=7, emails=[])) == frozenset()


_NAMED = "Address"
_HIDDEN = '"treaty":{"pii":"x"}'


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """Somebody moved: personal values in every shape that a schema knows."""

    lines: tuple[Address, ...] = ()
    homes: Mapping[str, Address] = field(default_factory=dict)
    either: list[Address] | dict[str, Address] = field(default_factory=list)
    whole: Address | None = None
    words: Mapping[str, str] = field(default_factory=dict)
    number: int | None = None
    told: str = "told"
    open: str = "open"
    plain: str = "plain"

    __avro_schema__: ClassVar[str] = (
        '{"type":"record","name":"Moved","namespace":"mall.user","fields":['
        f'{{"name":"lines","type":{{"type":"array","items":{_ADDRESS}}}}},'
        f'{{"name":"homes","type":{{"type":"map","values":"{_NAMED}"}}}},'
        f'{{"name":"either","type":[{{"type":"array","items":"{_NAMED}"}},{{"type":"map","values":"{_NAMED}"}}]}},'
        f'{{"name":"whole","type":["null","{_NAMED}"],{_HIDDEN}}},'
        f'{{"name":"words","type":{{"type":"map","values":"string"}},{_HIDDEN}}},'
        f'{{"name":"number","type":["null","long"],{_HIDDEN}}},'
        '{"name":"told","type":"string","treaty":{"pii":""}},'
        '{"name":"open","type":"string","treaty":{"since":"v1"}},'
        '{"name":"plain","type":"string","treaty":"pii"}]}'
    )
    __avro_fullname__: ClassVar[str] = "mall.user.Moved"
    __avro_names__: ClassVar[Mapping[str, str]] = {}
    __avro_references__: ClassVar[tuple[str, ...]] = ()

    @staticmethod
    def __avro_types__() -> Mapping[str, type]:
        """The classes within reach."""
        return {"mall.user.Moved": Moved, "mall.user.Address": Address}


def address(street: str) -> Address:
    return Address(street=street, country="China")


@pytest.mark.parametrize(
    ("event", "found"),
    [
        (Moved(), set()),
        (Moved(lines=(address("one"), address("two"))), {"one", "two"}),
        (Moved(homes={"here": address("one")}), {"one"}),
        (Moved(either=[address("one")]), {"one"}),
        (Moved(either={"here": address("one")}), {"one"}),
        (Moved(whole=address("one")), {"one", "China"}),
        (Moved(words={"here": "one", "there": "no"}), {"one"}),
        (Moved(number=123), {"123"}),
        (Moved(number=12), set()),
    ],
)
def test_personal_values_are_found_in_every_shape(event: Moved, found: set[str]) -> None:
    assert personal_values(event) == found


def test_a_class_whose_schema_cannot_be_read_has_none_that_are_known() -> None:
    @dataclass
    class Odd:
        """As a class that was edited by hand."""

        name: str
        __avro_schema__: ClassVar[str] = '{"type":"recrod"}'
        __avro_fullname__: ClassVar[str] = "Odd"

    assert personal_values(Odd("somebody")) == frozenset()
