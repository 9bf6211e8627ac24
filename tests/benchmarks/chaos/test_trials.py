import json
from pathlib import Path

import pytest

from benchmarks.chaos.state import ABSENT, UNREADABLE
from benchmarks.chaos.trials import Trial, Trials

OLD = {"features": "3 rows, 7", "metrics": "a", "run_timings": "t1", "report": ABSENT}
NEW = {"features": "4 rows, 9", "metrics": "b", "run_timings": "t2", "report": "r"}


def test_a_dataset_that_is_neither_old_nor_new_is_lost() -> None:
    trial = Trial()
    state = {**OLD, "features": NEW["features"], "run_timings": "t3"}
    assert trial.count_old_and_new(state, OLD, NEW) == (2, 1)
    assert trial.lost == []
    trial.count_old_and_new({**state, "metrics": "half"}, OLD, NEW)
    assert trial.lost == ["metrics is neither old nor new: half"]


def test_an_existing_dataset_may_not_become_absent() -> None:
    trial = Trial()
    trial.count_old_and_new({**OLD, "metrics": ABSENT}, OLD, NEW)
    assert trial.lost == ["metrics is neither old nor new: absent"]


def test_timings_may_differ_but_have_to_load() -> None:
    trial = Trial()
    trial.expect_equal({**NEW, "run_timings": "t3"}, NEW)
    assert trial.lost == []
    trial.expect_equal({**NEW, "run_timings": f"{UNREADABLE}: half"}, NEW)
    assert trial.lost == ["run_timings differs: unreadable: half for t2"]


def test_an_exception_in_a_trial_is_a_loss(capsys: pytest.CaptureFixture[str]) -> None:
    trials = Trials(minutes=1)
    with trials.trial("a kill", "no. 1") as trial:
        trial.happened = "killed"
        raise KeyError("features")
    assert trials.has_losses
    assert "LOST the trial itself: KeyError: 'features'" in capsys.readouterr().out


def test_the_table_has_a_line_per_kind_of_trial(tmp_path: Path) -> None:
    trials = Trials(minutes=1)
    for number in range(3):
        trials.record("a kill", f"no. {number}", f"after node {number}; the next is equal", [])
    trials.record("a full disk", "10 %", "one sentence", ["metrics differs", "a trace"])
    assert trials.table().splitlines()[2:] == [
        "| a kill | 3 | 3 the next is equal | nothing |",
        "| a full disk | 1 | one sentence | 2 |",
    ]
    trials.save(tmp_path / "new" / "chaos.json", seed=6)
    saved = json.loads((tmp_path / "new" / "chaos.json").read_text())
    assert saved["seed"] == 6
    assert [trial["lost"] for trial in saved["trials"]][-1] == ["metrics differs", "a trace"]


def test_trials_without_time_are_listed() -> None:
    trials = Trials(minutes=0)
    assert Trials(minutes=1).is_time_left("a kill")
    assert not trials.is_time_left("a kill")
    assert not trials.is_time_left("a kill", share=0.5)
    assert trials.table().endswith("No time was left for a kill (2).")
