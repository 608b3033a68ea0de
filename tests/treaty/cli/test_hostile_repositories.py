"""Every command in repositories that somebody made to do harm: nothing of them runs, and each command ends with a finding or a refusal."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.treaty.cli.scratch import EVENT, TOPICS, Scratch, changed, project

CANARY = "touch canary-was-here"
PLANS = [
    ("lint",), ("lint", "--fix"), ("lint", "--write-baseline", "known.json"), ("lint", "--format", "sarif"), ("fmt", "--check", "--diff"),
    ("breaking",), ("breaking", "--against", "git:--output=x"), ("breaking", "--against", "git:HEAD:../x"),
    ("breaking", "--base", "--upload-pack=x"), ("breaking", "--against", "dir:schemas"),
    ("diff", "HEAD", "tree"), ("diff", "-x", "tree"), ("diff", "--", "--output=x", "tree"),
    ("generate", "--check"), ("generate",), ("readers",), ("readers", "--write"), ("readers", "--merge", "schemas/readers.lock"),
    ("owners",), ("owners", "--check"), ("release", "--dry-run"), ("changelog", "--since", "1.0.0"), ("explain", "../../etc/passwd"),
    ("waive", "0000000000000000", "--until", "2026-12-31", "--reason", "x"), ("settings",), ("doctor",),
    ("registry", "plan", "--env", "local"), ("topics", "plan", "--env", "local"), ("messages", "check", "order-events", "--env", "local"),
]  # fmt: skip
"""Commands that a pull request may run, and some that it may not."""

DRIVER = """
import json, os, signal, sys
from treaty.cli import treaty
from treaty.cli.outcome import run
def late(*_):
    raise TimeoutError("too long")
signal.signal(signal.SIGALRM, late)
codes = []
for words in json.loads(os.environ["PLANS"]):
    sys.argv = ["treaty", *words]
    signal.alarm(90)
    codes.append([words, run(treaty, debug=False)])
    signal.alarm(0)
print("\\nCODES " + json.dumps(codes))
"""


def git_config(scratch: Scratch) -> None:
    """Everything in a repository's own configuration that git would run."""
    for key in ("core.fsmonitor", "core.pager", "core.editor", "core.sshCommand", "diff.external", "credential.helper",
                "filter.x.clean", "filter.x.smudge", "filter.x.process", "diff.x.textconv", "diff.x.command", "merge.x.driver",
                "gpg.program", "uploadpack.packObjectsHook", "alias.status", "pager.ls-tree"):  # fmt: skip
        scratch.git("config", key, CANARY)
    scratch.git("config", "core.hooksPath", str(scratch.root / "hooks"))
    for name in ("post-checkout", "pre-commit", "post-index-change", "reference-transaction", "fsmonitor-watchman"):
        scratch.write(f"hooks/{name}", f"#!/bin/sh\n{CANARY}\n").chmod(0o755)
    scratch.write(".gitattributes", "*.avsc filter=x diff=x merge=x\n")
    scratch.write("schemas/order/order_paid.avsc", changed(note="string"))


def modules(scratch: Scratch) -> None:
    """Files that Python, pytest and others load by their names, and settings that name programs."""
    for name in ("click.py", "sitecustomize.py", "usercustomize.py", "conftest.py", "treaty_codegen.py", "tomllib.py",
                 "json/__init__.py", "schemas/__init__.py", "sdk/setup.py"):  # fmt: skip
        scratch.write(name, "open('canary-was-here', 'w').close()\n")
    scratch.write("services/order/handlers.py", "import os\nos.system('touch canary-was-here')\n")
    more = (
        TOPICS
        + '[service.order]\nowner = "@mall/orders"\ncode = "services/order"\n[service.etc]\nowner = "@x"\ncode = "../../../etc"\n'
    )
    scratch.write("schemas/topics.toml", more)
    scratch.write(
        "treaty.toml", f'[project]\nnamespace = "mall"\npackage = "mall_events"\n[local]\nservice = "{CANARY}"\n'
    )


def names(scratch: Scratch) -> None:
    """File names that look like options, lines or other folders; links, pipes, and folders very deep."""
    for name in (
        "-x.avsc",
        "--output=x.avsc",
        "a\nb.avsc",
        "$(touch canary-was-here).avsc",
        "`x`.avsc",
        "a;b.avsc",
        "..avsc",
        ".avsc",
    ):
        scratch.write(f"schemas/order/{name}", EVENT)
    (scratch.root / os.fsdecode(b"schemas/order/\xff\xfe.avsc")).write_text("{}", encoding="utf-8")
    (scratch.root / "schemas/order/passwd.avsc").symlink_to("/etc/passwd")
    (scratch.root / "schemas/order/self.avsc").symlink_to("self.avsc")
    (scratch.root / "schemas/loop").symlink_to(scratch.root / "schemas")
    os.mkfifo(scratch.root / "schemas/order/pipe.avsc")
    os.mkfifo(scratch.root / "schemas/order/pipe.examples.json")
    (scratch.root / "services/order").mkdir(parents=True)
    (scratch.root / "services/order/loop").symlink_to(scratch.root)
    os.mkfifo(scratch.root / "services/order/pipe.py")
    scratch.write("schemas/topics.toml", TOPICS + '[service.order]\nowner = "@x"\ncode = "services/order"\n')
    for folder in ("schemas", "services/order"):
        # Deeper ones hold as well, but pytest itself could not clear them away.
        subprocess.run(["mkdir", "-p", str(scratch.root / folder / "/".join("d" * 400))], check=True)


EVIL = "\x1b[31m::error::x\n<script>alert(1)</script> {0.__class__} %s ${HOME} @mall/all"


def texts(scratch: Scratch) -> None:
    """Schemas that can be read, and hold what terminals, hosting services and templates obey; wide, and nested as deep as may be."""
    wide = [{"name": f"f{number}", "type": ["null", "string"], "doc": EVIL} for number in range(500)]
    nested: object = "long"
    for number in range(15):
        fields = [{"name": "x", "type": {"type": "array", "items": nested}}]
        nested = {"type": "record", "name": f"R{number}", "doc": EVIL, "aliases": [f"S{number}"], "fields": fields}
    lost = changed(x="long") | {"name": "OrderLost", "doc": EVIL, "treaty": {"pii": EVIL, "unit": ["["] * 100}}
    scratch.write("schemas/order/order_paid.avsc", EVENT | {"fields": [*EVENT["fields"], *wide]})
    scratch.write(
        "schemas/order/order_nested.avsc",
        EVENT
        | {"name": "OrderNested", "fields": [{"name": "order_id", "type": "long"}, {"name": "x", "type": nested}]},
    )
    scratch.write("schemas/order/order_lost.avsc", lost)
    scratch.write("schemas/order/order_paid.examples.json", "[" * 100_000)
    scratch.write("schemas/order/order_lost.examples.json", json.dumps([{"order_id": EVIL}]))
    events = '["mall.order.OrderPaid", "mall.order.OrderLost", "mall.order.OrderNested"]'
    scratch.write(
        "schemas/topics.toml", TOPICS.replace('["mall.order.OrderPaid"]', events).replace("The life", "<b>The life")
    )


def unreadable(scratch: Scratch) -> None:
    """Schemas that are huge, deep or not there, by the hundred."""
    scratch.write("schemas/order/deep.avsc", "[" * 100_000)
    scratch.write("schemas/order/huge.avsc", b"[" + b" " * 3_000_000)
    scratch.write("schemas/order/digits.avsc", '{"type": "fixed", "name": "F", "size": ' + "9" * 5000 + "}")
    for number in range(300):
        scratch.write(f"schemas/x/broken_{number}.avsc", "{" * (number + 1))
        scratch.write(f"schemas/y/record_{number}.avsc", {"type": "record", "name": f"Record{number}", "fields": []})


def locks(scratch: Scratch) -> None:
    """Files of ours that were never ours."""
    os.mkfifo(scratch.root / "schemas/waivers.toml")
    (scratch.root / "schemas/readers.lock").symlink_to("/dev/zero")
    scratch.write("schemas/schemas.lock", "[" * 100_000)


def released(scratch: Scratch) -> None:
    """Releases that were never made by us."""
    for version, text in {
        "1.0.0": "[" * 100_000,
        "9.9.9": '{"version": "9.9.9", "events": {"a": {"text": "{"}}}',
        "x": "{}",
    }.items():
        scratch.write(f"schemas/releases/{version}/set.json", text)
        scratch.write(f"schemas/releases/{version}/golden.jsonl", '{"event": 1}\n' + "[" * 10_000)
    (scratch.root / "schemas/releases/2.0.0").mkdir()
    (scratch.root / "schemas/releases/2.0.0/set.json").symlink_to("/dev/zero")


def settings(scratch: Scratch) -> None:
    """A ``topics.toml`` and a ``treaty.toml`` that point elsewhere and are too deep."""
    scratch.write("schemas/topics.toml", "x = " + "[" * 50_000)
    scratch.write(
        "treaty.toml",
        '[project]\nnamespace = "mall"\nsdk = "../outside"\ncatalog = "/proc/1"\n[environment.local]\nregistry = "http://localhost:1/${HOME}"\n',
    )


KINDS: list[Callable[[Scratch], None]] = [git_config, modules, names, texts, unreadable, locks, released, settings]


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("make", KINDS, ids=lambda make: make.__name__)
def test_no_command_runs_anything_of_a_hostile_repository_or_ends_as_a_bug(
    make: Callable[[Scratch], None], tmp_path: Path
) -> None:
    (tmp_path / "project").mkdir()
    toml = 'package = "mall_events"\n[environment.local]\nregistry = "http://127.0.0.1:9"\nbrokers = "127.0.0.1:9"\n'
    scratch = project(tmp_path / "project", toml=toml)
    scratch.git("init", "-q")
    scratch.commit()
    make(scratch)
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("TREATY_", "GITHUB_", "GIT_", "CI"))}
    words = [sys.executable, "-I", "-c", DRIVER]
    env = {**kept, "PLANS": json.dumps(PLANS)}
    done = subprocess.run(words, cwd=scratch.root, env=env, capture_output=True, timeout=600, check=False)
    said = done.stderr.decode(errors="replace")
    assert done.returncode == 0, said[-2000:]
    codes = json.loads(done.stdout.decode().rpartition("CODES ")[2])
    wrong = [row for row in codes if row[1] not in {0, 1, 2, 3}]
    assert not wrong, (wrong, [line for line in said.splitlines() if "bug" in line])
    assert not list(tmp_path.rglob("canary-was-here"))
    assert {path.name for path in tmp_path.iterdir()} == {"project"}, "nothing was written outside"
    assert "Traceback" not in said
