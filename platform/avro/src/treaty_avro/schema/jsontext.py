"""JSON texts of schemas: strict reading, and the place of each value.

Laws: what is read is plain JSON, without repeated keys, lone surrogates, NaN or comments; whatever is refused is refused
with a line and a column. Positions are worked out only when somebody asks.
"""

from __future__ import annotations

import itertools
import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NoReturn

from treaty_avro.errors import SchemaError, SchemaLimit
from treaty_avro.schema.model import Json

MAX_BYTES: Final = 1_048_576
MAX_NESTING: Final = 400
MAX_DIGITS: Final = 1_000

# An unfinished string is one token to the end of the text: to look for its quote again from every offset takes quadratic time.
_TOKEN: Final = re.compile(r'([{}\[\],:])|("(?:[^"\\]|\\.)*+"?)|([^ \t\n\r{}\[\],:"]+)', re.DOTALL)
_INDEX: Final = re.compile("[0-9]{1,9}")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_ESCAPED_SURROGATE: Final = re.compile(r"\\(?:u([dD][89a-fA-F][0-9a-fA-F]{2})|.)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of text: 1-based lines and columns in code points; the end is the first column after it."""

    line: int
    column: int
    end_line: int
    end_column: int


@dataclass(frozen=True, slots=True)
class Token:
    """A bracket, comma, colon, string or bare word, with its offsets in the text."""

    text: str
    start: int
    end: int


def read(text: str, *, path: str) -> Json:
    """The value of a JSON text; raises ``SchemaError`` (or ``SchemaLimit``) that says where the text is at fault.

    Floats that overflow, integers of more than 1,000 digits and nesting above 400 are refused beside what JSON refuses.
    """
    _refuse_large(text, path=path)
    if not text.isascii() or "\\u" in text:
        _refuse_surrogates(text, path=path)
    try:
        return _DECODER.decode(text)
    except json.JSONDecodeError as error:
        _fail(text, error.pos, _sentence(text, error), path=path)
    except RecursionError:
        raise SchemaLimit("the JSON is nested deeper than the stack that is left", path=path) from None
    except _Refused as refused:
        _fail(text, _find(text, refused), refused.reason, path=path)


class Places:
    """Where each part of a valid JSON text stands, by RFC 6901 pointer.

    What is kept grows with the text, not with the pointers into it: a key of half a megabyte over a long list would
    otherwise stand in the pointer of every item.
    """

    def __init__(self, text: str) -> None:
        """Walk the text once."""
        self._lines = Lines(text)
        self._parts = _walk(text)

    def __getitem__(self, pointer: str) -> tuple[Span, Span]:
        """The spans of a value's key (its own, where it has none) and of the value; ``KeyError`` if nothing is there."""
        part = self._parts
        for token in pointer.split("/")[1:]:
            part = part.child(token.replace("~1", "/").replace("~0", "~"))
        return self._lines.span(*part.key), self._lines.span(*part.value)

    def pointers(self) -> Iterator[str]:
        """Every pointer; together they can be far longer than the text."""
        waiting = [("", self._parts)]
        while waiting:
            pointer, part = waiting.pop()
            yield pointer
            waiting.extend((f"{pointer}/{escape(token)}", child) for token, child in part.children())


def escape(token: str) -> str:
    """A reference token as RFC 6901 writes it."""
    return token.replace("~", "~0").replace("/", "~1")


class Lines:
    """Offsets of a text as lines and columns."""

    def __init__(self, text: str) -> None:
        """Find the line starts once."""
        self._starts = [0, *(match.end() for match in re.finditer(r"\r\n|\n|\r", text))]

    def at(self, offset: int) -> tuple[int, int]:
        """1-based line and column of an offset."""
        low, high = 0, len(self._starts)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self._starts[middle] <= offset else (low, middle)
        return low + 1, offset - self._starts[low] + 1

    def span(self, start: int, end: int) -> Span:
        """The span between two offsets."""
        return Span(*self.at(start), *self.at(end))


class _Refused(Exception):  # private, turned at once
    """JSON that Python reads and we do not; ``literal`` or ``key`` finds it again."""

    def __init__(self, reason: str, *, literal: str = "", repeated: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.literal = literal
        self.repeated = repeated


def _object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    result = dict(pairs)
    if len(result) != len(pairs):
        repeated = next(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
        raise _Refused(f"the key {_shown(repeated)} stands twice in one object; keep one", repeated=repeated)
    return result


def _integer(literal: str) -> int:
    if len(literal) > MAX_DIGITS:
        raise _Refused(f"an integer of {len(literal)} digits; the limit is {MAX_DIGITS}", literal=literal)
    return int(literal)


def _float(literal: str) -> float:
    value = float(literal)
    if value in (float("inf"), float("-inf")):
        raise _Refused(f"{_shown(literal)} is too large for a double", literal=literal)
    return value


def _constant(literal: str) -> NoReturn:
    raise _Refused(
        f"{literal} is not JSON; write a number, or a string where the type is float or double", literal=literal
    )


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_integer, parse_float=_float, parse_constant=_constant
)


def _refuse_large(text: str, *, path: str) -> None:
    size = len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
    if size > MAX_BYTES:
        raise SchemaLimit(f"the text has {size:,} bytes; the limit is {MAX_BYTES:,}", path=path)
    # Counted before parsing: the C scanner's own recursion guard depends on the caller's depth.
    if text.count("[") + text.count("{") <= MAX_NESTING:
        return
    depth = 0
    for match in _TOKEN.finditer(text):
        if match[1] in ("[", "{"):
            depth += 1
            if depth > MAX_NESTING:
                line, column = Lines(text).at(match.start(1))
                reason = f"the JSON is nested {depth} levels deep; the limit is {MAX_NESTING}"
                raise SchemaLimit(reason, path=path, line=line, column=column)
        elif match[1] in ("]", "}"):
            depth -= 1


def _refuse_surrogates(text: str, *, path: str) -> None:
    raw = _SURROGATE.search(text)
    if raw:
        _fail(text, raw.start(), "a lone surrogate; the text is not valid Unicode", path=path)
    waiting: re.Match[str] | None = None
    for match in _ESCAPED_SURROGATE.finditer(text) if "\\u" in text else ():
        unit = match[1]
        follows = waiting is not None and waiting.end() == match.start()
        if waiting is not None and not (follows and unit and unit[1] in "cdefCDEF"):
            break
        if waiting is None and unit:
            waiting = match
            if unit[1] in "cdefCDEF":
                break
        else:
            waiting = None
    if waiting is not None:
        _fail(text, waiting.start(), f"{waiting[0]} is a lone surrogate; write the whole pair", path=path)


def _sentence(text: str, error: json.JSONDecodeError) -> str:
    if not text.strip():
        return "the text is empty; a schema is expected"
    if text.startswith("\ufeff"):
        return "the text begins with a byte order mark; save it as UTF-8 without one"
    rest = text[error.pos :].lstrip()
    if rest.startswith(("//", "/*", "#")):
        return "comments are not JSON; say it in a doc"
    if rest.startswith(("<<<<<<<", "=======", ">>>>>>>", "|||||||")):
        return "a merge marker; finish the merge"
    return f"not JSON: {error.msg[0].lower()}{error.msg[1:]}"


def _find(text: str, refused: _Refused) -> int:
    """Where a refused value stands: Python's hooks do not say."""
    if refused.repeated is not None:
        return _second(text, refused.repeated)
    return next((token.start for token in _tokens(text) if token.text == refused.literal), 0)


def _second(text: str, key: str) -> int:
    """Offset of the first key in the text that stands for a second time in its object."""
    open_objects: list[set[str]] = []
    tokens = list(_tokens(text))
    for token, follower in itertools.pairwise(tokens):
        if token.text in ("{", "["):
            open_objects.append(set())
        elif token.text in ("}", "]"):
            open_objects.pop()
        elif follower.text == ":":
            name = json.loads(token.text)
            if name == key and name in open_objects[-1]:
                return token.start
            open_objects[-1].add(name)
    return 0


def _fail(text: str, offset: int, reason: str, *, path: str) -> NoReturn:
    line, column = Lines(text).at(min(offset, len(text)))
    raise SchemaError(reason, path=path, line=line, column=column)


def _shown(value: str) -> str:
    return json.dumps(value if len(value) <= 80 else value[:79] + "…", ensure_ascii=False)


def _tokens(text: str) -> Iterator[Token]:
    for match in _TOKEN.finditer(text):
        group = match.lastindex or 0
        yield Token(match[group], match.start(group), match.end(group))


class _Part:
    """A value in the text: offsets of its key and of itself, and its parts, by key or in order."""

    __slots__ = ("_held", "key", "value")

    def __init__(
        self, key: tuple[int, int], value: tuple[int, int], held: dict[str, _Part] | list[_Part] | None
    ) -> None:
        self.key, self.value, self._held = key, value, held

    def add(self, name: str, part: _Part) -> None:
        """Take a part in; a list's come in order."""
        if isinstance(self._held, list):
            self._held.append(part)
        elif self._held is not None:
            self._held[name] = part

    def child(self, token: str) -> _Part:
        """The part of that key or index; raises ``KeyError``."""
        if isinstance(self._held, dict):
            return self._held[token]
        if not isinstance(self._held, list) or not _INDEX.fullmatch(token) or int(token) >= len(self._held):
            raise KeyError(token)
        return self._held[int(token)]

    def children(self) -> Iterator[tuple[str, _Part]]:
        """All parts with their keys or indexes."""
        if isinstance(self._held, dict):
            yield from self._held.items()
        elif self._held is not None:
            yield from ((str(index), part) for index, part in enumerate(self._held))

    @property
    def has_keys(self) -> bool:
        """Whether it is an object."""
        return isinstance(self._held, dict)


def _walk(text: str) -> _Part:
    """The whole text as parts."""
    whole = _Part((0, 0), (0, 0), [])
    stack, member = [whole], None
    for token in _tokens(text):
        if token.text in (",", ":"):
            continue
        if token.text in ("}", "]"):
            done = stack.pop()
            is_unnamed = done.key == done.value
            done.value = (done.value[0], token.end)
            done.key = done.value if is_unnamed else done.key
        elif stack[-1].has_keys and member is None:
            member = token
        else:
            value = (token.start, token.end)
            held = _empty(token.text)
            part = _Part(value if member is None else (member.start, member.end), value, held)
            stack[-1].add("" if member is None else json.loads(member.text), part)
            member = None
            if held is not None:
                stack.append(part)
    return whole.child("0")


def _empty(opening: str) -> dict[str, _Part] | list[_Part] | None:
    return {} if opening == "{" else [] if opening == "[" else None
