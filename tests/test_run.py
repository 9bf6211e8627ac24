import json
from typing import Any

from pyspark.sql import SparkSession


def test_the_default_run_ends_with_holdout_metrics(finished: Any, spark: SparkSession) -> None:
    metrics = finished.catalog().load("metrics")
    assert metrics["source"] == "simulated"
    assert metrics["champion"]["candidate"] in {"logistic_regression", "random_forest"}
    assert metrics["holdout"]["cutoff"] == "2018-11-21"
    assert metrics["holdout"]["horizon_days"] == 10
    assert max(metrics["train"]["cutoffs"]) == "2018-11-07"
    for part in ("holdout", "train"):
        assert 0 < metrics[part]["churned"] < metrics[part]["users"]
        for name in ("auc", "average_precision", "log_loss", "brier", "precision", "recall"):
            low, high = metrics[part][name]["ci95"]
            assert low <= metrics[part][name]["value"] <= high or part == "train"
    assert set(metrics["baselines"]) == {"base_rate", "days_since_last_seen", "most_songs"}
    assert len(metrics["candidates"]) == 2
    json.dumps(metrics, allow_nan=False)
