"""``python -m tests.fuzz.fuzz decoder|parser [libFuzzer's arguments]``: looks for data that break ``properties``."""

from __future__ import annotations

import os
import shutil
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


def main() -> int:
    """Fuzz in a child, for libFuzzer ends its process itself; what breaks a property is kept, all else is removed.

    New inputs go to a temporary folder: the checked-in corpus changes by hand only.
    """
    target, *arguments = sys.argv[1:]
    folder = Path(tempfile.mkdtemp(prefix=f"treaty-fuzz-{target}-"))
    found = folder / "found"
    found.mkdir()
    pid = os.fork()
    if pid == 0:
        options = ["-timeout=10", "-rss_limit_mb=2048", f"-artifact_prefix={folder}/", "-verbosity=0"]
        corpus = [str(found), str(CORPUS / target)]
        atheris.Setup([sys.argv[0], *corpus, *options, "-print_final_stats=1", *arguments], TARGETS[target])
        atheris.Fuzz()
    _, status = os.waitpid(pid, 0)
    shutil.rmtree(found)
    kept = list(folder.iterdir())
    for path in kept:
        sys.stdout.write(f"{path} breaks a property; mend it, then keep the file in tests/fuzz/corpus/{target}\n")
    if not kept:
        folder.rmdir()
    return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    raise SystemExit(main())
