import sys
from pathlib import Path

import pytest

from benchmarks.measure import CommandFailedError, measure

WORK = """
import subprocess, sys, time
held = bytearray(150_000_000)
inner = "import time\\nend = time.time() + 1.5\\nwhile time.time() < end: pass"
subprocess.run([sys.executable, "-c", inner], check=True)
print("done")
"""


def test_a_command_is_measured_with_its_children(tmp_path: Path) -> None:
    measured = measure([sys.executable, "-c", WORK], tmp_path)
    assert measured.output == "done\n"
    assert measured.wall_seconds > 1.5
    assert measured.cpu_seconds > 0.5
    assert measured.peak_bytes > 150_000_000


def test_the_error_has_the_last_lines_of_the_output(tmp_path: Path) -> None:
    with pytest.raises(CommandFailedError, match="no such thing"):
        measure([sys.executable, "-c", "raise SystemExit('no such thing')"], tmp_path)
