"""Which Python class stands for which named type.

A class offers ``__avro_schema__``, ``__avro_fullname__``, ``__avro_names__``, ``__avro_references__`` and
``__avro_types__()``; nothing is inherited or registered. Without classes, records are dicts, enums their symbols, fixed
plain bytes. A class that does not fit is told so when it is compiled, not when the first event arrives.
"""

# ruff: noqa: ARG002  # Plain answers without looking at what Binding passes
from __future__ import annotations

import enum
import types
import weakref
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, Protocol

from treaty_avro.errors import ClassMismatch
from treaty_avro.schema.model import Enum, Fixed, Named, Record
from treaty_avro.schema.parse import parse
from treaty_avro.schema.schema import Schema
from treaty_avro.values import durations

_schemas: Final[weakref.WeakKeyDictionary[type, Schema]] = weakref.WeakKeyDictionary()


class Binding(Protocol):
    """What stands for the named types of one schema."""

    @property
    def is_generic(self) -> bool:
        """Whether values are dicts, so that unions need a tag."""
        ...

    def record(self, record: Record) -> type:
        """The class of a record; ``dict`` if there are none."""
        ...

    def attribute(self, record: Record, field: str) -> str:
        """The attribute (or key) of a record's field."""
        ...

    def member(self, enum_: Enum, symbol: str) -> Any:
        """What stands for a symbol."""
        ...

    def fixed(self, fixed: Fixed) -> type | None:
        """The class of a fixed; None: plain bytes."""
        ...

    def duration(self, fixed: Fixed) -> Callable[[int, int, int], object]:
        """What builds a duration of months, days and milliseconds."""
        ...


class Plain:
    """No classes: dicts, symbols, bytes."""

    is_generic: Final = True

    def record(self, record: Record) -> type:
        """Always ``dict``."""
        return dict

    def attribute(self, record: Record, field: str) -> str:
        """The field's own name."""
        return field

    def member(self, enum_: Enum, symbol: str) -> Any:
        """The symbol itself."""
        return symbol

    def fixed(self, fixed: Fixed) -> type | None:
        """None: plain bytes."""
        return None

    def duration(self, fixed: Fixed) -> Callable[[int, int, int], object]:
        """A tuple of three."""
        return durations.as_tuple

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Plain)

    def __hash__(self) -> int:
        return hash(Plain)


class Typed:
    """The classes that an event class names in ``__avro_types__()``."""

    is_generic: Final = False

    def __init__(self, event: type) -> None:
        """Raises ``ClassMismatch`` if the class does not say which schema it has."""
        self._event = event
        reach: Callable[[], Mapping[str, type]] = getattr(event, "__avro_types__", dict)
        self._types = {_offered(event, "__avro_fullname__"): event, **reach()}

    def record(self, record: Record) -> type:
        """The record's class, which has every attribute."""
        cls = self._class(record)
        known = attributes(cls)
        for field in record.fields:
            attribute = self.attribute(record, field.name)
            if attribute not in known:
                raise ClassMismatch(f"{cls.__name__} has no attribute '{attribute}'")
        return cls

    def attribute(self, record: Record, field: str) -> str:
        """The attribute that ``__avro_names__`` gives, else the field's name."""
        return _renamed(self._class(record), field)

    def member(self, enum_: Enum, symbol: str) -> Any:
        """The member that ``__avro_names__`` gives, else the one of the symbol's name."""
        cls = self._class(enum_)
        if not issubclass(cls, enum.Enum):
            raise ClassMismatch(f"{cls.__name__} is not an Enum, and stands for {enum_.name.full}")
        name = _renamed(cls, symbol)
        if name not in cls.__members__:
            raise ClassMismatch(f"{cls.__name__} has no member '{name}'")
        return cls.__members__[name]

    def fixed(self, fixed: Fixed) -> type | None:
        """The fixed's class, a subclass of bytes."""
        cls = self._class(fixed)
        if not issubclass(cls, bytes):
            raise ClassMismatch(f"{cls.__name__} is not a subclass of bytes, and stands for {fixed.name.full}")
        return cls

    def duration(self, fixed: Fixed) -> Callable[[int, int, int], object]:
        """The duration's class."""
        return self._class(fixed)

    def _class(self, named: Named) -> type:
        cls = self._types.get(named.name.full)
        if cls is None:
            raise ClassMismatch(f"{self._event.__name__}.__avro_types__() has no class for '{named.name.full}'")
        return cls

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Typed) and self._event is other._event

    def __hash__(self) -> int:
        return hash(self._event)


def schema_of(event: type) -> Schema:
    """The schema of an event class, parsed once per class.

    Raises ``ClassMismatch`` if the class offers none or names another type than its text, ``SchemaError`` for the text.
    """
    known = _schemas.get(event)
    if known is None:
        text = _offered(event, "__avro_schema__")
        reach: Callable[[], Mapping[str, type]] = getattr(event, "__avro_types__", dict)
        within = reach()
        references = []
        for name in getattr(event, "__avro_references__", ()):
            if name not in within:
                raise ClassMismatch(f"{event.__name__}.__avro_types__() has no class for '{name}'")
            references.append(schema_of(within[name]))
        # The text was judged when the class was made from it; a stricter parser must not stop a running service.
        known = parse(text, references=references, path=f"{event.__name__}.__avro_schema__", rules="stored")
        name = _offered(event, "__avro_fullname__")
        if known.name != name:
            raise ClassMismatch(f"{event.__name__} says it is '{name}', its schema is '{known.name}'")
        _schemas[event] = known
    return known


def attributes(cls: type) -> set[str]:
    """Names of the attributes that instances of a class can have."""
    names: set[str] = set()
    for each in cls.__mro__:
        names.update(vars(each).get("__annotations__", ()), vars(each))
    return names


def slot(cls: type, attribute: str) -> types.MemberDescriptorType | None:
    """The slot of an attribute, by which frozen objects are filled too."""
    found = next((vars(each)[attribute] for each in cls.__mro__ if attribute in vars(each)), None)
    return found if isinstance(found, types.MemberDescriptorType) else None


def is_slotted(cls: type, names: Iterable[str]) -> bool:
    """Whether a class has a slot for each name and no other state, so that filling the slots makes a whole object."""
    slots = {
        key
        for each in cls.__mro__
        for key, value in vars(each).items()
        if isinstance(value, types.MemberDescriptorType) and each is not object
    }
    return slots - {"__weakref__"} == set(names) and cls.__dictoffset__ == 0


def build(cls: type, values: Mapping[str, object]) -> Any:
    """An object of a record's class (or a dict): by its slots without ``__init__``, else by keyword."""
    if cls is dict:
        return dict(values)
    if not is_slotted(cls, values):
        return cls(**values)
    result: object = object.__new__(cls)
    for name, value in values.items():
        found = slot(cls, name)
        if found is not None:
            found.__set__(result, value)
    return result


def _offered(event: type, name: str) -> str:
    offered = getattr(event, name, None)
    if not isinstance(offered, str):
        raise ClassMismatch(f"{event.__name__} has no {name}; only classes made from a top-level schema have")
    return offered


def _renamed(cls: type, name: str) -> str:
    names: Mapping[str, str] = getattr(cls, "__avro_names__", {})
    return names.get(name, name)
