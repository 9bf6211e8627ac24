"""Simulated logs as the project has them once features are made, for monitoring to compare."""

import json
import shutil
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from benchmarks.simulated_tables import TABLES, write_tables
from benchmarks.speed import ROOT
from sparkify.pipelines.feature_engineering import nodes as feature_engineering
from sparkify.pipelines.feature_engineering.customers import list_customers, log_span
from sparkify.pipelines.simulation import nodes as simulation
from sparkify.pipelines.simulation.parameters import SimulationParameters
from sparkify.schemas import KEYS

Parameters = dict[str, Any]


class Log(NamedTuple):
    """A simulated log as the project has it: its tables, and the account of its lines."""

    event_counts: DataFrame
    user_days: DataFrame
    features: DataFrame
    newest: DataFrame
    data_quality: dict[str, Any]


def project_parameters() -> Parameters:
    """Return the parameters of the mini environment as nodes get them; Spark may start after."""
    bootstrap_project(ROOT)
    with KedroSession.create(project_path=ROOT, save_on_close=False) as session:
        context = session.load_context()
        one = {"candidates": {"logistic_regression": {"regParam": [0.03]}}}
        return {**context.params, "modelling": context.params["modelling"].model_copy(update=one)}


def log(folder: Path, own: SimulationParameters, parameters: Parameters) -> Log:
    """Simulate a log unless it stands in a folder, down to its features."""
    spark, settings = SparkSession.active(), parameters["feature_engineering"]
    tables = {name: folder / name for name in ("event_counts", "user_days", "features", "newest")}
    quality = folder / "data_quality.json"
    if not quality.exists():
        shutil.rmtree(folder, ignore_errors=True)
        raw, users = folder / "raw", folder / "raw/simulated_users"
        simulation.draw_users(own).write.parquet(str(users))
        sessions = simulation.simulate_sessions(spark.read.parquet(str(users)), {}, own)
        sessions.write.parquet(str(raw / "simulated_sessions"))
        write_tables(raw, folder, own)
        checked, repeated, counts = (spark.read.parquet(str(folder / name)) for name in TABLES)
        checked_account = account(raw, counts)
        events = feature_engineering.select_events(
            checked, repeated, checked_account, parameters["data_processing"]
        )
        days = feature_engineering.aggregate_user_days(events, settings)
        days.write.parquet(str(tables["user_days"]))
        days = spark.read.parquet(str(tables["user_days"]))
        snapshots = feature_engineering.label_snapshots(days, settings)
        described = feature_engineering.compute_features(days, snapshots, settings)
        described.join(snapshots, on=KEYS).write.parquet(str(tables["features"]))
        now = list_customers(days, [log_span(days, settings)[1]], settings)
        newest = feature_engineering.compute_features(days, now, settings)
        newest.write.parquet(str(tables["newest"]))
        quality.write_text(json.dumps(checked_account), encoding="utf-8")
        shutil.rmtree(raw)
    read = {name: spark.read.parquet(str(path)) for name, path in tables.items()}
    return Log(**read, data_quality=json.loads(quality.read_text(encoding="utf-8")))


def account(raw: Path, event_counts: DataFrame) -> dict[str, Any]:
    """Account for a log's lines as data_processing would: those without a user are rejected."""
    events = f"read_parquet('{raw}/simulated_sessions/*.parquet')"
    lines = duckdb.sql(f"SELECT sum(len(events)) FROM {events}").fetchall()[0][0]
    opened = F.date_format(F.min("first_ts"), "yyyy-MM-dd'T'HH:mm:ss'Z'")
    accepted = event_counts.agg(F.sum("events"), opened).collect()[0]
    rejections = {"no user": {"lines": int(lines) - accepted[0], "examples": []}}
    return {
        "lines": int(lines),
        "accepted": accepted[0],
        "rejected_share": 0.0,
        "max_rejected_share": 0.0,
        "first_event": accepted[1],
        "rejections": rejections,
    }
