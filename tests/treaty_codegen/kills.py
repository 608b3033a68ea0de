"""Kills a generating command with signal 9 at every change of the disk, and in the middle of every write.

``python -m tests.treaty_codegen.kills COMMAND FOLDER`` runs in a process of its own, because it forks: ``module`` is
``python -m treaty_codegen``, ``treaty`` is ``treaty generate``. Prints how often it killed; any broken promise is an error.
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from treaty_codegen.__main__ import main as module_main
from treaty_codegen.disk import STAGING

CHANGES: Final = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.truncate"}
MINE: Final = "x = 1\n"
TOML: Final = '[project]\nnamespace = "shop"\npackage = "shop_events"\ncatalog = "catalog"\n'

Files = dict[str, bytes]


def schema(name: str, *fields: str) -> dict[str, Any]:
    """A record of texts in ``shop.<first word>``."""
    domain = name.partition("_")[0]
    return {
        "type": "record",
        "namespace": f"shop.{domain}",
        "name": name.title().replace("_", ""),
        "doc": "Something happened.",
        "fields": [{"name": field, "type": "string"} for field in fields],
    }


BEFORE: Final = (schema("order_paid", "id"), schema("order_left", "id"), schema("gone_away", "id"))
AFTER: Final = (schema("order_paid", "id", "note"), schema("order_left", "id"), schema("refund_made", "id"))


def write_schemas(folder: Path, schemas: tuple[dict[str, Any], ...]) -> None:
    """Replace all schemas, and the topic that lists them."""
    shutil.rmtree(folder / "schemas", ignore_errors=True)
    (folder / "schemas").mkdir(parents=True)
    for each in schemas:
        (folder / "schemas" / f"{each['name'].lower()}.avsc").write_text(json.dumps(each), encoding="utf-8")
    names = [f"{each['namespace']}.{each['name']}" for each in schemas]
    topics = f'format = 1\n[topic.things]\ndoc = "."\nowner = "@shop"\nevents = {json.dumps(names)}\n'
    (folder / "schemas/topics.toml").write_text(topics, encoding="utf-8")
    (folder / "treaty.toml").write_text(TOML, encoding="utf-8")


def run_module(folder: Path) -> int:
    """``python -m treaty_codegen``, over a folder."""
    return module_main([str(folder / "schemas"), "--out", str(folder / "sdk"), "--package", "shop_events"])


def run_treaty(folder: Path) -> int:
    """``treaty generate``, SDK and catalogue."""
    from treaty.cli import treaty

    code: int = treaty.main(["generate", "--config", str(folder / "treaty.toml")], standalone_mode=False)
    return code


COMMANDS: Final[dict[str, Callable[[Path], int]]] = {"module": run_module, "treaty": run_treaty}


def files_of(folder: Path) -> Files:
    """Everything that was generated or lies there; what a killed run left aside does not count."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for top in ("sdk", "catalog")
        for path in (folder / top).rglob("*")
        if path.is_file() and STAGING not in path.parts
    }


def child(command: Callable[[Path], int], folder: Path, *, kill_at: int | None) -> int:
    """Run in a child, which dies before its change number ``kill_at``; answers how it ended as ``waitpid`` tells."""
    pid = os.fork()
    if pid == 0:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        os.dup2(1, 2)
        if kill_at is not None:
            arm(kill_at)
        os._exit(command(folder))
    _, status = os.waitpid(pid, 0)
    return status


def arm(kill_at: int) -> None:
    """From now on, die at a change of the disk: before it, or within it where it writes."""
    count = itertools.count(1)
    write_bytes = Path.write_bytes

    def step() -> None:
        if next(count) == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        writes = event == "open" and bool(arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))
        if event in CHANGES or writes:
            step()

    def torn(path: Path, data: bytes) -> int:
        write_bytes(path, data[: len(data) // 2])
        step()
        return write_bytes(path, data)

    Path.write_bytes = torn  # type: ignore[assignment,method-assign]  # only in a child that is about to die
    sys.addaudithook(watch)


def kill_everywhere(command: Callable[[Path], int], folder: Path) -> int:
    """Answers how many kills there were until a run got through."""
    project, template = folder / "project", folder / "template"
    write_schemas(project, BEFORE)
    assert command(project) == 0
    mine = project / "sdk/src/shop_events/mine.py"
    mine.write_text(MINE, encoding="utf-8")
    before = files_of(project)
    write_schemas(project, AFTER)
    shutil.copytree(project, template)
    assert command(project) == 1, "the foreign file is reported"
    after = files_of(project)
    assert before.keys() - after.keys()
    assert after.keys() - before.keys()
    for kills in itertools.count(1):
        shutil.rmtree(project)
        shutil.copytree(template, project)
        status = child(command, project, kill_at=kills)
        if not os.WIFSIGNALED(status):
            assert os.waitstatus_to_exitcode(status) == 1
            return kills - 1
        assert os.WTERMSIG(status) == signal.SIGKILL
        whole(files_of(project), before=before, after=after, kills=kills)
        assert os.waitstatus_to_exitcode(child(command, project, kill_at=None)) == 1
        finished(project, after, kills=kills)
    raise AssertionError("a run never ends by itself")


def whole(found: Files, *, before: Files, after: Files, kills: int) -> None:
    """Each file is old or new; one that is missing is missing in one of them."""
    for path in {*found, *before, *after}:
        allowed = (before.get(path), after.get(path))
        assert found.get(path) in allowed, f"after a kill at change {kills}, {path} is neither old nor new"


def finished(project: Path, after: Files, *, kills: int) -> None:
    """The next run made everything new, and left nothing behind."""
    assert files_of(project) == after, f"a run after a kill at change {kills} does not finish"
    left = [path for path in project.rglob("*") if path.name == STAGING or (path.is_dir() and not list(path.iterdir()))]
    assert not left, f"a kill at change {kills} leaves {left}"


if __name__ == "__main__":
    print(kill_everywhere(COMMANDS[sys.argv[1]], Path(sys.argv[2])))
