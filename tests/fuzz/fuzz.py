"""``python -m tests.fuzz.fuzz decoder|parser [libFuzzer's arguments]``: looks for data that break ``properties``."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Final

import atheris

with atheris.instrument_imports(include=["treaty_avro"]):
    from tests.fuzz.properties import decoding_holds, parsing_holds

CORPUS: Final = Path(__file__).parent / "corpus"


def parsing(data: bytes) -> None:
    """Any bytes as a text; what is not UTF-8 shows as lone surrogates, which are a find of their own kind."""
    parsing_holds(data.decode("utf-8", "surrogateescape"))


TARGETS: Final = {"decoder": decoding_holds, "parser": parsing}


def main() -> None:
    """New inputs go to a temporary folder: the checked-in corpus changes by hand only."""
    target, *arguments = sys.argv[1:]
    crashes = Path(tempfile.gettempdir(), f"treaty-fuzz-{target}")
    crashes.mkdir(mode=0o700, exist_ok=True)
    with tempfile.TemporaryDirectory() as found:
        options = [
            "-timeout=10",
            "-rss_limit_mb=2048",
            f"-artifact_prefix={crashes}/",
            "-verbosity=0",
            "-print_final_stats=1",
        ]
        atheris.Setup([sys.argv[0], found, str(CORPUS / target), *options, *arguments], TARGETS[target])
        atheris.Fuzz()


if __name__ == "__main__":
    main()
