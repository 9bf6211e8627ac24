import json
from typing import Any

import pandas as pd
import pytest
from pyspark.sql import SparkSession


def test_the_default_run_ends_with_holdout_metrics(finished: Any, spark: SparkSession) -> None:
    metrics = finished.catalog().load("metrics")
    assert metrics["source"] == "simulated"
    assert metrics["champion"]["candidate"] in {"logistic_regression", "random_forest"}
    question = metrics["question"]
    assert (question["cutoff"], question["horizon_days"]) == ("2018-11-21", 10)
    assert max(question["train_cutoffs"]) == "2018-11-07"
    for part in ("holdout", "train"):
        assert 0 < metrics[part]["churned"] < metrics[part]["users"]
    for name in ("auc", "average_precision", "log_loss", "brier", "precision", "recall"):
        low, high = metrics["holdout"][name]["ci95"]
        assert low <= metrics["holdout"][name]["value"] <= high
    assert metrics["unseen_users"]["users"] < metrics["holdout"]["users"]
    assert set(metrics["baselines"]) == {"base_rate", "longest_away", "most_songs"}
    assert len(metrics["candidates"]) == 2
    json.dumps(metrics, allow_nan=False)


def test_the_saved_model_alone_gives_the_forecast(finished: Any) -> None:
    catalog = finished.catalog()
    forecast = catalog.load("churn_model").transform(catalog.load("test"))
    told = forecast.select("user_id", "probability", "predicted").toPandas()
    saved = catalog.load("test_predictions").select(*told.columns).toPandas()
    pd.testing.assert_frame_equal(
        *(rows.sort_values("user_id", ignore_index=True) for rows in (told, saved))
    )


@pytest.fixture(scope="module")
def studied(finished: Any) -> Any:
    """Return the catalog of the finished project with its champion studied and asked backwards."""
    timings = finished.catalog().load("run_timings")
    finished.run("validation", "retrospective", params=finished.params)
    finished.catalog().save("run_timings", timings)  # other tests look at the default run's
    return finished.catalog()


def test_the_champion_is_studied(studied: Any) -> None:
    assert studied.load("later_events") == {"deleted": 0, "altered": 0, "invented": 0}
    groups = {"adverts", "downgrades", "exposure", "level", "thumbs", "volume"}
    assert set(studied.load("feature_groups")["group"]) == groups
    assert studied.load("label_shuffle")["auc"].between(0, 1).all()
    assert len(studied.load("imbalance_comparison")) >= 3
    assert studied.load("rolling_origin")["cutoff"].is_monotonic_increasing


def test_the_seed_project_s_question_is_asked_and_its_leak_found(studied: Any) -> None:
    seed = studied.load("retrospective.seed_comparison").set_index("project")
    assert seed.loc["seed project, published", "auc"] == 0.82
    assert 0 <= seed.loc["this project, retrospective", "weighted_f1"] <= 1
    (sentence, *_) = studied.load("retrospective.poisoned_audit")["not_to_be_believed"]
    assert "+0.5 total_records" in sentence
