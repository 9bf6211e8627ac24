from collections.abc import Callable
from typing import Any

import pytest

from sparkify.log_formats.event_log import EventLogFiles, FileState
from sparkify.pipelines.data_processing.parameters import DataProcessingParameters
from sparkify.pipelines.data_processing.reading_plan import describe_plan, plan_batches

MEGABYTE = 1_000_000
Plan = dict[str, Any]


def make_log(**megabytes: float) -> EventLogFiles:
    """Return a log whose files have these sizes."""
    states = {
        name: FileState(bytes=int(size * MEGABYTE), version="1") for name, size in megabytes.items()
    }
    return EventLogFiles(states, "auto", lambda _: None)  # type: ignore[arg-type, return-value]


def change(log: EventLogFiles, name: str) -> EventLogFiles:
    """Return the log after a change of a file that keeps its size."""
    changed = FileState(bytes=log.states[name]["bytes"], version="2")
    return EventLogFiles({**log.states, name: changed}, log.format, log.read)


def save(plan: Plan) -> dict[str, Any]:
    """Return the manifest of `checked_events` after a run by this plan."""
    partitions = {number: {"files": files} for number, files in plan["batches"].items()}
    return {"about": plan["about"], "partitions": partitions}


def list_batches(plan: Plan) -> dict[str, list[str]]:
    return {number: list(files) for number, files in plan["batches"].items()}


def test_the_first_run_reads_all_files(checks: DataProcessingParameters) -> None:
    plan = plan_batches(make_log(a=200, b=200), {}, [], checks)
    assert list_batches(plan) == {"0": ["a"], "1": ["b"]}
    assert plan["new"] == ["0", "1"]
    assert plan["reason"] == "there are no records of an earlier run"


def test_a_run_reads_only_new_and_changed_files_and_drops_those_that_are_gone(
    checks: DataProcessingParameters,
) -> None:
    log = make_log(a=200, b=200, c=200)
    manifest = save(plan_batches(log, {}, [], checks))
    later = change(make_log(b=200, c=200, d=200), "c")
    plan = plan_batches(later, manifest, [], checks)
    assert (plan["new"], plan["reason"]) == (["3", "4"], None)
    assert list_batches(plan) == {"1": ["b"], "3": ["c"], "4": ["d"]}
    assert describe_plan(plan, manifest) == (
        "2 of 3 files of the log are read: 1 new, 1 changed, 0 to join small batches or because "
        "files read with them changed. 1 files are gone."
    )


def test_nothing_is_read_if_nothing_changed(checks: DataProcessingParameters) -> None:
    log = make_log(a=200, small=1)
    plan = plan_batches(log, save(plan_batches(log, {}, [], checks)), [], checks)
    assert (plan["new"], list_batches(plan)) == ([], {"0": ["a"], "1": ["small"]})


def test_small_files_share_a_batch_and_small_batches_are_read_again(
    checks: DataProcessingParameters,
) -> None:
    hours = {f"hour{number}": 60.0 for number in range(4)}
    manifest = save(plan_batches(make_log(**hours), {}, [], checks))
    assert [list(one["files"]) for one in manifest["partitions"].values()] == [
        ["hour0", "hour1", "hour2"],
        ["hour3"],
    ]
    plan = plan_batches(make_log(**hours, hour4=60), manifest, [], checks)
    assert list_batches(plan) == {
        "0": ["hour0", "hour1", "hour2"],
        "2": ["hour3", "hour4"],
    }


def test_a_batch_with_a_file_that_is_gone_is_read_again(checks: DataProcessingParameters) -> None:
    log = make_log(a=70, b=70, c=200)
    manifest = save(plan_batches(log, {}, [], checks))
    plan = plan_batches(make_log(b=70, c=200), manifest, [], checks)
    assert list_batches(plan) == {"1": ["c"], "2": ["b"]}


def test_a_run_plans_a_limited_number_of_batches(checks: DataProcessingParameters) -> None:
    plan = plan_batches(make_log(**{f"f{n:04}": 100 for n in range(1_000)}), {}, [], checks)
    assert len(plan["new"]) == 32
    assert sum(map(len, plan["batches"].values())) == 1_000


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"from_scratch": True}, "data_processing.from_scratch is true"),
        ({"levels": {"free": ["f"], "paid": ["p"]}}, "data_processing.levels changed"),
        (
            {"time_zone": "Asia/Tokyo", "time_format": "ms"},
            "data_processing.time_format, data_processing.time_zone changed",
        ),
        ({"max_rejected_share": 0.5}, None),
    ],
    ids=["on demand", "one", "two", "without meaning for records"],
)
def test_parameters_that_decide_what_records_mean_start_from_scratch(
    checks: DataProcessingParameters,
    changed: Callable[..., DataProcessingParameters],
    changes: dict[str, Any],
    reason: str | None,
) -> None:
    log = make_log(a=100)
    manifest = save(plan_batches(log, {}, [], checks))
    plan = plan_batches(log, manifest, [], changed(**changes))
    assert plan["reason"] == reason
    assert plan["new"] == (["1"] if reason else [])


def test_another_format_of_the_files_starts_from_scratch(checks: DataProcessingParameters) -> None:
    log = make_log(a=100)
    manifest = save(plan_batches(log, {}, [], checks))
    as_csv = EventLogFiles(log.states, "csv", log.read)
    assert plan_batches(as_csv, manifest, [], checks)["reason"] == "raw_format changed"


def test_a_customer_to_forget_starts_from_scratch(checks: DataProcessingParameters) -> None:
    log = make_log(a=100)
    manifest = save(plan_batches(log, {}, [], checks))
    assert plan_batches(log, manifest, ["30"], checks)["reason"] == "customers_to_forget changed"
