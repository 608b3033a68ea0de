"""Source that builds a record's object and fills it: a dictionary, a twin, slots, or keywords, whichever is fastest."""

from __future__ import annotations

from collections.abc import Callable

from treaty_avro.plan.binding import is_slotted, slot
from treaty_avro.plan.construct import Factory
from treaty_avro.plan.nodes import AGAIN, KEEP, Node, Plan
from treaty_avro.straightline.layout import twin
from treaty_avro.straightline.source import Source


class Objects:
    """Emits into one source; ``value`` emits what reads a node and assigns it to a target."""

    def __init__(self, plan: Plan, source: Source, value: Callable[[int, str], None]) -> None:
        """Nodes and constants are the plan's."""
        self._plan, self._source, self._value = plan, source, value

    def emit(self, node: Node, target: str) -> None:
        """Emit what reads the record's fields and assigns the object to ``target``."""
        _, place, fields, _ = node
        if place < 0:
            for _, child, _ in fields:
                self._value(child, self._source.fresh())
        elif self._plan.consts[place] is dict:
            self._built(node, target, is_dict=True)
        else:
            cls = self._plan.consts[place]
            names = [name for name, _, flags in fields if flags & KEEP] + [name for name, _, _ in node[3]]
            made = twin(cls, names)
            if made is not None:
                self._twinned(node, made, target)
            elif is_slotted(cls, names):
                self._slotted(node, target)
            else:
                self._built(node, target, is_dict=False)

    def _twinned(self, node: Node, made: type, target: str) -> None:
        source = self._source
        name = target if target.isidentifier() else source.fresh()
        source.line(f"{name} = {source.const(made)}()")
        self._fields(node, lambda attribute: f"{name}.{attribute}")
        source.line(f"{name}.__class__ = {self._const(node[1])}")
        if name != target:
            source.line(f"{target} = {name}")

    def _slotted(self, node: Node, target: str) -> None:
        source, name = self._source, self._source.fresh()
        cls = self._plan.consts[node[1]]
        values = self._fields(node, lambda _: source.fresh())
        source.line(f"{name} = NEW({self._const(node[1])})")
        for attribute, value in values.items():
            found = slot(cls, attribute)
            if found is not None:
                source.line(f"{source.const(found.__set__)}({name}, {value})")
        source.line(f"{target} = {name}")

    def _built(self, node: Node, target: str, *, is_dict: bool) -> None:
        source = self._source
        values = self._fields(node, lambda _: source.fresh())
        entries = "".join(f"{source.const(name)}: {value}, " for name, value in values.items())
        made = f"{{{entries}}}"
        source.line(f"{target} = {made if is_dict else f'{self._const(node[1])}(**{made})'}")

    def _fields(self, node: Node, place: Callable[[str], str]) -> dict[str, str]:
        """Emit each field into the target that ``place`` gives for its attribute; the targets."""
        source = self._source
        targets: dict[str, str] = {}
        for attribute, child, flags in node[2]:
            again = source.fresh() if flags & AGAIN else ""
            if again:
                source.line(f"{again} = i")
            if flags & KEEP:
                targets[attribute] = place(attribute)
            self._value(child, targets[attribute] if flags & KEEP else source.fresh())
            if again:
                source.line(f"i = {again}")
        for attribute, const, made in node[3]:
            targets[attribute] = place(attribute)
            source.line(
                f"{targets[attribute]} = {self._default(self._plan.consts[const]) if made else self._const(const)}"
            )
        return targets

    def _default(self, factory: Factory) -> str:
        value = factory()
        if type(value) in (list, dict) and not value:
            return "[]" if type(value) is list else "{}"
        return f"{self._source.const(factory)}()"

    def _const(self, place: int) -> str:
        return self._source.const(self._plan.consts[place])
