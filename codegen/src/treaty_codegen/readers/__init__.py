"""Which line of which program reads which field of an event: found in the code, without running it."""

from treaty_codegen.readers.model import Handled, Read, Readers, Scan, Unknown
from treaty_codegen.readers.older import with_fields_of
from treaty_codegen.readers.scan import scan

__all__ = ["Handled", "Read", "Readers", "Scan", "Unknown", "scan", "with_fields_of"]
