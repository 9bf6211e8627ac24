"""Other tools make equal features from the same log."""

import math
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest
from pyspark.sql import SparkSession

from benchmarks.peers import duckdb_peer, equal, floor, model, notebook, polars_peer
from benchmarks.peers.settings import Phases


def make_duckdb(log: Path, folder: Path) -> None:
    con = duckdb.connect()
    duckdb_peer.accepted_events(con, log, folder)
    duckdb_peer.tables(con, folder)


def make_polars(log: Path, folder: Path) -> None:
    polars_peer.accepted_events(log, folder)
    polars_peer.tables(folder)


@pytest.mark.parametrize("make", [make_duckdb, make_polars])
def test_a_peer_has_the_same_features_and_labels(finished: Any, tmp_path: Path, make: Any) -> None:
    make(finished.log, tmp_path)
    ours = finished.folder / "data/04_feature/mini"
    assert equal.differences(ours / "features", tmp_path / "features.parquet") == []
    assert equal.differences(ours / "snapshots", tmp_path / "snapshots.parquet") == []


@pytest.mark.parametrize("make", [make_duckdb, make_polars])
def test_a_peer_keeps_one_of_equal_events(finished: Any, tmp_path: Path, make: Any) -> None:
    lines = next(finished.log.glob("part-*")).read_text().splitlines()
    repeated = tmp_path / "log.json"
    repeated.write_text("\n".join([*lines, *lines[-500:]]) + "\n")
    make(finished.log, tmp_path)
    expected = pd.read_parquet(tmp_path / "events.parquet")
    make(repeated, tmp_path)
    assert len(pd.read_parquet(tmp_path / "events.parquet")) == len(expected)


def test_a_difference_is_named(finished: Any, tmp_path: Path) -> None:
    ours = finished.folder / "data/04_feature/mini/features"
    changed = pd.read_parquet(ours)
    changed.loc[0, "next_song"] += 1
    changed.to_parquet(tmp_path / "changed.parquet")
    (line,) = equal.differences(ours, tmp_path / "changed.parquet")
    assert line.startswith("next_song: ")
    assert line.endswith("1 rows in all")
    changed.drop(columns="next_song").to_parquet(tmp_path / "fewer.parquet")
    assert equal.differences(ours, tmp_path / "fewer.parquet") == ["only one has next_song"]
    changed.iloc[1:].to_parquet(tmp_path / "shorter.parquet")
    (line,) = equal.differences(ours, tmp_path / "shorter.parquet")
    assert "not the same ones" in line


def test_the_model_is_evaluated_on_the_last_cutoff(finished: Any, tmp_path: Path) -> None:
    make_duckdb(finished.log, tmp_path)
    metrics = model.evaluate_tables(tmp_path)
    assert 0 < metrics["auc"] <= 1
    assert 0 < metrics["average_precision"] <= 1


def test_the_candidates_are_of_the_same_kinds() -> None:
    kinds = {name.split()[0] for name, _ in model.candidates(1_000)}
    assert kinds == {"logistic_regression", "random_forest", "gradient_boosted_trees", "xgboost"}


def test_rates_are_shrunk_towards_the_training_rows() -> None:
    rates, plain = model.RATES, model.INPUTS["plain"]
    counted = {rate[key] for rate in rates.values() for key in ("count", "per")}
    zeros = dict.fromkeys([*counted, *plain], 0)
    prior = rates["thumbs_up_per_song"]["prior"]
    train = pd.DataFrame([{**zeros, "next_song": 400, "thumbs_up": 100}])
    rows = pd.DataFrame([{**zeros, "next_song": prior}, zeros])
    inputs = model.Inputs().fit(train).transform(rows)
    # Without thumbs up on as many songs as the prior has: half of the rate in training.
    assert inputs["thumbs_up_per_song"].tolist() == pytest.approx([math.log(0.5), 0])
    assert inputs["adverts_per_free_song"].tolist() == [0, 0]  # none seen in training


def test_the_floor_reads_and_parses(finished: Any, tmp_path: Path) -> None:
    phases = Phases()
    floor.run(finished.log, tmp_path, phases)
    assert list(phases.seconds) == ["read", "parse"]


def test_the_notebook_describes_every_user(spark: SparkSession, finished: Any) -> None:
    users = notebook.users(finished.log, spark).collect()
    assert len(users) == finished.catalog().load("data_quality")["users"]
    assert {row["label"] for row in users} == {0, 1}
