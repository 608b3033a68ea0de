"""A type checker refuses what is misspelt: each marked line is an error, and no other line is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.treaty_codegen.features import FEATURES
from tests.treaty_codegen.generated import write_sdk
from tests.treaty_codegen.hard import HARD
from treaty_codegen import SdkSettings

ROOT = Path(__file__).parents[2]

SNIPPET = """\
from uuid import UUID
import mall_events
import mall_events.order
from mall_events.order import OrderCreted  # error: attr-defined
from mall_events.order import OrderLine, OrderStatus, OrderTimedOut, TestEvent
from mall_events.ordr import OrderPaid  # error: import-not-found
mall_events.order.OrderPayed  # error: attr-defined
mall_events.OrderPaid  # error: attr-defined
def reads(event: TestEvent, line: OrderLine, status: OrderStatus) -> None:
    event.test_idd  # error: attr-defined
    event.test_id = "x"  # error: misc
    event.test_id + 1  # error: operator
    line.unit_price + 1.5  # error: operator
    status == OrderStatus.PAYED  # error: attr-defined
    status.value + 1  # error: operator
    OrderLine(goods_id=1, title="t", unit_price=UUID(int=1), quantity=1)  # error: arg-type
    OrderLine(goods_id=1, title="t", quantity=1)  # error: call-arg
    OrderLine(goods_id=1, title="t", unit_price=1, quantity=1, sku="x")  # error: call-arg
    OrderTimedOut(1, 2)  # error: call-arg
    event.__event_type__.nothing  # error: attr-defined
"""


def test_what_is_misspelt_fails_in_the_type_checker(tmp_path: Path) -> None:
    path = tmp_path / "snippet.py"
    path.write_text(SNIPPET, "utf-8")
    command = [
        sys.executable,
        "-m",
        "mypy",
        "--strict",
        "--strict-equality",
        "--no-error-summary",
        "--config-file",
        "/dev/null",
    ]
    done = subprocess.run(
        [*command, "--hide-error-context", "--cache-dir", str(tmp_path / "cache"), str(path)],
        env={"MYPYPATH": str(ROOT / "sdk/src")},
        check=False,
        capture_output=True,
        text=True,
    )
    found = {int(line.split(":")[1]) for line in done.stdout.splitlines() if ": error: " in line}
    marked = {number for number, line in enumerate(SNIPPET.splitlines(), 1) if "# error" in line}
    assert found == marked, done.stdout + done.stderr
    for number in marked:
        wanted = SNIPPET.splitlines()[number - 1].partition("# error: ")[2]
        assert any(f":{number}: error: " in line and line.endswith(f"[{wanted}]") for line in done.stdout.splitlines())


def test_every_feature_is_fully_typed(tmp_path: Path) -> None:
    for number, feature in enumerate((*FEATURES, *HARD)):
        settings = SdkSettings(package=f"feature_{number}", namespace="test")
        write_sdk(feature.files, to=tmp_path, settings=settings)
    command = [
        sys.executable,
        "-m",
        "mypy",
        "--strict",
        "--cache-dir",
        str(tmp_path / "cache"),
        "--config-file",
        "/dev/null",
    ]
    done = subprocess.run([*command, "."], check=False, capture_output=True, text=True, cwd=tmp_path / "src")
    assert done.returncode == 0, done.stdout + done.stderr
