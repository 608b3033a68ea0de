"""The handbook, unattended: every block of the page on a running company, with what it must show."""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cases.markdown import ROOT
from tests.e2e.company import Company
from tests.e2e.test_rebuild import change
from treaty.config import Settings
from treaty.local.jars import locked_jars
from treaty.local.machine import Machine

pytestmark = [
    pytest.mark.long,
    pytest.mark.kafka,
    pytest.mark.redis,
    pytest.mark.timeout(1800),
    pytest.mark.xdist_group("e2e"),
]
PAGE = ROOT / "docs" / "handbook.md"
BLOCK = re.compile(r"^```console( until)?\n(.*?)^```$|^<!-- (thirty minutes later) -->$", re.MULTILINE | re.DOTALL)
PORTS = {
    "40093": "kafka", "8081": "registry", "8080": "user", "8082": "order", "8083": "goods", "8084": "chat",
    "8085": "payment", "8086": "notification", "8087": "cache", "8088": "analytics", "8089": "search", "8090": "audit",
    "40025": "mail",
}  # fmt: skip
TOOLS = {
    "kafka-console-consumer.sh": "org.apache.kafka.tools.consumer.ConsoleConsumer",
    "kafka-console-producer.sh": "org.apache.kafka.tools.ConsoleProducer",
}
PATIENCE_SECONDS, COMMAND_SECONDS = 480.0, 300.0
KEEP = "declare -f > .functions; declare -p | grep -E '^declare -- [a-z]+=' > .words"


@dataclass(frozen=True)
class Step:
    """A command and the lines that it must show; `number` is its line in the page."""

    number: int
    command: str
    expected: tuple[str, ...]


@dataclass(frozen=True)
class Block:
    """Steps that are tried until all show what they must, or once."""

    steps: tuple[Step, ...]
    is_repeated: bool
    is_later: bool = False


def blocks() -> Iterator[Block]:
    text = PAGE.read_text(encoding="utf-8")
    for found in BLOCK.finditer(text):
        line = text[: found.start()].count("\n") + 1
        steps: list[Step] = []
        for number, words in enumerate((found[2] or "").splitlines(), start=line + 1):
            if words.startswith("$ "):
                steps.append(Step(number, words[2:], ()))
            else:
                last = steps.pop()
                steps.append(Step(last.number, last.command, (*last.expected, words)))
        yield Block(tuple(steps), is_repeated=bool(found[1]), is_later=bool(found[3]))


class Desk:
    """Where the handbook's reader sits: the project's folder, the addresses of this company, its tools."""

    def __init__(self, company: Company, folder: Path, machine: Machine) -> None:
        self.company, self.folder = company, folder
        for name in ("schemas", "sdk", "docs/catalog", "scripts"):
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
        (folder / "treaty.toml").write_text(self._here((ROOT / "treaty.toml").read_text(encoding="utf-8")))
        (folder / ".treaty").symlink_to(company.layout.folder)
        self._tools(folder / "bin", machine)
        venv = Path(sys.executable).parent
        self.env = {**machine.env, "PATH": f"{folder / 'bin'}:{venv}:{os.environ['PATH']}", "HOME": str(folder)}
        author = ["-c", "user.name=a", "-c", "user.email=a@example.com"]
        for words in (["init", "-q"], ["add", "treaty.toml"], [*author, "commit", "-qm", "a project"]):
            subprocess.run(["git", *words], cwd=folder, check=True, env=self.env)
        Settings.load(folder / "treaty.toml", {}, start=folder)

    def _here(self, text: str) -> str:
        ports = self.company.layout.ports
        for port, name in PORTS.items():
            text = re.sub(rf"(?<=localhost:){port}\b|(?<={name} = ){port}\b", str(ports[name]), text)
        return text

    def _tools(self, folder: Path, machine: Machine) -> None:
        from treaty.local.java import find_java

        folder.mkdir()
        jars = machine.cache / "kafka" / locked_jars().kafka
        for name, main in TOOLS.items():
            tool = folder / name
            tool.write_text(f'#!/bin/sh\nexec "{find_java(machine).program}" -cp "{jars}/*" {main} "$@"\n')
            tool.chmod(tool.stat().st_mode | stat.S_IXUSR)

    def run(self, step: Step) -> tuple[int, str]:
        """The exit code of a command and what it shows; what containers would do, the company's own stack does."""
        if step.command == "docker compose stop kafka":
            self.company.part("kafka").stop()
            return 0, ""
        if step.command == "docker compose start kafka":
            self.company.restart("kafka")
            return 0, ""
        script = f". ./.functions; . ./.words; {self._here(step.command)}\ncode=$?\n{KEEP}\nexit $code"
        for name in (".functions", ".words"):
            (self.folder / name).touch()
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=self.folder,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    def missing(self, step: Step) -> str:
        """What the command should have shown and did not; empty if all is there."""
        code, shown = self.run(step)
        if code and not step.expected:
            return f"docs/handbook.md:{step.number}: {step.command}\nexit code {code}\nshown: {shown}"
        rest = shown
        for line in step.expected:
            pattern = ".*".join(re.escape(part) for part in re.split(r" *… *", line))
            found = re.search(f"^{pattern}$", rest, re.MULTILINE)
            if found is None:
                return f"docs/handbook.md:{step.number}: {step.command}\nexpected: {line}\nshown: {shown}"
            rest = rest[found.end() :]
        return ""


def test_the_handbook_is_so(company: Company, tmp_path: Path, machine: Machine) -> None:
    desk = Desk(company, tmp_path, machine)
    for block in blocks():
        if block.is_later:
            company.settle()
            change(company, "order", "UPDATE orders SET pay_before = '2026-01-01 00:00:00.000000' WHERE status = 0")
        end = time.monotonic() + PATIENCE_SECONDS
        left = list(block.steps)
        while left:
            fault = desk.missing(left[0])
            if not fault:
                left.pop(0)
            elif not block.is_repeated or time.monotonic() > end:
                pytest.fail(fault)
