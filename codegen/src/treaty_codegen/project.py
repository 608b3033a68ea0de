"""The files beside the packages of the SDK: metadata and README."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from treaty_codegen.catalog import Catalog
from treaty_codegen.layout import Home
from treaty_codegen.lines import EDIT_HINT, MARK, header
from treaty_codegen.settings import SdkSettings


def pyproject(settings: SdkSettings) -> str:
    """``pyproject.toml``: no dependency at all."""
    package = json.dumps(f"src/{settings.package}")
    what = f"Typed events of {settings.namespace or settings.package}, generated from Avro schemas."
    return f"""{header()}
[project]
name = {json.dumps(settings.distribution)}
version = {json.dumps(settings.version)}
description = {json.dumps(what)}
readme = "README.md"
requires-python = {json.dumps(settings.requires_python)}
dependencies = []

[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[tool.hatch.build.targets.wheel]
packages = [{package}]

[tool.hatch.build]
dev-mode-dirs = ["src"]
"""


def package_of(metadata: bytes) -> str | None:
    """The import package in a ``pyproject.toml`` that ``pyproject`` has made; None for any other text."""
    found = re.search(rb'^packages = \["src/([A-Za-z0-9_]+)"\]$', metadata, re.MULTILINE)
    return found[1].decode() if found is not None and metadata.startswith(header().encode()) else None


def readme(events: Mapping[str, Home], *, catalog: Catalog, settings: SdkSettings) -> str:
    """``README.md``: how to import, and a table of the events."""
    lines = [
        f"<!-- {MARK.removeprefix('# ')}. {EDIT_HINT} -->",
        f"# {settings.distribution}",
        "",
        f"Typed events of `{settings.namespace or settings.package}`: frozen dataclasses with their Avro schema, no dependency.",
        "",
    ]
    example = next(iter(events.values()), None)
    if example is not None:
        lines += ["```python", f"from {example.package} import {example.public}", "```", ""]
    lines += ["| event | import from | topic |", "|---|---|---|"]
    for name, home in events.items():
        topic = catalog.topic_of(name)
        lines.append(f"| `{home.public}` | `{home.package}` | {f'`{topic.name}`' if topic is not None else ''} |")
    return "\n".join(lines) + "\n"
