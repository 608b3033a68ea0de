"""The rules of the house that no other tool holds."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mall import SERVICES
from tests.cases.markdown import ROOT
from treaty.cli import COMMANDS
from treaty_codegen import lint
from treaty_codegen.breaking import ALL_RULES

PACKAGES = {
    "treaty_avro": ROOT / "platform/avro/src/treaty_avro",
    "treaty_runtime": ROOT / "platform/runtime/src/treaty_runtime",
    "treaty": ROOT / "platform/tool/src/treaty",
    "treaty_codegen": ROOT / "codegen/src/treaty_codegen",
    "mall": ROOT / "services/src/mall",
}
MODULE_CEILING, FUNCTION_CEILING = 400, 40
LONGER_MODULES: dict[str, str] = {}
"""Module to the reason why it may be longer."""
LONGER_FUNCTIONS: dict[str, str] = {}
"""``module:function`` to the reason why it may be longer."""
NOT_YET: set[str] = set()
"""Commands that answers already advise, because their texts are a contract with clients; a command that comes leaves this set."""
NAMELESS = {"utils", "helpers", "common", "base", "types", "constants", "misc"}


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.decode()
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def modules() -> Iterator[Path]:
    for folder in PACKAGES.values():
        yield from sorted(folder.rglob("*.py"))


def test_import_platform_is_the_standard_library() -> None:
    code = "import platform, sysconfig; assert platform.__file__.startswith(sysconfig.get_path('stdlib')), platform.__file__"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, env={"PYTHONPATH": str(ROOT)})


def test_platform_holds_only_sources_and_project_files() -> None:
    for path in tracked():
        parts = path.relative_to(ROOT).parts
        if parts[0] == "platform":
            assert (parts[2] == "src" and len(parts) > 4) or parts[2:] in {("pyproject.toml",), ("README.md",)}, path


def test_locks_hold_names_versions_and_hashes_only() -> None:
    for lock in [*ROOT.glob("*.lock"), *ROOT.glob("ops/images/*.lock")]:
        if lock.name == "uv.lock":
            continue
        for number, line in enumerate(lock.read_text(encoding="utf-8").splitlines(), 1):
            assert "://" not in line, f"{lock.name}:{number}"
            assert not line.startswith("-"), f"{lock.name}:{number}"


def test_the_resolvers_own_lock_is_not_in_git() -> None:
    assert not [path for path in tracked() if path.name == "uv.lock"]


@pytest.mark.parametrize("module", list(modules()), ids=lambda path: str(path.relative_to(ROOT)))
def test_modules_and_functions_stay_within_their_ceilings(module: Path) -> None:
    name = str(module.relative_to(ROOT))
    text = module.read_text(encoding="utf-8")
    length = len(text.splitlines())
    assert length <= MODULE_CEILING or name in LONGER_MODULES, f"{name} has {length} lines"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            allowed = f"{name}:{node.name}" in LONGER_FUNCTIONS
            assert lines <= FUNCTION_CEILING or allowed, f"{name}:{node.lineno} {node.name} has {lines} lines"


def test_no_module_is_called_what_nobody_understood() -> None:
    assert not [path for path in modules() if path.stem in NAMELESS]


def test_every_ignore_gives_its_reason() -> None:
    ignore = re.compile(r"# (?:noqa|type: ignore)\b(?!: [A-Z0-9, ]+  # \S|\[[a-z, -]+\]  # \S)")
    for path in tracked():
        if path.suffix == ".py" and path != Path(__file__) and "sdk" not in path.parts:
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
                assert not ignore.search(line), f"{path.relative_to(ROOT)}:{number}: say why: `# noqa: CODE  # reason`"


def test_pages_that_code_names_are_in_the_repository() -> None:
    pages = {path.name for path in tracked() if path.suffix == ".md"}
    for path in (path for path in modules() if path.is_file()):
        for name in re.findall(r"`[\w/.-]*?([\w-]+\.md)`", path.read_text(encoding="utf-8")):
            assert name in pages, f"{path.relative_to(ROOT)} names {name}"


def test_commands_that_code_advises_exist() -> None:
    assert not NOT_YET & set(COMMANDS)
    for path in (path for path in modules() if path.is_file()):
        for name in re.findall(r"[`\"']treaty ([a-z]+)", path.read_text(encoding="utf-8")):
            assert name in COMMANDS or name in NOT_YET, f"{path.relative_to(ROOT)} advises `treaty {name}`"


def test_keys_of_schemas_stand_in_one_order() -> None:
    """docs/adr/0008: a named type and a field read like sentences, whoever wrote them."""
    of_type = ["type", "namespace", "name", "doc", "symbols", "fields", "size", "default", "aliases", "treaty"]
    of_field = ["name", "type", "doc", "default", "aliases", "treaty"]
    for path in sorted(ROOT.glob("schemas/*/*.avsc")):
        schema = json.loads(path.read_text(encoding="utf-8"))
        for keys, order in [(schema, of_type), *((field, of_field) for field in schema.get("fields", ()))]:
            assert list(keys) == sorted(keys, key=order.index), f"{path.relative_to(ROOT)}: {list(keys)}"


def test_lists_written_by_hand_are_complete() -> None:
    services = {path.parent.name for path in PACKAGES["mall"].glob("*/app.py")}
    assert set(SERVICES) == services
    commands = {path.stem for path in (PACKAGES["treaty"] / "cli").glob("*.py")}
    assert {place.partition(":")[0].rpartition(".")[2] for place, _ in COMMANDS.values()} <= commands
    lint_files = {path.stem for path in (PACKAGES["treaty_codegen"] / "lint").glob("*.py")} - {
        "__init__",
        "facts",
        "keys",
    }
    assert {name.replace("-", "_") for name in lint.ALL_RULES} == lint_files
    own = {"__init__", "facts", "topic_facts", "waiver_facts", "waiving", "wire", "meaning"}
    breaking_files = {path.stem for path in (PACKAGES["treaty_codegen"] / "breaking").glob("*.py")} - own
    assert {name.replace("-", "_") for name in ALL_RULES} == breaking_files


def test_nothing_names_the_machine_it_was_written_on() -> None:
    absolute = re.compile(r"(?<![\w./~-])/(?:work|root|home/\w+|Users/\w+)/")
    hosts = re.compile(r"pypi\.org|pythonhosted|maven\.org|maven\.apache\.org/maven2|registry\.npmjs|proxy\.golang")
    for path in tracked():
        if path.suffix in {".png", ".ico", ".sum"} or path == Path(__file__):
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
            assert not absolute.search(line), f"{path.relative_to(ROOT)}:{number}: a path of one machine"
            assert not hosts.search(line), f"{path.relative_to(ROOT)}:{number}: a package index's host"


def test_help_of_the_command_loads_nothing_heavy() -> None:
    heavy = {"fastapi", "sqlalchemy", "confluent_kafka", "httpx", "rich", "treaty_avro", "treaty_codegen"}
    code = (
        "import sys; from treaty.cli import treaty; "
        "treaty.main(['--help'], standalone_mode=False); "
        f"print('LOADED', sorted(sys.modules.keys() & {heavy!r}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("LOADED []\n"), done.stdout.splitlines()[-1]


def test_the_changelog_names_the_version_of_every_distribution() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    for project in (path for path in tracked() if path.name == "pyproject.toml" and path.parent != ROOT):
        text = project.read_text(encoding="utf-8")
        if "mall-events" in text.splitlines()[2]:
            continue
        version = re.search(r'^version = "(.+)"$', text, re.MULTILINE)
        assert version is not None
        assert f"## {version[1]}" in changelog, project
