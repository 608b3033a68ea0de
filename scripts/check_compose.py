"""Checks docker-compose.yml without a container engine: the Compose schema, our own rules, and the Dockerfiles.

Where Go is installed, the loader that `docker compose config` uses reads the file too; where the plug-in is installed, it does.
Exit 1 names every fault.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
FILE = ROOT / "docker-compose.yml"
BIN = Path(sys.executable).parent
MEMORY_MB = {"minimal": 2048, "full": 3584}
EMPTY_SECRETS = ("postgres_password", "pg_service.conf", "jwt_private.pem", "jwt_public.pem")


def faults() -> Iterator[str]:
    """Every fault as one sentence."""
    compose = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    yield from ours(compose)
    yield from programs()
    yield from go_loader()


def ours(compose: dict[str, Any]) -> Iterator[str]:
    """Rules of the house: loopback only, pinned images, health checks, bounded memory, services as declared."""
    totals = dict.fromkeys(MEMORY_MB, 0)
    for name, service in compose["services"].items():
        for port in service.get("ports", ()):
            if not str(port).startswith("127.0.0.1:"):
                yield f"{name}: port {port} is published beyond loopback"
        tag = service["image"].rpartition(":")[2]
        if tag == "latest" or not re.fullmatch(r"local|v?\d+\.\d+.*", tag):
            yield f"{name}: image {service['image']} is not pinned to a version"
        if "healthcheck" not in service and name != "init-topics":
            yield f"{name}: no healthcheck"
        if "mem_limit" not in service:
            yield f"{name}: no mem_limit"
        elif name != "init-topics":  # the one-shot is gone when the services run
            for profile in ("full", *(() if "profiles" in service else ("minimal",))):
                totals[profile] += int(service["mem_limit"].removesuffix("m"))
    for profile, total in totals.items():
        if total > MEMORY_MB[profile]:
            yield f"memory limits sum to {total} MB; the {profile} stack stays within {MEMORY_MB[profile]} MB"
    jars = json.loads((ROOT / "platform/tool/src/treaty/local/data/kafka.lock.json").read_text(encoding="utf-8"))
    if compose["services"]["kafka"]["image"] != f"apache/kafka:{jars['kafka']}":
        yield f"kafka: the image is not of the local broker's version, {jars['kafka']}"


def programs() -> Iterator[str]:
    """The Compose schema and hadolint; `docker compose config` where the plug-in exists."""
    commands = [
        [str(BIN / "check-jsonschema"), "--builtin-schema", "vendor.compose-spec", str(FILE)],
        [str(BIN / "hadolint"), *map(str, sorted((ROOT / "ops" / "images").glob("*.Dockerfile")))],
    ]
    for command in commands:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            yield f"{Path(command[0]).name}: {done.stdout}{done.stderr}".strip()


def go_loader() -> Iterator[str]:
    """compose-go, the loader behind `docker compose config`, where Go is installed and its modules can be had."""
    go = shutil.which("go")
    if go is None:
        return
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "treaty" / "composecheck"
    source = ROOT / "ops" / "composecheck"
    if not cache.exists():
        cache.parent.mkdir(parents=True, exist_ok=True)
        built = subprocess.run(
            [go, "build", "-o", str(cache), "."], cwd=source, capture_output=True, text=True, check=False
        )
        if built.returncode != 0:
            print("compose-go could not be built here; the Compose schema alone was checked.", file=sys.stderr)
            return
    with tempfile.TemporaryDirectory() as folder:
        # The file names secrets that `make secrets` writes; the loader wants to see them, their content does not matter.
        copy = Path(folder) / FILE.name
        shutil.copyfile(FILE, copy)
        (Path(folder) / ".secrets").mkdir()
        for name in EMPTY_SECRETS:
            (Path(folder) / ".secrets" / name).touch()
        done = subprocess.run([str(cache), str(copy)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        yield f"compose-go: {done.stderr.strip()}"


def main() -> int:
    found = list(faults())
    for fault in found:
        print(f"docker-compose.yml: {fault}", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
