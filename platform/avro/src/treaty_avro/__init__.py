"""Avro schemas, compatibility verdicts and a safe, fast codec for typed classes; no dependency.

What reads schemas is loaded at once, all else by whoever asks for it first (PEP 562): a check of schemas needs no codec.
"""

import importlib as _importlib
import typing as _typing

from treaty_avro.errors import AmbiguousField as AmbiguousField
from treaty_avro.errors import AvroError as AvroError
from treaty_avro.errors import ClassMismatch as ClassMismatch
from treaty_avro.errors import DecodeError as DecodeError
from treaty_avro.errors import EncodeError as EncodeError
from treaty_avro.errors import ResolutionError as ResolutionError
from treaty_avro.errors import SchemaError as SchemaError
from treaty_avro.errors import SchemaLimit as SchemaLimit
from treaty_avro.schema.jsontext import Span as Span
from treaty_avro.schema.model import MISSING as MISSING
from treaty_avro.schema.model import Array as Array
from treaty_avro.schema.model import Enum as Enum
from treaty_avro.schema.model import Field as Field
from treaty_avro.schema.model import Fixed as Fixed
from treaty_avro.schema.model import Logical as Logical
from treaty_avro.schema.model import Map as Map
from treaty_avro.schema.model import Name as Name
from treaty_avro.schema.model import Named as Named
from treaty_avro.schema.model import Primitive as Primitive
from treaty_avro.schema.model import Record as Record
from treaty_avro.schema.model import Type as Type
from treaty_avro.schema.model import Union as Union
from treaty_avro.schema.parse import Rules as Rules
from treaty_avro.schema.parse import parse as parse
from treaty_avro.schema.references import parse_files as parse_files
from treaty_avro.schema.schema import Notice as Notice
from treaty_avro.schema.schema import Schema as Schema
from treaty_avro.text.canonical import canonical_text as canonical_text
from treaty_avro.text.canonical import inlined_text as inlined_text
from treaty_avro.text.canonical import parsing_canonical_form as parsing_canonical_form
from treaty_avro.text.fingerprint import Algorithm as Algorithm
from treaty_avro.text.fingerprint import fingerprint as fingerprint
from treaty_avro.text.fingerprint import fingerprint64 as fingerprint64

if _typing.TYPE_CHECKING:
    from treaty_avro.avrojson.convert import from_json as from_json
    from treaty_avro.avrojson.convert import to_json as to_json
    from treaty_avro.avrojson.style import Style as Style
    from treaty_avro.codec import Backend as Backend
    from treaty_avro.codec import BackendMissing as BackendMissing
    from treaty_avro.codec import Decoder as Decoder
    from treaty_avro.codec import Encoder as Encoder
    from treaty_avro.codec import compile_decoder as compile_decoder
    from treaty_avro.codec import compile_encoder as compile_encoder
    from treaty_avro.codec import compile_generic as compile_generic
    from treaty_avro.compat.checker import Incompatibility as Incompatibility
    from treaty_avro.compat.checker import incompatibilities as incompatibilities
    from treaty_avro.compat.messages import confluent_messages as confluent_messages
    from treaty_avro.compat.verdict import Direction as Direction
    from treaty_avro.compat.verdict import Finding as Finding
    from treaty_avro.compat.verdict import Level as Level
    from treaty_avro.compat.verdict import Verdict as Verdict
    from treaty_avro.compat.verdict import Version as Version
    from treaty_avro.compat.verdict import check as check
    from treaty_avro.examples.example import example as example
    from treaty_avro.plan.binding import schema_of as schema_of
    from treaty_avro.plan.nodes import Plan as Plan
    from treaty_avro.plan.resolve import Resolution as Resolution
    from treaty_avro.plan.resolve import resolve as resolve
    from treaty_avro.text.guid import confluent_guid as confluent_guid
    from treaty_avro.text.normalized import normalized_text as normalized_text
    from treaty_avro.values.tagged import Tagged as Tagged
    from treaty_avro.values.wire import LIMITS as LIMITS
    from treaty_avro.values.wire import Limits as Limits
else:
    _HOMES = {
        "from_json": "treaty_avro.avrojson.convert",
        "to_json": "treaty_avro.avrojson.convert",
        "Style": "treaty_avro.avrojson.style",
        "Backend": "treaty_avro.codec",
        "BackendMissing": "treaty_avro.codec",
        "Decoder": "treaty_avro.codec",
        "Encoder": "treaty_avro.codec",
        "compile_decoder": "treaty_avro.codec",
        "compile_encoder": "treaty_avro.codec",
        "compile_generic": "treaty_avro.codec",
        "Incompatibility": "treaty_avro.compat.checker",
        "incompatibilities": "treaty_avro.compat.checker",
        "confluent_messages": "treaty_avro.compat.messages",
        "Direction": "treaty_avro.compat.verdict",
        "Finding": "treaty_avro.compat.verdict",
        "Level": "treaty_avro.compat.verdict",
        "Verdict": "treaty_avro.compat.verdict",
        "Version": "treaty_avro.compat.verdict",
        "check": "treaty_avro.compat.verdict",
        "example": "treaty_avro.examples.example",
        "schema_of": "treaty_avro.plan.binding",
        "Plan": "treaty_avro.plan.nodes",
        "Resolution": "treaty_avro.plan.resolve",
        "resolve": "treaty_avro.plan.resolve",
        "confluent_guid": "treaty_avro.text.guid",
        "normalized_text": "treaty_avro.text.normalized",
        "Tagged": "treaty_avro.values.tagged",
        "LIMITS": "treaty_avro.values.wire",
        "Limits": "treaty_avro.values.wire",
    }

    def __getattr__(name: str) -> object:
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = globals()[name] = getattr(_importlib.import_module(_HOMES[name]), name)
        return value

    def __dir__() -> list[str]:
        return sorted({*globals(), *_HOMES})
