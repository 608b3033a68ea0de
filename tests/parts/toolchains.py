"""Toolchains of other languages: where one, or what it fetches, is missing, a test skips at home and fails where ``CI`` is true."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import NoReturn

import pytest

SECONDS = 300


def tool(name: str) -> str:
    """The path of a program."""
    return shutil.which(name) or absent(f"{name} is not installed")


def fetch(*words: str, folder: Path) -> None:
    """Gets a program's packages from where its ecosystem keeps them; at home that may be out of reach."""
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False, timeout=SECONDS)
    if done.returncode:
        absent(f"`{' '.join(words)}` got no packages: {(done.stderr or done.stdout).strip()[-300:]}")


def run(*words: str, folder: Path) -> str:
    """What a program prints; it has to end with 0."""
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False, timeout=SECONDS)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def absent(sentence: str) -> NoReturn:
    """A skip at home, where few have every toolchain; a failure where ``CI`` is true, so that nothing is skipped unseen."""
    if os.environ.get("CI", "").lower() in ("1", "true"):
        pytest.fail(sentence, pytrace=False)
    pytest.skip(sentence)
