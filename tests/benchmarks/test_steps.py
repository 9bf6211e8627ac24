import json
import os
from typing import Any

import pytest
from pyspark.sql import SparkSession

from benchmarks import steps


def test_what_the_steps_add_sums_to_the_whole() -> None:
    seconds = dict(zip(steps.STEPS, [1.0, 3.0, 6.0, 15.0, 2.0], strict=True))
    added = steps.added(seconds)
    assert list(added.values()) == [1.0, 2.0, 3.0, 9.0, 2.0]
    assert sum(added.values()) == seconds["write the table"] + seconds["find repeated events"]


def test_every_step_is_timed_on_a_small_log(
    finished: Any,
    spark: SparkSession,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(os, "environ", {**os.environ})
    steps.main([str(finished.log), "--repeats", "1"])
    told = capsys.readouterr()
    assert list(json.loads(told.out)) == list(steps.STEPS)
    assert "turn 1 of 1, find repeated events" in told.err
