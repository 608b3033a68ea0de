"""``python -m tests.fuzz.seeds``: writes the valid samples of ``properties`` into the corpus, named by their content."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

from tests.fuzz.properties import samples
from tests.treaty_avro.java import TEXTS

CORPUS: Final = Path(__file__).parent / "corpus"
EACH: Final = 6
"""Every sixth recorded text: one of each kind, and the corpus stays small."""


def main() -> None:
    """Add what is missing; what fuzzing found before stays."""
    texts = [case["text"].encode("utf-8", "surrogatepass") for case in TEXTS[::EACH] if len(case["text"]) < 2_000]
    for target, inputs in (("decoder", samples()), ("parser", texts)):
        folder = CORPUS / target
        folder.mkdir(parents=True, exist_ok=True)
        for data in inputs:
            (folder / hashlib.sha256(data).hexdigest()[:16]).write_bytes(data)


if __name__ == "__main__":
    main()
