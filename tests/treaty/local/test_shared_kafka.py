"""The broker of the test run: one for all who ask at the same time, gone when the last of them is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.parts.shared_kafka import shared_kafka
from tests.parts.waiting import wait_until
from treaty.local.guard import identity

USER = """
import os, sys, time
from pathlib import Path
from tests.parts.shared_kafka import shared_kafka
with shared_kafka(Path(sys.argv[1]), env=os.environ) as bootstrap:
    print(bootstrap, flush=True)
    time.sleep(600)
"""


@pytest.mark.kafka
@pytest.mark.timeout(400)
def test_workers_share_one_broker_and_it_ends_with_the_last_of_them(tmp_path: Path) -> None:
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    argv = [sys.executable, "-c", USER, str(tmp_path)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, env=env) as first:
        assert first.stdout is not None
        address = first.stdout.readline().strip()
        pid = json.loads((tmp_path / "kafka.json").read_text())["pid"]
        with shared_kafka(tmp_path, env=env) as bootstrap:
            assert bootstrap == address
            first.kill()
            first.wait()
            assert identity(pid)  # the one that started it is gone, the broker is not
    wait_until(lambda: identity(pid) is None)
