"""Every import contract catches a violation that is planted against it."""

from __future__ import annotations

import configparser
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.cases.markdown import ROOT

SOURCES = (
    "platform/avro/src/treaty_avro",
    "platform/runtime/src/treaty_runtime",
    "platform/tool/src/treaty",
    "codegen/src/treaty_codegen",
    "services/src/mall",
    "sdk/src/mall_events",
)
PLANTED = "planted_against_the_arrows"


def contracts() -> dict[str, configparser.SectionProxy]:
    config = configparser.ConfigParser()
    config.read(ROOT / ".importlinter", encoding="utf-8")
    return {config[name]["name"]: config[name] for name in config.sections() if ":contract:" in name}


def lines(section: configparser.SectionProxy, key: str) -> list[str]:
    return section.get(key, "").split()


def plant(copy: Path, section: configparser.SectionProxy) -> None:
    """A module that nobody placed, or an import that the contract forbids."""
    match section["type"]:
        case "layers":
            (container,) = lines(section, "containers")
            write(copy, container, "")
        case "forbidden":
            write(copy, lines(section, "source_modules")[0], f"import {lines(section, 'forbidden_modules')[0]}\n")
        case "independence":
            first, second, *_ = lines(section, "modules")
            write(copy, first, f"import {second}.domain\n")
        case other:
            raise AssertionError(f"no violation is known for a contract of type {other}")


def write(copy: Path, module: str, line: str) -> None:
    path = copy.joinpath(*module.split("."))
    if path.with_suffix(".py").is_file():  # a plain module: the violation goes to its end
        with path.with_suffix(".py").open("a", encoding="utf-8") as file:
            file.write(line)
    else:
        name = PLANTED if not line else f"{PLANTED}_{len(list(path.glob(f'{PLANTED}*')))}"
        (path / f"{name}.py").write_text(line, encoding="utf-8")


def test_every_contract_is_broken_by_a_violation_planted_against_it(tmp_path: Path) -> None:
    for source in SOURCES:
        shutil.copytree(ROOT / source, tmp_path / Path(source).name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copyfile(ROOT / ".importlinter", tmp_path / ".importlinter")
    for section in contracts().values():
        plant(tmp_path, section)
    done = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path), "COLUMNS": "400"},
        capture_output=True,
        text=True,
        check=False,
    )
    kept = re.findall(r"^(.+) KEPT", done.stdout, re.MULTILINE)
    broken = re.findall(r"^(.+) BROKEN", done.stdout, re.MULTILINE)
    assert sorted(broken) == sorted(contracts()), f"still kept: {kept}\n{done.stdout[-3000:]}{done.stderr[-2000:]}"
