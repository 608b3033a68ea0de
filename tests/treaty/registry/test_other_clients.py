"""Clients of other languages, unchanged, against our registry; a toolchain that is not there skips with its reason."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.cases.markdown import ROOT
from tests.parts.toolchains import SECONDS, fetch, run, tool
from treaty.registry.testing import registry

pytestmark = pytest.mark.long

CLIENTS = ROOT / "compat-tests" / "clients"


@pytest.mark.timeout(2 * SECONDS)
def test_a_javascript_client_registers_looks_up_and_decodes(tmp_path: Path) -> None:
    node, npm = tool("node"), tool("npm")
    folder = shutil.copytree(CLIENTS / "javascript", tmp_path / "client")
    # Scripts of packages are not run: the client needs none.
    fetch(npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", "--no-package-lock", folder=folder)
    with registry() as url:
        run(node, "client.js", url, folder=folder)


@pytest.mark.timeout(2 * SECONDS)
def test_a_go_client_registers_looks_up_and_reads(tmp_path: Path) -> None:
    go = tool("go")
    program = tmp_path / "client"
    fetch(go, "mod", "download", folder=CLIENTS / "go")
    run(go, "build", "-mod=readonly", "-o", str(program), ".", folder=CLIENTS / "go")
    with registry() as url:
        run(str(program), url, folder=tmp_path)


@pytest.mark.timeout(2 * SECONDS)
def test_confluents_java_client_registers_looks_up_encodes_and_deletes(tmp_path: Path) -> None:
    maven, javac, java = tool("mvn"), tool("javac"), tool("java")
    folder = shutil.copytree(CLIENTS / "java", tmp_path / "client")
    fetch(maven, "-q", "-B", "dependency:copy-dependencies", "-DoutputDirectory=jars", folder=folder)
    run(javac, "-nowarn", "-encoding", "UTF-8", "-cp", "jars/*", "-d", ".", "Client.java", folder=folder)
    with registry() as url:
        run(java, "-Xmx256m", "-XX:TieredStopAtLevel=1", "-cp", ".:jars/*", "Client", url, folder=folder)
