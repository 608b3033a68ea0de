"""``python -m treaty_codegen FILE.avsc… --out DIR --package NAME``: the SDK of some schema files, or of one folder.

A folder's ``topics.toml`` gives topics and keys; files alone have none. Exit codes: 0 done · 1 drift, foreign files or a
schema that does not fit · 2 usage · 3 not readable or writable · 4 a bug.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath

from treaty_avro import AvroError
from treaty_codegen.compare import FileChange, compare
from treaty_codegen.emit import emit_sdk
from treaty_codegen.errors import CodegenError, GuardError
from treaty_codegen.load import load_catalog
from treaty_codegen.settings import SdkSettings


def main(arguments: Sequence[str] | None = None) -> int:
    """Generate, or with ``--check`` only compare; answers the exit code."""
    options = _parser().parse_args(arguments)
    try:
        wanted = _generate(options)
        changes = compare(dict(_existing(options.out, options.package)), wanted)
        if not options.check:
            _write(options.out, changes, wanted)
    except GuardError as error:
        return _fail(error, code=4)
    except (AvroError, CodegenError) as error:
        return _fail(error, code=1)
    except (OSError, UnicodeDecodeError) as error:
        return _fail(error, code=3)
    for change in changes:
        print(f"{change.kind} {change.path}")
        if options.check:
            print(change.diff, end="")
    return int(any(options.check or change.kind == "foreign" for change in changes))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m treaty_codegen", description="Typed Python classes from Avro schemas."
    )
    parser.add_argument("schemas", nargs="+", type=Path, metavar="FILE", help="schema files, or one folder of them")
    parser.add_argument("--out", type=Path, required=True, help="folder of the SDK")
    parser.add_argument("--package", required=True, help="import name")
    parser.add_argument("--distribution", help="name of the distribution (default: the package's, with hyphens)")
    parser.add_argument("--namespace", default="", help="schema namespace that the package stands for")
    parser.add_argument("--version", default="0.1.0.dev0", help="version of the distribution")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if anything would change")
    return parser


def _generate(options: argparse.Namespace) -> dict[PurePosixPath, bytes]:
    first: Path = options.schemas[0]
    if len(options.schemas) == 1 and first.is_dir():
        root, paths, topics = first, sorted(first.rglob("*.avsc")), first / "topics.toml"
    else:
        root = Path(os.path.commonpath([path.absolute().parent for path in options.schemas]))
        paths, topics = [path.absolute() for path in options.schemas], None
    settings = SdkSettings(
        package=options.package,
        distribution=options.distribution or options.package.replace("_", "-"),
        namespace=options.namespace,
        version=options.version,
    )
    catalog = load_catalog(
        {path.relative_to(root).as_posix(): path.read_bytes().decode() for path in paths},
        topics=topics.read_bytes().decode() if topics is not None and topics.is_file() else None,
    )
    return emit_sdk(catalog, settings)


def _existing(out: Path, package: str) -> Iterator[tuple[PurePosixPath, bytes]]:
    """The files that are generated or lie among generated ones; links are not followed."""
    inside = out / "src" / package
    for path in (out / "pyproject.toml", out / "README.md", *sorted(inside.rglob("*"))):
        if path.is_file() and not path.is_symlink() and "__pycache__" not in path.parts:
            yield PurePosixPath(path.relative_to(out).as_posix()), path.read_bytes()


def _write(out: Path, changes: Sequence[FileChange], wanted: Mapping[PurePosixPath, bytes]) -> None:
    """New texts first, each by a rename, so that a file is old or new; deletions last."""
    for change in changes:
        if change.kind in ("added", "changed"):
            target = out / change.path
            target.parent.mkdir(parents=True, exist_ok=True)
            if not target.resolve().is_relative_to(out.resolve()):
                raise OSError(f"{target} leads out of {out} by a link; nothing is written there")
            beside = target.with_name(f".{target.name}.new")
            beside.write_bytes(wanted[change.path])
            beside.replace(target)
    for change in changes:
        if change.kind == "stale":
            _delete(out / change.path, within=out)


def _delete(path: Path, *, within: Path) -> None:
    """Delete a file, and the folders that it leaves empty."""
    path.unlink()
    for folder in path.parents:
        if folder == within or any(each.name != "__pycache__" for each in folder.iterdir()):
            return
        shutil.rmtree(folder)


def _fail(error: Exception, *, code: int) -> int:
    print(error, file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
