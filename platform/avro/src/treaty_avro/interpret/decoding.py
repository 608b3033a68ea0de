"""The slow decoder: the same plan and limits as the fast one, walked node by node, with path and offset at hand.

It judges what the fast one refused, and in tests everything that the fast one accepts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from treaty_avro.errors import DecodeError
from treaty_avro.interpret.paths import Path
from treaty_avro.plan.binding import build
from treaty_avro.plan.nodes import AGAIN, KEEP, PRIVATE, Node, Op, Plan
from treaty_avro.plan.resolve import Unreadable
from treaty_avro.values.decimals import rescaled
from treaty_avro.values.durations import as_tuple
from treaty_avro.values.meaning import Meaning, reader_of
from treaty_avro.values.tagged import Tagged
from treaty_avro.values.wire import (
    LONG_MAX,
    LONG_MIN,
    Limits,
    Refused,
    as_bytes,
    nearest_float,
    read_block,
    read_index,
    read_int,
    read_length,
    read_long,
    unpack_double,
    unpack_float,
)


def decode(plan: Plan, data: object, *, start: int = 0, limits: Limits) -> Any:
    """The value that begins at ``start`` and ends with the data; raises ``DecodeError``, and nothing else."""
    reader = _Reader(plan, limits)
    try:
        return reader.whole(data, start)
    except Refused as refused:
        error = DecodeError(refused.reason, code=refused.code, offset=refused.offset, path=str(reader.path))
    except RecursionError:
        reason = "records are nested deeper than the stack that is left"
        error = DecodeError(reason, code="depth", offset=reader.at, path=str(reader.path))
    except Exception as problem:  # noqa: BLE001  # the law: bytes raise DecodeError, whatever a class's constructor does
        reason = f"{type(problem).__name__} while the value was built"
        error = DecodeError(reason, code="internal", offset=reader.at, path=str(reader.path))
    raise error


class _Reader:
    def __init__(self, plan: Plan, limits: Limits) -> None:
        self.at = 0
        self.path = Path()
        self._plan = plan
        self._data = b""
        self._values = limits.max_values
        self._zero_width = limits.max_zero_width
        self._depth = limits.max_depth
        self._is_skipping = False

    def whole(self, data: object, start: int) -> Any:
        self._data = as_bytes(data)
        if not 0 <= start <= len(self._data):
            raise Refused("input", 0, f"start {start} is outside the data of {len(self._data)} bytes")
        self.at = start
        value = self.value(self._plan.root)
        if self.at != len(self._data):
            raise Refused("trailing", self.at, f"{len(self._data) - self.at} bytes are left over")
        return value

    def value(self, place: int) -> Any:
        node = self._plan.nodes[place]
        return _READERS[node[0]](self, node)

    def null(self, _: Node) -> None:
        return None

    def boolean(self, _: Node) -> bool:
        byte = self._take(1)[0]
        if byte > 1:
            raise Refused("bool", self.at - 1, f"byte {byte} is no boolean")
        return byte == 1

    def int_(self, _: Node) -> int:
        value, self.at = read_int(self._data, self.at)
        return value

    def long(self, _: Node) -> int:
        value, self.at = read_long(self._data, self.at)
        return value

    def float_(self, _: Node) -> float:
        return unpack_float(self._take(4))[0]  # type: ignore[no-any-return]  # a struct's layout is text

    def double(self, _: Node) -> float:
        return unpack_double(self._take(8))[0]  # type: ignore[no-any-return]  # a struct's layout is text

    def bytes_(self, _: Node) -> bytes:
        length, self.at = read_length(self._data, self.at)
        return self._take(length)

    def string(self, _: Node) -> str:
        length, begin = read_length(self._data, self.at)
        self.at = begin
        data = self._take(length)
        try:
            return "" if self._is_skipping else data.decode()
        except UnicodeDecodeError as error:
            raise Refused("utf8", begin + error.start, "the text is not UTF-8") from None

    def fixed(self, node: Node) -> Any:
        data = self._take(node[1])
        return data if node[2] < 0 else self._plan.consts[node[2]](data)

    def enum(self, node: Node) -> Any:
        begin = self.at
        index, self.at = read_index(self._data, begin)
        members = self._plan.consts[node[1]]
        if index >= len(members):
            raise Refused("index", begin, f"symbol {index} of {len(members)}")
        return self._known(members[index], begin)

    def array(self, node: Node) -> list[Any]:
        items: list[Any] = []
        while (block := self._block(node)) is not None:
            numbers = range(len(items), len(items) + block[0])
            if node[2] == 0 and numbers:
                items += self._alike(node[1], numbers)
            else:
                for number in numbers:
                    with self.path.item(number):
                        items.append(self.value(node[1]))
            self._leave(block)
        return items

    def _alike(self, place: int, numbers: range) -> list[Any]:
        # Items without bytes are all one; three bytes of data can announce 65,536 of them. The value that is made
        # here is never handed out, so that one object may stand for all.
        with self.path.item(numbers.start):
            before = self._values
            item = self.value(place)
            self._pay((before - self._values) * (len(numbers) - 1))
        return [item] * len(numbers)

    def map_(self, node: Node) -> dict[str, Any]:
        entries: dict[str, Any] = {}
        while (block := self._block(node)) is not None:
            for _ in range(block[0]):
                key = self.string(node)
                with self.path.item(key):
                    entries[key] = self.value(node[1])
            self._leave(block)
        return entries

    def _block(self, node: Node) -> tuple[int, int, int] | None:
        """The next block's count, its begin and its end (-1: not said); None after the last."""
        begin = self.at
        count, self.at, end = read_block(self._data, begin)
        if count == 0 and end < 0:
            return None
        self._afford(count, node, begin)
        if self._is_skipping and end >= 0:
            self.at, count = end, 0
        return count, begin, end

    def _leave(self, block: tuple[int, int, int]) -> None:
        _, begin, end = block
        if end >= 0 and self.at != end:
            raise Refused("block_size", begin, f"a block said to end at {end} ends at {self.at}")

    def _afford(self, count: int, node: Node, begin: int) -> None:
        width, cost = node[2], node[3]
        left = len(self._data) - self.at
        if count * width > left:
            raise Refused("count", begin, f"{count} items, {left} bytes are left")
        self._values -= count * cost
        if width == 0:
            self._zero_width -= count
        if self._values < 0 or self._zero_width < 0:
            raise Refused("budget", begin, f"{count} items are more values than one message may hold")

    def optional(self, node: Node) -> Any:
        begin = self.at
        index, self.at = read_index(self._data, begin)
        if index > 1:
            raise Refused("index", begin, f"branch {index} of 2")
        return None if index == node[1] else self.value(node[2])

    def union(self, node: Node) -> Any:
        begin = self.at
        index, self.at = read_index(self._data, begin)
        if index >= len(node[1]):
            raise Refused("index", begin, f"branch {index} of {len(node[1])}")
        return self.value(node[1][index])

    def record(self, node: Node) -> Any:
        self._depth -= 1
        if self._depth < 0:
            raise Refused("depth", self.at, "more records are open at once than one message may hold")
        _, cls, fields, defaults = node
        values: dict[str, Any] = {}
        for name, child, flags in fields:
            begin = self.at
            with self.path.field(name, is_private=bool(flags & PRIVATE)):
                value = self.value(child)
            if flags & KEEP:
                values[name] = value
            if flags & AGAIN:
                self.at = begin
        self._depth += 1
        if cls < 0:
            return None
        for name, const, made in defaults:
            default = self._plan.consts[const]
            values[name] = default() if made else default
        return build(self._plan.consts[cls], values)

    def ref(self, node: Node) -> Any:
        self._pay(node[2])
        return self.value(node[1])

    def _pay(self, cost: int) -> None:
        self._values -= cost
        if self._values < 0:
            raise Refused("budget", self.at, "more values than one message may hold")

    def logical(self, node: Node) -> Any:
        _, child, meaning, a, b = node
        begin = self.at
        raw = self.value(child)
        base = self._plan.nodes[child]
        size = base[1] if base[0] is Op.FIXED else -1
        make = self._plan.consts[a] if meaning is Meaning.DURATION else as_tuple
        read = reader_of(meaning, a, b, size=size, make=make)
        return self._meant(lambda: read(raw.encode() if isinstance(raw, str) else raw), begin)

    def promote(self, node: Node) -> float:
        raw: int = self.value(node[1])
        return nearest_float(raw) if node[3] == Op.FLOAT else float(raw)

    def coerce(self, node: Node) -> Any:
        _, child, kind, a, b = node
        begin = self.at
        raw = self.value(child)
        if kind == 1:
            return self._meant(lambda: rescaled(raw, a, b), begin)
        value = raw * a // b
        if not LONG_MIN <= value <= LONG_MAX:
            raise Refused("logical", begin, f"{raw} does not fit the reader's unit")
        return value

    def skip(self, node: Node) -> None:
        self._is_skipping = True
        self.value(node[1])
        self._is_skipping = False

    def tag(self, node: Node) -> Any:
        return Tagged(self._plan.consts[node[2]], self.value(node[1]))

    def error(self, node: Node) -> Any:
        return self._known(self._plan.consts[node[1]], self.at)

    def _known(self, member: Any, begin: int) -> Any:
        if isinstance(member, Unreadable):
            raise Refused(member.code, begin, member.text)
        return member

    def _meant(self, read: Callable[[], Any], begin: int) -> Any:
        try:
            return read()
        except (ValueError, ArithmeticError) as error:
            reason = "is not what its logical type allows" if self.path.is_private else str(error)
            raise Refused("logical", begin, reason) from None

    def _take(self, size: int) -> bytes:
        end = self.at + size
        if end > len(self._data):
            raise Refused("truncated", len(self._data), f"{end - len(self._data)} more bytes are needed")
        data = self._data[self.at : end]
        self.at = end
        return data


_READERS: Final[dict[Op, Callable[[_Reader, Node], Any]]] = {
    Op.NULL: _Reader.null,
    Op.BOOL: _Reader.boolean,
    Op.INT: _Reader.int_,
    Op.LONG: _Reader.long,
    Op.FLOAT: _Reader.float_,
    Op.DOUBLE: _Reader.double,
    Op.BYTES: _Reader.bytes_,
    Op.STRING: _Reader.string,
    Op.FIXED: _Reader.fixed,
    Op.ENUM: _Reader.enum,
    Op.ARRAY: _Reader.array,
    Op.MAP: _Reader.map_,
    Op.OPTIONAL: _Reader.optional,
    Op.UNION: _Reader.union,
    Op.RECORD: _Reader.record,
    Op.REF: _Reader.ref,
    Op.LOGICAL: _Reader.logical,
    Op.PROMOTE: _Reader.promote,
    Op.COERCE: _Reader.coerce,
    Op.SKIP: _Reader.skip,
    Op.ERROR: _Reader.error,
    Op.TAG: _Reader.tag,
}
