import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pyspark.sql import SparkSession

from benchmarks.agreement import (
    EXACT,
    compare_results,
    count_digits,
    list_below_promise,
    read_results,
)
from benchmarks.determinism import shuffle_log


@pytest.mark.parametrize(
    ("one", "other", "agreed"),
    [
        (0.1, 0.1, EXACT),
        (1.0, 1.0 + 2.0**-52, 15),
        (1234.0, 1234.1, 4),
        (1.0, -1.0, 0),
        (0.0, 1e-300, 0),
        (float("nan"), float("nan"), EXACT),
        ("churned", "churned", EXACT),
        ("churned", "stayed", 0),
        (7, 8, 0),
    ],
)
def test_equal_digits_are_counted(one: Any, other: Any, agreed: int) -> None:
    assert count_digits({"value": one}, {"value": other}) == agreed


def test_a_result_has_the_digits_of_its_worst_value_and_a_missing_one_has_none() -> None:
    one = {"metrics": {"auc": 0.7, "lift": 2.0}, "train": {"x": 1.0}}
    other = {"metrics": {"auc": 0.7, "lift": 2.001}, "test": {"x": 1.0}}
    assert compare_results(one, other) == {"metrics": 3, "test": 0, "train": 0}
    assert count_digits({"auc": 0.7}, {"auc": 0.7, "lift": 2.0}) == 0


@pytest.mark.parametrize(
    ("partitions", "name", "agreed", "is_as_promised"),
    [
        (1, "08_reporting/metrics.json", EXACT, True),
        (1, "08_reporting/metrics.json", 15, False),
        (4, "04_feature/features", 15, False),
        (2, "06_models/churn_model", 9, True),
        (2, "07_model_output/churn_scores", 8, False),
    ],
)
def test_results_with_fewer_digits_than_promised_are_listed(
    partitions: int, name: str, agreed: int, is_as_promised: bool
) -> None:
    digits = {"02_intermediate/data_quality.json": EXACT, name: agreed}
    assert list_below_promise(digits, partitions) == ([] if is_as_promised else [name])


def test_fractions_in_lists_are_compared_by_digits(spark: SparkSession, tmp_path: Path) -> None:
    kind = "user_id string, reasons array<struct<input: string, contribution: double>>"
    for name, added in {"one": 0.5, "other": 0.50005}.items():
        rows = [("2", [("volume", 1.0)]), ("1", [("thumbs", added), ("level", 0.1)])]
        table = spark.createDataFrame(rows[:: 1 if name == "one" else -1], kind)
        table.write.parquet(str(tmp_path / name / "07_model_output/churn_scores"))
    one, other = (read_results(tmp_path / name) for name in ("one", "other"))
    assert compare_results(one, one) == {"07_model_output/churn_scores": EXACT}
    assert compare_results(one, other) == {"07_model_output/churn_scores": 4}


def test_results_do_not_depend_on_order_or_version(spark: SparkSession, tmp_path: Path) -> None:
    def write_results(run: str, rows: list[tuple[str, float]], seconds: float) -> Path:
        data = tmp_path / run
        table = spark.createDataFrame(rows, "user_id string, songs double")
        table.repartition(2, "user_id").write.parquet(str(data / "04_feature/features"))
        for name in ("07_model_output", f"08_reporting/metrics.json/{run}"):
            (data / name).mkdir(parents=True)
        pd.DataFrame({"auc": [0.5]}).to_csv(data / "07_model_output/cv_results.csv")
        times = pd.DataFrame({"seconds": [seconds]})
        times.to_csv(data / "08_reporting/run_timings.csv")
        metrics = data / f"08_reporting/metrics.json/{run}/metrics.json"
        metrics.write_text(json.dumps({"auc": [0.7, {"low": 0.6}]}))
        return data

    rows = [("1", 3.0), ("2", 5.0), ("3", 1.0)]
    one, other = write_results("monday", rows, 1.5), write_results("tuesday", rows[::-1], 2.5)
    assert compare_results(read_results(one), read_results(other)) == {
        "04_feature/features": EXACT,
        "07_model_output/cv_results.csv": EXACT,
        "08_reporting/metrics.json": EXACT,
    }
    assert read_results(one)["08_reporting/metrics.json"] == {".auc.0": 0.7, ".auc.1.low": 0.6}


def test_other_partitions_and_shuffled_lines_give_the_same_results(
    finished: Any, project: Any, spark: SparkSession
) -> None:
    shuffle_log(finished.log, project.log)
    record = finished.folder / "data/01_raw/mini/simulation_record.json"
    (project.folder / "data/01_raw/mini").mkdir(exist_ok=True)
    (project.folder / "data/01_raw/mini" / record.name).write_bytes(record.read_bytes())
    spark.conf.set("spark.sql.shuffle.partitions", 3)
    try:
        project.run(
            "__default__", params=project.params, to_nodes=["modelling.evaluation.promote_champion"]
        )
    finally:
        spark.conf.set("spark.sql.shuffle.partitions", 1)
    before, again = (read_results(place.folder / "data") for place in (finished, project))
    agreed = compare_results({name: before[name] for name in again}, again)
    assert agreed == dict.fromkeys(agreed, EXACT)
    assert {
        *("features", "churn_model", "test_predictions"),
        *("cv_results.csv", "metrics.json"),
    } <= {Path(name).name for name in agreed}
