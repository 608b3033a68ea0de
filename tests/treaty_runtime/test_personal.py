"""Personal values are found by the schema's property, wherever they lie."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

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
