"""``python -m treaty_codegen FILE.avsc… --out DIR --package NAME``: the SDK of some schema files, or of one folder.

A folder's ``topics.toml`` gives topics and keys; files alone have none. Exit codes: 0 done · 1 drift, foreign files or a
schema that does not fit · 2 usage · 3 not readable or writable · 4 a bug · 130 interrupted.
"""

from __future__ import annotations

import argparse
import io
import os
import re
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Final

from treaty_avro import AvroError
from treaty_avro.errors import one_line
from treaty_codegen.compare import FileChange, compare
from treaty_codegen.disk import InTheWay, Output
from treaty_codegen.emit import emit_sdk
from treaty_codegen.endless import endless
from treaty_codegen.errors import CodegenError, EmitError, GuardError
from treaty_codegen.load import load_catalog
from treaty_codegen.project import package_of
from treaty_codegen.settings import SdkSettings
from treaty_codegen.sources import UnusableArguments, from_here, read_sources

PROGRAM: Final = "python -m treaty_codegen"
EXAMPLES: Final = f"""\
examples:
  {PROGRAM} order_paid.avsc --out sdk --package shop_events --namespace shop
  {PROGRAM} schemas --out sdk --package shop_events --check

exit codes:
  0  written; with --check: fresh
  1  stale (--check), a file in the way that is not generated, or a schema that does not fit
  2  usage
  3  a file cannot be read or written
  4  a bug of treaty
"""
# PEP 440 as far as versions of schemas need it.
_VERSION: Final = re.compile(r"\d+(\.\d+)*((a|b|rc)\d+)?(\.post\d+)?(\.dev\d+)?(\+[A-Za-z0-9.]+)?", re.ASCII)


class Broken(CodegenError):
    """The schemas give no SDK; the message names file and line."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Generate, or with ``--check`` only compare; answers the exit code. ``--help`` and bad options raise ``SystemExit``."""
    options = _parser().parse_args(arguments)
    try:
        return _run(options)
    except UnusableArguments as error:
        return _fail(error, "see --help", code=2)
    except GuardError as error:
        return _fail(error, "this is a bug of treaty; report it with the schema. Nothing was written", code=4)
    except InTheWay as error:
        return _fail(error, "nothing was written", code=3)
    except CodegenError as error:
        return _fail(error, "correct it and run again; nothing was written", code=1)
    except BrokenPipeError:
        raise
    except OSError as error:
        place = f"{from_here(Path(error.filename))}: " if isinstance(error.filename, str) else ""
        return _fail(f"{place}{error.strerror or error}", "mend it and run again; every file is whole", code=3)
    except KeyboardInterrupt:
        return _fail("interrupted", "run it again; every file is whole", code=130)
    except Exception as error:  # noqa: BLE001  # the last place: a bug ends with its own exit code
        traceback.print_exc()
        return _fail(
            f"{type(error).__name__}: {error}", "this is a bug of treaty; report it with the lines above", code=4
        )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        description="Typed Python classes from Avro schemas: frozen dataclasses that carry their schema, no dependency.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("schemas", nargs="+", type=Path, metavar="FILE", help="schema files, or one folder of them")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder of the SDK; made if need be")
    parser.add_argument("--package", required=True, metavar="NAME", help="what the SDK is imported as")
    parser.add_argument("--distribution", metavar="NAME", help="what it is installed as (default: the package's name)")
    parser.add_argument("--namespace", default="", metavar="NAME", help="namespace that the package stands for")
    parser.add_argument(
        "--version", default="0.1.0.dev0", metavar="V", help="version of the SDK (default: %(default)s)"
    )
    parser.add_argument("--check", action="store_true", help="write nothing; show differences, exit 1 if there are any")
    return parser


def _run(options: argparse.Namespace) -> int:
    settings = _settings(options)
    sources = read_sources(options.schemas)
    try:
        catalog = load_catalog(sources.files, topics=sources.topics)
        wanted = emit_sdk(catalog, settings)
    except GuardError:
        raise
    except (AvroError, CodegenError) as error:
        raise Broken(sources.shown(error)) from error
    for each in endless(catalog):
        print(f"{PROGRAM}: warning: {one_line(sources.shown(each))}", file=sys.stderr)
    output = Output(folder=options.out, parts=(f"src/{options.package}", "pyproject.toml", "README.md"))
    existing = output.files()
    _refuse_another_package(options, existing.get(PurePosixPath("pyproject.toml"), b""))
    changes = compare(existing, wanted)
    if not options.check:
        output.write(changes, wanted)
    return _report(changes, count=len(wanted), is_check=options.check)


def _settings(options: argparse.Namespace) -> SdkSettings:
    if _VERSION.fullmatch(options.version) is None:
        raise UnusableArguments(f"--version {options.version!r} is not a version; write one like 1.4.0")
    try:
        return SdkSettings(
            package=options.package,
            distribution=options.distribution or options.package.replace("_", "-").strip("-"),
            namespace=options.namespace,
            version=options.version,
        )
    except EmitError as error:
        raise UnusableArguments(str(error)) from error


def _refuse_another_package(options: argparse.Namespace, metadata: bytes) -> None:
    """Two SDKs in one folder would take the metadata from each other."""
    other = package_of(metadata)
    if other not in (None, options.package):
        raise UnusableArguments(
            f"{options.out} holds the SDK of another package, {other}; give another --out, or delete that SDK"
        )


def _report(changes: Sequence[FileChange], *, count: int, is_check: bool) -> int:
    """What changed on stdout, what to do next on stderr; answers the exit code."""
    for change in changes:
        print(change.told())
        if is_check:
            print(change.diff, end="")
    foreign = sum(change.kind == "foreign" for change in changes)
    ours = len(changes) - foreign
    if not is_check:
        print(f"{count} files, {ours} written or removed.", file=sys.stderr)
    elif ours:
        print(
            f"{ours} of {count} files differ from what the schemas give.\n  next: run it without --check",
            file=sys.stderr,
        )
    if foreign:
        print(
            f"Not generated, and left alone: {foreign}.\n  next: move what is foreign out of the folder",
            file=sys.stderr,
        )
    return int(bool(foreign or (is_check and ours)))


def _fail(error: object, next_step: str, *, code: int) -> int:
    print(f"{PROGRAM}: {one_line(str(error))}\n  next: {next_step}", file=sys.stderr)
    return code


def _begin() -> int:
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a difference may hold what the terminal's encoding lacks
    try:
        code = main()
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read our output went away (`| head`): point stdout at nothing so that the interpreter's own flush is quiet.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 130
    return code


if __name__ == "__main__":
    sys.exit(_begin())
