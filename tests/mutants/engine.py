"""The Avro engine: compatibility, resolution and numbers on the wire by every small fault, both decoders by their guards."""

from __future__ import annotations

from typing import Final

from tests.mutants.area import ROOT, Area
from tests.mutants.guards import GUARDS

ENGINE: Final = Area(
    name="avro",
    package=ROOT / "platform/avro/src/treaty_avro",
    tests="tests/treaty_avro",
    modules={
        "compat.checker": (
            "test_compat.py",
            "test_resolve_limits.py",
            "test_compat_levels.py",
            "test_public_suites.py",
            "test_resolve.py",
            "test_resolve_unions.py",
        ),
        "plan.resolve": (
            "test_resolve.py",
            "test_resolve_unions.py",
            "test_resolve_limits.py",
            "test_public_suites.py",
            "test_codec_classes.py",
            "test_codec.py",
        ),
        "values.wire": (
            "test_wire.py",
            "test_quick_ways.py",
            "test_wire_guard.py",
            "test_codec.py",
            "test_codec_classes.py",
            "test_codec_witness.py",
        ),
        "straightline.emit_decode": ("test_wire_guard.py", "test_codec.py", "test_codec_witness.py"),
        "straightline.read_scalars": ("test_wire_guard.py", "test_codec.py", "test_codec_witness.py"),
        "straightline.depth": ("test_wire_guard.py", "test_codec.py"),
        "interpret.decoding": ("test_wire_guard.py", "test_codec.py", "test_codec_witness.py"),
    },
    faulted=frozenset({"compat.checker", "plan.resolve", "values.wire"}),
    page=ROOT / "docs/avro/mutants.md",
    guards=GUARDS,
    processor_seconds=90,
    slow=("too_wide", "that_differ_in_every_field", "both_back_ends_agree", "malls_events", "wide_records"),
)
