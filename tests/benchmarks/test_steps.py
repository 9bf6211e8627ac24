import json
import os
from typing import Any

import pytest
from pyspark.sql import SparkSession

from benchmarks import steps


def test_the_seconds_of_the_steps_sum_to_the_total() -> None:
    seconds = dict(zip(steps.STEPS, [1.0, 3.0, 6.0, 15.0, 2.0], strict=True))
    alone = steps.subtract(seconds)
    assert list(alone.values()) == [1.0, 2.0, 3.0, 9.0, 2.0]
    assert sum(alone.values()) == seconds["write the table"] + seconds["find repeated events"]


def test_every_step_is_timed_on_a_small_log(
    finished: Any,
    spark: SparkSession,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(os, "environ", {**os.environ})
    steps.main([str(finished.log), "--repeats", "1"])
    output = capsys.readouterr()
    assert list(json.loads(output.out)) == list(steps.STEPS)
    assert "turn 1 of 1, find repeated events" in output.err
