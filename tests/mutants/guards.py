"""Guards of the decoder, each with the text that switches it off: a test must fail for every one of them.

Both back ends are listed: the fast one refuses, the slow one says why, and either alone must not be enough.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Guard:
    """What is switched off, in which module, by which replacement; ``old`` stands there once."""

    name: str
    module: str
    old: str
    new: str


def _pass(name: str, module: str, condition: str) -> Guard:
    """A condition that guards a refusal, made false."""
    return Guard(name, module, f"if {condition}:", f"if False and ({condition}):")


def _gone(name: str, line: str) -> Guard:
    """A line of the fast decoder's source that is no longer emitted."""
    return Guard(name, "straightline.emit_decode", line, "pass")


GUARDS: Final = (
    _gone("fast: bytes left over", 'source.line("if i != len(b): raise Odd")'),
    _gone("fast: start below zero", 'source.line("if i < 0: raise Odd")'),
    _gone("fast: other index than null's and the value's", 'source.line("else: raise Odd")'),
    Guard("fast: union index too large", "straightline.emit_decode", "> {(len(node[1]) - 1) * step}", "> {1 << 80}"),
    Guard("fast: union index negative", "straightline.emit_decode", "f' or {index} & 1' if step == 2 else ''", "''"),
    _gone(
        "fast: items that the bytes left cannot hold", 'source.line(f"if {_times(count, node[2])} > z - i: raise Odd")'
    ),
    Guard("fast: items without width", "straightline.emit_decode", 'source.line("if q[1] < 0: raise Odd")', "pass"),
    _gone("fast: values of items", 'source.line(f"q[0] -= {_times(count, node[3])}")'),
    _gone("fast: values of a record behind a REF", 'source.line(f"q[0] -= {node[2]}")'),
    _gone("fast: a block's end", 'source.line(f"if {end} >= 0 and i != {end}: raise Odd")'),
    Guard("fast: negative or long count", "straightline.emit_decode", 'f"if {count} & 129:', 'f"if {count} & 128:'),
    Guard(
        "fast: negative or long length",
        "straightline.read_scalars",
        'f"if {end} & 129: {end}, {begin}',
        'f"if {end} & 128: {end}, {begin}',
    ),
    Guard("fast: negative or long number", "straightline.read_scalars", 'f"if not {a} & 129:', 'f"if not {a} & 128:'),
    Guard("fast: a padded number of two bytes", "straightline.read_scalars", "if 0 < {b} < 128:", "if {b} < 128:"),
    Guard("fast: a padded number of three bytes", "straightline.read_scalars", "if 0 < {c} < 128:", "if {c} < 128:"),
    Guard("fast: an int read as a long", "straightline.read_scalars", "'RI' if node[0] is Op.INT else 'RL'", "'RL'"),
    Guard(
        "fast: a boolean of any byte", "straightline.emit_decode", '"B": (False, True),', '"B": (False, True) * 128,'
    ),
    Guard(
        "fast: a unit beyond 64 bits",
        "straightline.emit_decode",
        "if not wire.LONG_MIN <= value <= wire.LONG_MAX:",
        "if False:",
    ),
    Guard(
        "fast: records open at once behind a REF",
        "straightline.depth",
        'self._source.line(f"if d > {self._most - self._open}: raise Odd")',
        "pass",
    ),
    Guard("fast: records nested by the schema itself", "straightline.depth", 'self._source.line("raise Odd")', "pass"),
    _pass("slow: bytes left over", "interpret.decoding", "self.at != len(self._data)"),
    _pass("slow: a start outside the data", "interpret.decoding", "not 0 <= start <= len(self._data)"),
    _pass("slow: a boolean of any byte", "interpret.decoding", "byte > 1"),
    _pass("slow: symbol index too large", "interpret.decoding", "index >= len(members)"),
    _pass("slow: a block's end", "interpret.decoding", "end >= 0 and self.at != end"),
    _pass("slow: items that the bytes left cannot hold", "interpret.decoding", "count * width > left"),
    _pass("slow: values and items without width", "interpret.decoding", "self._values < 0 or self._zero_width < 0"),
    Guard("slow: items without width", "interpret.decoding", "self._zero_width -= count", "pass"),
    Guard("slow: values of items", "interpret.decoding", "self._values -= count * cost", "pass"),
    Guard("slow: values of a record behind a REF", "interpret.decoding", "self._pay(node[2])", "pass"),
    _pass("slow: optional index too large", "interpret.decoding", "index > 1"),
    _pass("slow: union index too large", "interpret.decoding", "index >= len(node[1])"),
    _pass("slow: records open at once", "interpret.decoding", "self._depth < 0"),
    _pass("slow: a unit beyond 64 bits", "interpret.decoding", "not LONG_MIN <= value <= LONG_MAX"),
    _pass("slow: data that ends early", "interpret.decoding", "end > len(self._data)"),
    _pass("a padded number, or one of more than 64 bits", "values.wire", "last == 0"),
    _pass("an int of more than 5 bytes", "values.wire", "after - at > 5"),
    _pass("an int of more than 32 bits", "values.wire", "not INT_MIN <= value <= INT_MAX"),
    _pass("a length that is negative or too large", "values.wire", "length < 0 or length > len(data) - after"),
    _pass("a negative index", "values.wire", "index < 0"),
    _pass("a block's size that is negative or too large", "values.wire", "not 0 <= size <= len(data) - after"),
)
