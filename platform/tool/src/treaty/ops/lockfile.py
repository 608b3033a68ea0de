"""``schemas/schemas.lock``: what the last release consists of, short enough to be read in a diff."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from treaty_avro import fingerprint, parse
from treaty_codegen.breaking.facts import OldSet

LOCK = "schemas.lock"


def lock_text(released: OldSet, contracts: Mapping[str, str], *, version: str) -> str:
    """The file's text, JSON with sorted keys.

    Of each event the SHA-256 of its published text and the SHA-256 fingerprint of its Parsing Canonical Form (hexadecimal, Avro
    1.12), and ``contracts``: the version of its contract.
    """
    events = {
        name: {
            "contract": contracts[name],
            "fingerprint": fingerprint(parse(event.text, rules="stored")).hex(),
            "sha256": hashlib.sha256(event.text.encode()).hexdigest(),
        }
        for name, event in released.events.items()
    }
    return json.dumps({"release": version, "events": events}, indent=2, sort_keys=True) + "\n"
