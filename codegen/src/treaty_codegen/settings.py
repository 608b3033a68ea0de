"""What the SDK is to be called."""

from __future__ import annotations

import keyword
import re
import sys
from dataclasses import dataclass

from treaty_avro.schema.names import are_names, is_name
from treaty_codegen.errors import EmitError
from treaty_codegen.names import DEVICES
from treaty_codegen.publish import References


@dataclass(frozen=True, slots=True, kw_only=True)
class SdkSettings:
    """Names of the SDK: its import package, its distribution, the schema namespace that its root stands for.

    Raises ``EmitError`` where a name could not be one; ``version`` and ``requires_python`` go into metadata as they are.
    """

    package: str = "mall_events"
    distribution: str = "mall-events"
    namespace: str = "mall"
    version: str = "0.1.0.dev0"
    requires_python: str = ">=3.11"
    references: References = "inline"

    def __post_init__(self) -> None:
        """Check the names: they become file names and source."""
        if self.package.startswith("_") or not is_name(self.package) or keyword.iskeyword(self.package):
            raise EmitError(f"{self.package!r} is not an import package; use letters, digits and underscores")
        if self.package in sys.stdlib_module_names or self.package.casefold() in DEVICES:
            raise EmitError(
                f"{self.package!r} is a name of Python or Windows; choose another, like {self.package}_events"
            )
        if re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?", self.distribution) is None:
            raise EmitError(f"{self.distribution!r} is not the name of a distribution; use letters, digits and hyphens")
        if not are_names(self.namespace):
            raise EmitError(f"{self.namespace!r} is not an Avro namespace")
