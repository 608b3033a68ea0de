"""What a schema object says of itself beside its parts: name, aliases, doc, order, default, logical type, properties."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, TypeAlias, cast

from treaty_avro.schema import logical
from treaty_avro.schema.defaults import number, shown
from treaty_avro.schema.model import MISSING, PRIMITIVES, Json, Logical, Missing, Name, Type
from treaty_avro.schema.names import are_names, is_name, qualify
from treaty_avro.schema.notes import Notes

NAME_RULE: Final = "names are ASCII letters, digits and _, and do not begin with a digit"
RESERVED: Final = frozenset(
    {"type", "name", "namespace", "doc", "fields", "items", "values", "symbols", "size", "aliases"}
)
"""Keys of a type that are no properties; an enum and a field have sets of their own."""
RESERVED_ENUM: Final = RESERVED | {"default"}
RESERVED_FIELD: Final = frozenset({"name", "type", "doc", "default", "order", "aliases"})

Order: TypeAlias = Literal["ascending", "descending", "ignore"]
Object: TypeAlias = Mapping[str, Json]
_ORDERS: Final = ("ascending", "descending", "ignore")


def props_of(node: Object, reserved: frozenset[str]) -> dict[str, Json]:
    """The properties: every key that is not reserved, in the text's order."""
    # Most objects have none: asked in C, once for the whole.
    return {} if reserved.issuperset(node) else {key: value for key, value in node.items() if key not in reserved}


class Attributes:
    """Reads the attributes of a text's objects; refuses and notes through ``notes``.

    ``are_namespaces_judged``: whether a namespace must consist of names; texts that were once accepted are not judged again.
    """

    def __init__(self, notes: Notes, *, are_namespaces_judged: bool) -> None:
        """Attributes of objects whose faults ``notes`` places."""
        self._notes, self._are_namespaces_judged = notes, are_namespaces_judged

    def name(self, node: Object, inherited: str, at: str) -> Name:
        """A named type's name, in its own namespace or the ``inherited`` one."""
        text = node.get("name")
        if not isinstance(text, str):
            raise self._notes.error(f"{node['type']} has no name", at)
        namespace = self.optional(node, "namespace", at)
        name = qualify(text, inherited if namespace is None else namespace)
        if not is_name(name.simple):
            raise self._notes.error(f"{shown(text)} is not a name; {NAME_RULE}", f"{at}/name")
        if self._are_namespaces_judged and not are_names(name.namespace):
            where = "name" if "." in text or namespace is None else "namespace"
            raise self._notes.error(f"{shown(name.namespace)} is not a namespace; {NAME_RULE}", f"{at}/{where}")
        if name.full in PRIMITIVES:
            reason = f"{name.full} is a primitive type and cannot be defined; give it a namespace"
            raise self._notes.error(reason, f"{at}/name")
        return name

    def type_aliases(self, node: Object, namespace: str, at: str) -> tuple[Name, ...]:
        """A named type's other names, each once; those without a dot are in its ``namespace``."""
        aliases: dict[Name, None] = {}
        for index, alias in enumerate(self.aliases(node, at)):
            name = qualify(alias, namespace)
            if not is_name(name.simple):
                raise self._notes.error(f"{shown(alias)} is not an alias; {NAME_RULE}", f"{at}/aliases/{index}")
            aliases[name] = None
        return tuple(aliases)

    def aliases(self, node: Object, at: str) -> list[str]:
        """The aliases as they are written."""
        if "aliases" not in node:
            return []
        aliases = node["aliases"]
        if not isinstance(aliases, list) or not all(isinstance(alias, str) for alias in aliases):
            raise self._notes.error("aliases is a list of strings", f"{at}/aliases")
        return aliases

    def optional(self, node: Object, key: str, at: str) -> str | None:
        """A string that may be missing; anything else is ignored and noted."""
        value = node.get(key)
        if isinstance(value, str):
            return value
        if key in node:
            self._notes.warn(f"{key} is not a string and is ignored", f"{at}/{key}")
        return None

    def logical(self, kind: str, props: Object, at: str, *, size: int = 0) -> Logical | None:
        """The logical type, if it is valid on ``kind``; one that is not is ignored and noted."""
        if "logicalType" not in props:
            return None
        result = logical.read(kind, props=props, size=size)
        if isinstance(result, str):
            self._notes.warn(f"{result}; it is read as {kind}", f"{at}/logicalType")
            return None
        return result

    def default(self, node: Object, type_: Type, at: str) -> Json | Missing:
        """A field's default; numbers may be written as strings, whether they fit is judged when all types are known."""
        default: Json = node.get("default")
        if not isinstance(default, str) or type_.kind not in ("float", "double"):
            return default if "default" in node else MISSING
        value = number(default)
        if value is None:
            reason = f"invalid default for field {node['name']}: {shown(default)} is not a {type_.kind}"
            raise self._notes.error(reason, f"{at}/default")
        return value

    def order(self, node: Object, at: str) -> Order:
        """How a field sorts, in any case of letters."""
        if "order" not in node:
            return "ascending"
        order = node["order"]
        lower = order.lower() if isinstance(order, str) and order.isascii() else ""
        if lower not in _ORDERS:
            reason = f"{shown(order)} is not an order; write ascending, descending or ignore"
            raise self._notes.error(reason, f"{at}/order")
        return cast(Order, lower)
