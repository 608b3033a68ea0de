"""Prints the action's outputs from a report: a number, a word of four and a hash, whatever else the report may say."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path


def outputs(text: str) -> str:
    """``name=value`` lines; no value has a line break or anything else that a file of outputs would obey."""
    body = json.loads(text)
    bump, plan = str(body.get("bump")), str(body.get("plan_sha256"))
    return "".join(
        (
            f"findings={len(body.get('problems', ()))}\n",
            f"bump={bump if bump in {'patch', 'minor', 'major'} else 'none'}\n",
            f"plan={plan if re.fullmatch('[0-9a-f]{64}', plan) else ''}\n",
        )
    )


if __name__ == "__main__":
    print(outputs(Path(sys.argv[1]).read_text(encoding="utf-8")), end="")
