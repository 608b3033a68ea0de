"""Toolchains of other languages: found, or the test skips with a reason; what they cannot fetch fails in continuous integration."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

SECONDS = 300


def tool(name: str) -> str:
    """The path of a program."""
    return shutil.which(name) or pytest.skip(f"{name} is not installed")


def fetch(*words: str, folder: Path) -> None:
    """Gets a program's packages from where its ecosystem keeps them; at home that may be out of reach."""
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False, timeout=SECONDS)
    if done.returncode:
        sentence = f"`{' '.join(words)}` got no packages: {(done.stderr or done.stdout).strip()[-300:]}"
        assert os.environ.get("CI") != "true", sentence
        pytest.skip(sentence)


def run(*words: str, folder: Path) -> str:
    """What a program prints; it has to end with 0."""
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False, timeout=SECONDS)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
