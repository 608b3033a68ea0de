"""The features and the hard schemas on every Python that we support and this machine has: same SDK, same bytes, no warning."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.treaty_codegen.checkers import AVRO, ROOT
from tests.treaty_codegen.features import FEATURES
from tests.treaty_codegen.generated import write_sdk
from tests.treaty_codegen.hard import HARD
from tests.treaty_codegen.other_python import digest, settings
from tests.treaty_codegen.test_sdk import by_fastavro
from treaty_codegen import load_catalog, publish

pytestmark = pytest.mark.long

HERE = f"{sys.version_info.major}.{sys.version_info.minor}"


def candidates(version: str) -> Iterator[Path]:
    """Where a Python of a version may be: this one, on the path, or where pyenv and uv keep theirs."""
    if version == HERE:
        yield Path(sys.executable)
    name = f"python{version}"
    yield from (Path(folder) / name for folder in os.get_exec_path())
    yield from sorted(
        Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser().glob(f"versions/{version}.*/bin/{name}")
    )
    yield from sorted(Path("~/.local/share/uv/python").expanduser().glob(f"cpython-{version}.*/bin/{name}"))


def interpreter(version: str) -> Path:
    """A Python that runs; none: the test is skipped, with the command that brings one."""
    program = "import sys; print('.'.join(map(str, sys.version_info[:2])))"
    for path in filter(Path.is_file, candidates(version)):
        done = subprocess.run([path, "-I", "-c", program], check=False, capture_output=True, text=True)
        if done.stdout.strip() == version:
            return path
    pytest.skip(f"no Python {version} on this machine; `uv python install {version}` brings one")


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The SDK of each feature, and beside them the cases: published text, and values as fastavro writes them."""
    folder = tmp_path_factory.mktemp("pythons")
    listed = []
    for number, feature in enumerate((*FEATURES, *HARD)):
        write_sdk(feature.files, to=folder, settings=settings(number))
        text = publish(load_catalog(feature.files, topics=None).by_name[feature.event])
        values = [by_fastavro(text, value).hex() for value in feature.values]
        listed.append([settings(number).package, feature.event, text, values])
    (folder / "cases.json").write_text(json.dumps(listed), "utf-8")
    return folder


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13"])
def test_every_feature_works_on_every_python(version: str, cases: Path) -> None:
    path = [str(cases / "src"), str(ROOT), str(AVRO), str(ROOT / "codegen/src")]
    done = subprocess.run(
        [
            interpreter(version),
            "-W",
            "error",
            "-B",
            "-m",
            "tests.treaty_codegen.other_python",
            str(cases / "cases.json"),
        ],
        env={"PYTHONPATH": os.pathsep.join(path), "PYTHONHASHSEED": "1"},
        check=False,
        capture_output=True,
        text=True,
        cwd=cases,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == digest()
