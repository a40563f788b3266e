"""Small files do not take much memory, whatever they share, nest or repeat, and they end.

What takes too many steps takes hours: there is no need to measure it.
"""

from __future__ import annotations

import json
import subprocess
import sys

from tests.support.documents import ROOT
from tests.support.hostile import most_memory


def test_bombs_take_little_memory_and_end(deep):
    count = 30 if deep else 10
    result = subprocess.run(
        [sys.executable, "-m", "tests.support.bombs", "0", str(count)],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    found = [json.loads(line) for line in result.stdout.splitlines()]
    assert len(found) == 2 * count
    for one in found:
        assert one["peak"] < most_memory(one["size"]), one
