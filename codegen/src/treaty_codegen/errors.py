"""Every error of the package; schema texts that do not parse raise ``treaty_avro.SchemaError`` itself."""

from __future__ import annotations

from treaty_avro.errors import one_line


class CodegenError(Exception):
    """Schemas could not be turned into code; the message names the place and the next step."""


class CatalogError(CodegenError):
    """``topics.toml`` breaks a rule. ``line`` is 1-based (0: the whole file)."""

    def __init__(self, reason: str, *, path: str = "topics.toml", line: int = 0) -> None:
        """Store the parts; the text reads ``path:line: reason``."""
        super().__init__(one_line(f"{path}:{line}: {reason}" if line else f"{path}: {reason}"))
        self.path = path
        self.line = line
        self.reason = reason


class EmitError(CodegenError):
    """A legal schema cannot become a class: its default, key or name has no Python form.

    ``line`` is 1-based (0: unknown); ``pointer`` is RFC 6901 into the schema file ("": the file itself).
    """

    def __init__(self, reason: str, *, path: str = "", line: int = 0, pointer: str = "") -> None:
        """Store the parts; the text reads ``path:line: pointer: reason``."""
        place = f"{path}:{line}" if line else path
        super().__init__(one_line(": ".join(part for part in (place, pointer, reason) if part)))
        self.path = path
        self.line = line
        self.pointer = pointer
        self.reason = reason


class GuardError(CodegenError):
    """Generated source is not what the emitter may write: a bug of treaty, nothing was written; please report it."""

    def __init__(self, reason: str, *, path: str, line: int = 0) -> None:
        """``path`` and ``line`` are of the generated module."""
        super().__init__(one_line(f"{path}:{line}: {reason}" if line else f"{path}: {reason}"))
        self.path = path
        self.line = line
        self.reason = reason
