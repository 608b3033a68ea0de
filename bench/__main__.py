"""``make bench``: measures every area, prints the table, and puts it into the README (``--no-write``: only prints).

``python -m bench order`` measures one area.
"""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from bench import (
    codec,
    compat,
    delivery,
    fence,
    order,
    peers,
    registry,
    registry_growth,
    relays,
    runtime,
    sdk,
    stack,
    trouble,
    workflow,
)
from bench.report import Row, machine, table, write

AREAS: dict[str, Callable[[], list[Row]]] = {
    "stack": stack.measure,
    "order": order.measure,
    "runtime": runtime.measure,
    "delivery": delivery.measure,
    "relays": relays.measure,
    "trouble": trouble.measure,
    "fence": fence.measure,
    "peers": peers.measure,
    "registry": registry.measure,
    "registry-growth": registry_growth.measure,
    "codec": codec.measure,
    "compat": compat.measure,
    "sdk": sdk.measure,
    "workflow": workflow.measure,
}


def main(words: list[str]) -> int:
    """Measures the named areas, or all, and prints the table; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure, and print the table.")
    parser.add_argument(
        "areas", nargs="*", metavar="AREA", choices=[[], *AREAS], help=f"{', '.join(AREAS)}; all if none"
    )
    parser.add_argument("--no-write", action="store_true", help="do not put the table of all areas into README.md")
    told = parser.parse_args(words)
    # A shell's background job starts with Ctrl-C ignored, and what is measured would inherit that and never end.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    names = told.areas or list(AREAS)
    rows: list[Row] = []
    for name in names:
        print(f"measuring: {name}", file=sys.stderr)
        rows += AREAS[name]()
    print(table(rows) + f"\n{machine()}")
    if names == list(AREAS) and not told.no_write:
        write(Path(__file__).resolve().parent.parent / "README.md", rows)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
