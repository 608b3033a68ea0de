"""Avro schemas, compatibility verdicts and a safe, fast codec for typed classes; no dependency."""

from treaty_avro.errors import AvroError as AvroError
from treaty_avro.errors import ClassMismatch as ClassMismatch
from treaty_avro.errors import DecodeError as DecodeError
from treaty_avro.errors import EncodeError as EncodeError
from treaty_avro.errors import ResolutionError as ResolutionError
from treaty_avro.errors import SchemaError as SchemaError
from treaty_avro.errors import SchemaLimit as SchemaLimit
from treaty_avro.jsontext import Span as Span
from treaty_avro.model import MISSING as MISSING
from treaty_avro.model import Array as Array
from treaty_avro.model import Enum as Enum
from treaty_avro.model import Field as Field
from treaty_avro.model import Fixed as Fixed
from treaty_avro.model import Logical as Logical
from treaty_avro.model import Map as Map
from treaty_avro.model import Name as Name
from treaty_avro.model import Named as Named
from treaty_avro.model import Primitive as Primitive
from treaty_avro.model import Record as Record
from treaty_avro.model import Type as Type
from treaty_avro.model import Union as Union
from treaty_avro.parse import parse as parse
from treaty_avro.schema import Notice as Notice
from treaty_avro.schema import Schema as Schema
