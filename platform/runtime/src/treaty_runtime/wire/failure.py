"""An exception as the texts that travel with a failed record: class, cause, message, stack, fingerprint. No personal data."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from types import FrameType

from treaty_runtime.wire.masking import masked

MESSAGE_CHARACTERS = 500
STACK_BYTES = 8_192
_OWN_FRAMES = 5
_OURS = "treaty_runtime"
_LOOKED_AT, _LONGEST_PATTERN = 20_000, 400
"""Characters: masking looks at each several times, and some libraries put megabytes into an exception's text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """What is told about an exception. Classes are `module.Class`; ``frames`` are `module.function`, outermost first."""

    error_class: str
    cause_class: str | None
    message: str
    stack: str
    frames: tuple[str, ...]

    def fingerprint(self, *, group: str, event_type: str) -> str:
        """First 12 hex digits of SHA-256 over group, class, innermost own frames and event type: equal faults group together."""
        parts = (group, self.error_class, *self.frames[-_OWN_FRAMES:], event_type)
        return sha256("\x00".join(parts).encode()).hexdigest()[:12]


def describe(error: BaseException, *, secrets: Iterable[str] = ()) -> Failure:
    """Describes an exception; ``secrets`` are values that must not appear. Message and stack are cut to their limits."""
    hidden = tuple(secrets)
    causes = list(_causes(error))
    return Failure(
        error_class=class_name(error),
        cause_class=class_name(causes[-1]) if len(causes) > 1 else None,
        message=_told(error, hidden)[:MESSAGE_CHARACTERS],
        stack=_cut("\n".join(line for cause in reversed(causes) for line in _lines(cause, hidden))),
        frames=tuple(_own_frames(error)),
    )


def class_name(error: BaseException) -> str:
    """`module.Class` of an exception."""
    return f"{type(error).__module__}.{type(error).__qualname__}"


def place_of(error: BaseException) -> str:
    """The innermost function on an exception's way that is neither a library's nor Python's; empty if there is none."""
    frames = [
        frame for frame, _ in traceback.walk_tb(error.__traceback__) if _is_code_of_services(frame) or _is_ours(frame)
    ]
    return _place(frames[-1]) if frames else ""


def _told(error: BaseException, hidden: Sequence[str]) -> str:
    """The text of an exception, masked; of a huge one the beginning, without what the cut may have made unrecognizable."""
    text = _text(error)
    if len(text) <= _LOOKED_AT:
        return masked(text, hidden)
    return masked(text[:_LOOKED_AT], hidden)[: -max([_LONGEST_PATTERN, *map(len, hidden)])]


def _text(error: BaseException) -> str:
    try:
        text = str(error)
    except Exception:  # noqa: BLE001  # a broken __str__ must not hide the failure itself
        return "<no text>"
    return text.encode(errors="backslashreplace").decode()  # half a surrogate pair fits into no header and no log


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)


def _lines(error: BaseException, hidden: Sequence[str]) -> Iterator[str]:
    for frame, line in traceback.walk_tb(error.__traceback__):
        yield f"  {_place(frame)}:{line}"
    yield f"{class_name(error)}: {_told(error, hidden)}"


def _place(frame: FrameType) -> str:
    return f"{frame.f_globals.get('__name__', '?')}.{frame.f_code.co_qualname}"


def _own_frames(error: BaseException) -> Iterator[str]:
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    own = [frame for frame in frames if _is_code_of_services(frame)]
    return (_place(frame) for frame in (own or frames))


def _is_code_of_services(frame: FrameType) -> bool:
    root = _package(frame)
    is_library = root in sys.stdlib_module_names or "site-packages" in frame.f_code.co_filename
    return not (is_library or root == _OURS)


def _is_ours(frame: FrameType) -> bool:
    return _package(frame) == _OURS


def _package(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", "")).partition(".")[0]


def _cut(stack: str) -> str:
    """The innermost end of a stack that fits; a character cut in half is dropped."""
    return stack.encode()[-STACK_BYTES:].decode(errors="ignore")
