"""What type checkers say of a folder, asked from outside: without the settings of this repository."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

ROOT = Path(__file__).parents[2]
AVRO = ROOT / "platform/avro/src"
"""The codec, which consumers of events import too."""


class Complaint(NamedTuple):
    """An error or a warning: where (``path`` relative to the checked folder), which rule, in which words."""

    path: str
    line: int
    rule: str
    message: str


Checker: TypeAlias = Callable[..., list[Complaint]]


def mypy(folder: Path, *, python: str) -> list[Complaint]:
    """``mypy --strict`` on a folder of packages, for a version of Python (``"3.11"``)."""
    command = [
        sys.executable,
        "-m",
        "mypy",
        "--strict",
        "--extra-checks",
        "--output",
        "json",
        "--config-file",
        os.devnull,
    ]
    cache = folder.parent / f".mypy-{folder.name}"
    done = subprocess.run(
        [*command, "--python-version", python, "--cache-dir", str(cache), "."],
        check=False,
        capture_output=True,
        text=True,
        cwd=folder,
        env={**os.environ, "MYPYPATH": os.pathsep.join([str(folder), str(AVRO)])},
    )
    told = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    complaints = [
        Complaint(each["file"], each["line"], str(each["code"]), each["message"])
        for each in told
        if each["severity"] != "note"
    ]
    assert done.returncode == (1 if complaints else 0), done.stdout + done.stderr
    return complaints


def basedpyright(folder: Path, *, python: str) -> list[Complaint]:
    """``basedpyright`` in its strict mode on a folder of packages, for a version of Python; warnings count as errors."""
    settings: dict[str, Any] = {
        "include": [str(folder)],
        "extraPaths": [str(folder), str(AVRO)],
        "typeCheckingMode": "strict",
        "pythonVersion": python,
        "failOnWarnings": True,
    }
    project = folder.parent / f"pyright-{folder.name}-{python}.json"
    project.write_text(json.dumps(settings), "utf-8")
    command = [sys.executable, "-m", "basedpyright", "--outputjson", "--pythonpath", sys.executable]
    done = subprocess.run([*command, "--project", str(project)], check=False, capture_output=True, text=True)
    assert done.stdout.lstrip().startswith("{"), done.stdout + done.stderr
    told = json.loads(done.stdout)
    complaints = [
        Complaint(
            Path(each["file"]).relative_to(folder).as_posix(),
            each["range"]["start"]["line"] + 1,
            each.get("rule", "syntax"),
            each["message"],
        )
        for each in told["generalDiagnostics"]
        if each["severity"] != "information"
    ]
    assert told["summary"]["filesAnalyzed"] >= len(list(folder.rglob("*.py")))
    assert done.returncode == (1 if complaints else 0), done.stdout + done.stderr
    return complaints


CHECKERS: Mapping[str, Checker] = {"mypy": mypy, "basedpyright": basedpyright}
