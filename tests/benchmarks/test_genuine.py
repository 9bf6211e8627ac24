import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import SparkSession

from benchmarks import genuine
from benchmarks.genuine_table import COUNTS, read_genuine, read_simulated

CUSTOMERS = 240
CHEAP = {"logistic_regression": {"regParam": [0.1]}, "random_forest": None, "xgboost": None}


def table(folder: Path) -> Path:
    """Write customers who cancel more often the more songs a day they play."""
    random = np.random.default_rng(5)
    songs = random.integers(20, 900, CUSTOMERS)
    days = random.integers(30, 90, CUSTOMERS)
    counts = {column: random.poisson(0.02 * songs) for column in COUNTS.values()}
    rows = pd.DataFrame(counts).assign(
        userId=[f"{number:07}" for number in range(CUSTOMERS)],
        gender="F",
        page_nextsong=songs,
        total_sessions=random.integers(1, 30, CUSTOMERS),
        paid_ratio=random.choice([0.0, 0.5, 1.0], CUSTOMERS),
        is_paid=random.integers(0, 2, CUSTOMERS),
        days_since_registration=days,
        churned=(random.random(CUSTOMERS) < songs / 1_000).astype(int),
    )
    path = folder / "customers.parquet"
    rows.to_parquet(path)
    return path


def test_the_table_has_the_list_features_the_models(tmp_path: Path) -> None:
    rows, numbers = read_genuine(table(tmp_path))
    raw = pd.read_parquet(tmp_path / "customers.parquet")
    assert "churned" not in numbers
    assert (rows["thumbs_up"] == raw["page_thumbs_up"]).all()
    assert (rows["free_next_song"] + rows["paid_next_song"] == rows["next_song"]).all()
    assert (rows["observed_days"] == raw["days_since_registration"].clip(upper=50)).all()
    is_only_paid = raw["paid_ratio"] == 1
    assert (rows.loc[is_only_paid, "free_roll_advert"] == 0).all()
    free = rows.loc[~is_only_paid]
    assert (free["free_roll_advert"] == free["roll_advert"]).all()


def test_simulated_customers_have_the_same_columns(finished: Any, tmp_path: Path) -> None:
    simulated = read_simulated(finished.folder / "data/04_feature/mini")
    genuine_rows, _ = read_genuine(table(tmp_path))
    assert set(simulated) == set(genuine_rows)
    assert simulated["user_id"].is_unique
    assert simulated["churned"].sum() > 0


def test_the_program_prints_and_saves_the_results(
    spark: SparkSession,
    finished: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    inputs, modelling, settings = genuine.load_parameters()
    cheap = {"candidates": CHEAP, "folds": 2}
    quick = inputs, modelling.model_copy(update=cheap), settings
    monkeypatch.setattr(genuine, "load_parameters", lambda: quick)
    monkeypatch.setenv("PYSPARK_SUBMIT_ARGS", "")
    features = finished.folder / "data/04_feature/mini"
    options = ["--simulated", str(features), "--repeats", "2", "--results", str(tmp_path)]
    genuine.main([str(table(tmp_path)), *options])
    results = json.loads((tmp_path / "genuine.json").read_text())
    assert results["customers"] == CUSTOMERS
    assert results["champion"] == "logistic regression (regParam 0.1)"
    assert results["scores"]["this project"]["auc"]["value"] > 0.65
    assert set(results["scores"]) >= {genuine.BOOSTING, "base rate", *genuine.RANKINGS}
    for name in ("auc", "average_precision", "log_loss", "calibration_slope"):
        low, high = results["scores"]["this project"][name]["ci95"]
        assert low <= high
    simulated = results["simulated"]
    assert 0 < simulated["trained on simulated, genuine forecast"]["auc"]["value"] < 1
    assert set(simulated["counters"]["distances"]) == {*COUNTS, "account_age_days", "is_paid"}
    # 1.358 * sqrt((n + m) / (n * m)), the 5 % point of Kolmogorov's distribution
    sizes = results["customers"], simulated["customers"]
    by_chance = 1.3581 * np.sqrt(sum(sizes) / np.prod(sizes))
    assert simulated["counters"]["by_chance"] == pytest.approx(by_chance, rel=1e-4)
    printed = capsys.readouterr().out
    assert f"{CUSTOMERS} customers" in printed
    assert "Absent from the table: submitted downgrades" in printed
    assert "gradient boosting on all columns (scikit-learn): auc" in printed
