"""A real Chromium for pages of ours: what it complains about, and what axe thinks of them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import axe_playwright_python
from playwright.sync_api import Browser, Page, expect, sync_playwright

from treaty.local.errors import LocalFault
from treaty.local.machine import Machine

PROGRAMS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
FLAGS = ("--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking")
GRAVE = ("serious", "critical")
PATIENCE_MS = 90_000
"""For what hangs: nothing here says how fast a page is."""
expect.set_options(timeout=PATIENCE_MS)


class NoBrowser(LocalFault):
    """No Chromium was found."""

    help = "make test-deps, or set TREATY_CHROME to one"


@dataclass(frozen=True)
class Visit:
    """An open page and what went wrong on it: console errors, uncaught errors, requests that failed or went elsewhere."""

    page: Page
    faults: list[str] = field(default_factory=list)

    def axe(self) -> list[str]:
        """Serious findings of axe, one line each."""
        script = Path(axe_playwright_python.__file__).parent / "axe.min.js"
        self.page.evaluate(script.read_text(encoding="utf-8"))  # not as a tag: the page's policy forbids inline scripts
        found: Mapping[str, Any] = self.page.evaluate("async () => await axe.run()")
        assert found["passes"], "axe looked at nothing"
        return [
            f"{finding['id']}: {finding['help']}: {[node['html'] for node in finding['nodes']]}"
            for finding in found["violations"]
            if finding["impact"] in GRAVE
        ]


def find_chrome(machine: Machine) -> Path:
    """The program; raises ``NoBrowser``."""
    found = machine.named("TREATY_CHROME") or next(filter(None, map(machine.which, PROGRAMS)), None)
    if found is None:
        raise NoBrowser
    return found


@contextmanager
def browser(machine: Machine) -> Iterator[Browser]:
    """A started browser; raises ``NoBrowser``."""
    program = find_chrome(machine)
    flags = [*FLAGS, *(["--no-sandbox"] if os.geteuid() == 0 else [])]  # Chromium's sandbox refuses to run as root
    with sync_playwright() as driver:
        yield driver.chromium.launch(executable_path=program, args=flags)


@contextmanager
def visit(started: Browser, url: str, **options: Any) -> Iterator[Visit]:
    """The page at ``url`` in a fresh profile; ``options`` are those of a browser context."""
    context = started.new_context(**options)
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    seen = Visit(page)
    origin = url.partition("/quick")[0]
    page.on("console", lambda line: seen.faults.append(line.text) if line.type == "error" else None)
    page.on("pageerror", lambda error: seen.faults.append(str(error)))
    page.on("requestfailed", lambda request: seen.faults.append(f"{request.url}: {request.failure}"))
    page.on("request", lambda request: None if request.url.startswith(origin) else seen.faults.append(request.url))
    page.goto(url)
    try:
        yield seen
    finally:
        context.close()
