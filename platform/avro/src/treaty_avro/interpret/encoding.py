"""The slow encoder: the same plan and limits as the fast one, walked node by node, with the path at hand.

It says what the fast one refused, chooses among branches of one class, and in tests judges what the fast one writes.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, Final

from treaty_avro.errors import EncodeError
from treaty_avro.interpret.paths import Path
from treaty_avro.plan.branches import branch_of
from treaty_avro.plan.nodes import PRIVATE, Node, Op, Plan
from treaty_avro.plan.resolve import Unreadable
from treaty_avro.values import wire
from treaty_avro.values.meaning import writer_of
from treaty_avro.values.shown import shown
from treaty_avro.values.tagged import Tagged
from treaty_avro.values.wire import Limits, long_bytes


def encode(plan: Plan, value: object, *, limits: Limits) -> bytes:
    """The bytes of a value; raises ``EncodeError``, and nothing else."""
    writer = _Writer(plan, limits)
    try:
        writer.write(plan.root, value)
    except _Stopped as refused:
        error = EncodeError(str(refused), path=str(writer.path))
    except RecursionError:
        error = EncodeError("records are nested deeper than the stack that is left", path=str(writer.path))
    except Exception as problem:  # noqa: BLE001  # a property of the value may raise anything
        error = EncodeError(f"{type(problem).__name__} while the value was read", path=str(writer.path))
    else:
        return b"".join(writer.out)
    raise error


def encode_part(plan: Plan, place: int, value: object, *, limits: Limits, depth: int, left: list[int]) -> bytes:
    """The bytes of a value inside a message that has ``depth`` records open and ``left`` values and zero-width items."""
    writer = _Writer(plan, limits)
    writer.begin(depth, left)
    writer.write(place, value)
    left[:] = writer.left
    return b"".join(writer.out)


class _Stopped(ValueError):
    """The message cannot be written."""


class _Refused(_Stopped):
    """A value does not fit its node; another branch may take it."""


class _Spent(_Stopped):
    """The message holds too much; no other branch is tried."""


class _Writer:
    def __init__(self, plan: Plan, limits: Limits) -> None:
        self.out: list[bytes | bytearray] = []
        self.path = Path()
        self.left = [limits.max_values, limits.max_zero_width]
        self._plan = plan
        self._depth = limits.max_depth

    def begin(self, depth: int, left: list[int]) -> None:
        self._depth -= depth
        self.left = list(left)

    def write(self, place: int, value: Any) -> None:
        node = self._plan.nodes[place]
        _WRITERS[node[0]](self, node, value)

    def null(self, _: Node, value: Any) -> None:
        if value is not None:
            raise self._unexpected("None", value)

    def boolean(self, _: Node, value: Any) -> None:
        if not isinstance(value, bool):
            raise self._unexpected("bool", value)
        self.out.append(b"\x01" if value else b"\x00")

    def number(self, node: Node, value: Any) -> None:
        self.out.append(self._checked(_NUMBERS[node[0]], value))

    def bytes_(self, _: Node, value: Any) -> None:
        if not isinstance(value, bytes | bytearray):
            raise self._unexpected("bytes", value)
        self._sized(value)

    def string(self, _: Node, value: Any) -> None:
        if not isinstance(value, str):
            raise self._unexpected("str", value)
        try:
            self._sized(value.encode())
        except UnicodeEncodeError:
            raise self._refused(value, "holds a lone surrogate, which UTF-8 cannot say") from None

    def fixed(self, node: Node, value: Any) -> None:
        if not isinstance(value, bytes | bytearray):
            raise self._unexpected("bytes", value)
        if len(value) != node[1]:
            raise self._refused(value, f"has {len(value)} bytes, the schema {node[1]}")
        self.out.append(value)

    def enum(self, node: Node, value: Any) -> None:
        members = self._plan.consts[node[1]]
        # By class first: a text equals a symbol only where symbols are texts.
        for index, member in enumerate(members):
            if type(member) is type(value) and member == value:
                self.out.append(long_bytes(index))
                return
        wanted = type(members[0]).__name__ if members and not isinstance(members[0], str) else "symbol"
        raise self._refused(value, f"is no {wanted} of the schema")

    def array(self, node: Node, value: Any) -> None:
        if not isinstance(value, list | tuple):
            raise self._unexpected("list", value)
        self._begin_items(node, value)
        for number, item in enumerate(value):
            with self.path.item(number):
                self.write(node[1], item)
        self.out.append(b"\x00")

    def map_(self, node: Node, value: Any) -> None:
        if not isinstance(value, dict):
            raise self._unexpected("dict", value)
        self._begin_items(node, value)
        for key, item in value.items():
            if not isinstance(key, str):
                raise self._refused(key, "is no str, and maps have only str keys")
            self.string(node, key)
            with self.path.item(key):
                self.write(node[1], item)
        self.out.append(b"\x00")

    def _begin_items(self, node: Node, value: Collection[Any]) -> None:
        self.left[0] -= len(value) * node[3]
        self.left[1] -= 0 if node[2] else len(value)
        if min(self.left) < 0:
            raise _Spent(f"{len(value)} items are more values than one message may hold")
        if value:
            self.out.append(long_bytes(len(value)))

    def optional(self, node: Node, value: Any) -> None:
        if value is None:
            self.out.append(long_bytes(node[1]))
        else:
            self.out.append(long_bytes(1 - node[1]))
            self.write(node[2], value)

    def union(self, node: Node, value: Any) -> None:
        _, children, table, names = node
        if names >= 0 and isinstance(value, Tagged):
            if value.name not in self._plan.consts[names]:
                raise self._unexpected(self._expected(node), value)
            index, value = self._plan.consts[names].index(value.name), value.value
        else:
            index = branch_of(self._plan.consts[table], type(value))
        if index is None:
            raise self._unexpected(self._expected(node), value)
        if isinstance(index, int):
            self._takes(index, children[index], value, is_last=True)
            return
        for each in index:
            is_rounded = self._plan.nodes[children[each]][0] is Op.FLOAT and not wire.is_exact_float(value)
            if not is_rounded and self._takes(each, children[each], value, is_last=False):
                return
        raise self._refused(value, f"fits none of {self._expected(node)}")

    def _takes(self, index: int, child: int, value: Any, *, is_last: bool) -> bool:
        written, steps, depth = len(self.out), len(self.path), self._depth
        self.out.append(long_bytes(index))
        try:
            self.write(child, value)
        except _Refused:
            if is_last:
                raise
            # What was tried stays paid: values that fit nothing cannot be tried for ever.
            del self.out[written:]
            self.path.cut(steps)
            self._depth = depth
            self._pay(1)
            return False
        return True

    def record(self, node: Node, value: Any) -> None:
        _, cls, fields, _ = node
        self._depth -= 1
        if self._depth < 0:
            raise _Spent("more records are open at once than one message may hold")
        is_dict = self._plan.consts[cls] is dict
        if not isinstance(value, self._plan.consts[cls]):
            raise self._unexpected(self._plan.consts[cls].__name__, value)
        for name, child, flags in fields:
            with self.path.field(name, is_private=bool(flags & PRIVATE)):
                try:
                    item = value[name] if is_dict else getattr(value, name)
                except (KeyError, AttributeError):
                    raise _Refused("is missing") from None
                self.write(child, item)
        if is_dict and len(value) != len(fields):
            unknown = next(key for key in value if key not in {name for name, _, _ in fields})
            raise _Refused(f"the schema has no field {shown(unknown)}")
        self._depth += 1

    def ref(self, node: Node, value: Any) -> None:
        self._pay(node[2])
        self.write(node[1], value)

    def _pay(self, cost: int) -> None:
        self.left[0] -= cost
        if self.left[0] < 0:
            raise _Spent("more values than one message may hold")

    def logical(self, node: Node, value: Any) -> None:
        _, child, meaning, a, b = node
        base = self._plan.nodes[child]
        raw = self._checked(writer_of(meaning, a, b, size=base[1] if base[0] is Op.FIXED else -1), value)
        if base[0] in (Op.INT, Op.LONG):
            self.out.append(long_bytes(raw))
        elif base[0] is Op.FIXED:
            self.out.append(raw)
        else:
            self._sized(raw)

    def error(self, node: Node, value: Any) -> None:
        unreadable: Unreadable = self._plan.consts[node[1]]
        raise self._refused(value, unreadable.text)

    def _sized(self, data: bytes | bytearray) -> None:
        self.out += (long_bytes(len(data)), data)

    def _checked(self, write: Callable[[Any], Any], value: Any) -> Any:
        try:
            return write(value)
        except (ValueError, TypeError, ArithmeticError) as error:
            raise self._refused(value, str(error)) from None

    def _refused(self, value: Any, reason: str) -> _Refused:
        if reason.startswith("expected "):
            return _Refused(reason)
        return _Refused(f"{shown(value, is_private=self.path.is_private)} {reason}")

    def _unexpected(self, wanted: str, value: Any) -> _Refused:
        return _Refused(f"expected {wanted}, got {type(value).__name__}")

    def _expected(self, union: Node) -> str:
        table, names = self._plan.consts[union[2]], union[3]
        if names >= 0:
            found = list(self._plan.consts[names])
        else:
            # The first class of each branch; bytes may stand for a fixed, tuples for lists.
            by_branch: dict[int | tuple[int, ...], str] = {}
            for cls, branch in table.items():
                by_branch.setdefault(branch, cls.__name__)
            found = list(by_branch.values())
        named = ["None" if name in ("null", "NoneType") else name for name in found]
        return " | ".join(sorted(dict.fromkeys(named), key="None".__eq__))


_NUMBERS: Final[dict[Op, Callable[[object], bytes]]] = {
    Op.INT: wire.checked_int,
    Op.LONG: wire.checked_long,
    Op.FLOAT: wire.float_bytes,
    Op.DOUBLE: wire.double_bytes,
}

_WRITERS: Final[dict[Op, Callable[[_Writer, Node, Any], None]]] = {
    Op.NULL: _Writer.null,
    Op.BOOL: _Writer.boolean,
    Op.INT: _Writer.number,
    Op.LONG: _Writer.number,
    Op.FLOAT: _Writer.number,
    Op.DOUBLE: _Writer.number,
    Op.BYTES: _Writer.bytes_,
    Op.STRING: _Writer.string,
    Op.FIXED: _Writer.fixed,
    Op.ENUM: _Writer.enum,
    Op.ARRAY: _Writer.array,
    Op.MAP: _Writer.map_,
    Op.OPTIONAL: _Writer.optional,
    Op.UNION: _Writer.union,
    Op.RECORD: _Writer.record,
    Op.REF: _Writer.ref,
    Op.LOGICAL: _Writer.logical,
    Op.ERROR: _Writer.error,
}
