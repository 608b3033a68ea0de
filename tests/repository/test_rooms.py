"""A newcomer finds every module of the large packages in the table of its page, in exactly one room."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path, PurePosixPath

import pytest

from tests.cases.markdown import ROOT
from tests.repository.test_house import PACKAGES


@pytest.mark.parametrize(
    ("page", "package"),
    [
        ("platform/avro/README.md", PACKAGES["treaty_avro"]),
        ("platform/runtime/README.md", PACKAGES["treaty_runtime"]),
        ("platform/tool/README.md", PACKAGES["treaty"] / "registry"),
        ("codegen/README.md", PACKAGES["treaty_codegen"]),
        ("services/README.md", PACKAGES["mall"]),
    ],
    ids=["treaty_avro", "treaty_runtime", "treaty.registry", "treaty_codegen", "mall"],
)
def test_every_module_stands_in_one_room(page: str, package: Path) -> None:
    _, _, section = (ROOT / page).read_text(encoding="utf-8").partition("## Where is what")
    rows = [line for line in section.splitlines() if line.startswith("| ")]
    named = Counter(place for row in rows for place in _places(row))
    opened = {str(folder) for place in named for folder in PurePosixPath(place).parents}
    assert named.keys() == _found(package, opened), f"{page}: give each module a room, and no room to what is gone"
    assert set(named.values()) == {1}, f"{page}: {[place for place, times in named.items() if times > 1]} stand twice"


def _places(row: str) -> list[str]:
    """What a row names: modules, or, where its first cell is a folder such as `schema/`, that folder's modules."""
    first, _, rest = row.removeprefix("| ").partition("|")
    folder = "".join(re.findall(r"`([\w/]+/)`", first))
    return [folder + word for word in re.findall(r"`(\w+)`", rest)]


def _found(package: Path, opened: set[str], folder: str = "") -> set[str]:
    """Modules and folders of a package; in place of a folder that the page opens, what is in it."""
    found: set[str] = set()
    for path in package.iterdir():
        name = folder + path.stem
        if path.is_dir() and name in opened:
            found |= _found(path, opened, f"{name}/")
        elif path.suffix == ".py" or (path / "__init__.py").is_file():
            found.add(name)
    return {name for name in found if not name.endswith("__init__")}
