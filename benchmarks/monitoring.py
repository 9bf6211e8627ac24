"""Count the alarms of monitoring, with and without a change of the simulated process.

`python -m benchmarks.monitoring --seeds 20` simulates a log per seed, and some with a changed
process. A model is trained on the first seed's log. The nodes of the pipeline compare the newest
snapshot of each log with that log (other customers). An unchanged log is also compared with its
own training weeks (the same customers, earlier). Prints a table and writes `monitoring.json` to
`--results`. Logs under `--logs` are reused.
"""

import argparse
import json
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project
from pyspark.ml import PipelineModel
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from scipy.stats import binomtest

from benchmarks import speed
from benchmarks.program import RESULTS, ROOT, describe_run, print_progress, save_results
from sparkify.datasets import PartitionedTableDataset
from sparkify.ml import metrics
from sparkify.pipelines.evaluation import nodes as evaluation
from sparkify.pipelines.evaluation.decision import describe_decision
from sparkify.pipelines.modelling import nodes as modelling
from sparkify.pipelines.monitoring import nodes as monitoring
from sparkify.schemas import KEYS

LATER, OTHERS = "same log, later", "another log of the process"
THUMBS_DOWN = {"thumbs_down_per_free_song", "thumbs_down_per_paid_song"}

# Changes of the process, each with the features that may raise the expected alarm.
SHIFTS: dict[str, tuple[dict[str, Any], set[str]]] = {
    "adverts 1.25 times": ({"adverts": 1.25}, {"adverts_per_free_song"}),
    "adverts 1.5 times": ({"adverts": 1.5}, {"adverts_per_free_song"}),
    "adverts twice": ({"adverts": 2}, {"adverts_per_free_song"}),
    "a third tubas": ({"cohorts.tuba": 4}, {"adverts_per_free_song"}),
    "two thirds tubas": ({"cohorts.tuba": 16}, {"adverts_per_free_song"}),
    "a third zithers": ({"cohorts.zither": 4}, THUMBS_DOWN),
    "two thirds zithers": ({"cohorts.zither": 16}, THUMBS_DOWN),
}


Parameters = dict[str, Any]


class Log(NamedTuple):
    """The tables of a simulated log, and the counts of its lines."""

    event_counts: DataFrame
    user_days: DataFrame
    features: DataFrame
    newest: DataFrame
    data_quality: dict[str, Any]


class Training(NamedTuple):
    """What monitoring compares with: a reference, a model, its hold-out scores and metrics."""

    reference: dict[str, Any]
    model: PipelineModel
    test_predictions: DataFrame
    metrics: dict[str, Any]


def load_parameters() -> Parameters:
    """Return the typed parameters of the mini environment, with one candidate."""
    bootstrap_project(ROOT)
    with KedroSession.create(project_path=ROOT, save_on_close=False) as session:
        params = session.load_context().params
    one = {"candidates": {"logistic_regression": {"regParam": [0.03]}}}
    return {**params, "modelling": params["modelling"].model_copy(update=one)}


def read_log(folder: Path, simulation: dict[str, Any]) -> Log:
    """Read a log's tables down to its features; simulate it if they are missing."""
    log = speed.Log("mini", folder, simulation)
    if not (log.layer("04_feature") / "current_features/_SUCCESS").exists():
        log.require()
        pipelines = "data_processing,feature_engineering,scoring"
        log.kedro("--pipelines", pipelines, "--to-outputs", "features,current_features")
    feature, read = log.layer("04_feature"), SparkSession.active().read.parquet
    places = [feature / name for name in ("features", "current_features", "snapshots")]
    places.append(log.layer("02_intermediate") / "event_counts")
    features, newest, snapshots, counts = (read(str(place)) for place in places)
    user_days = str(log.layer("03_primary") / "user_days")
    days = PartitionedTableDataset(filepath=user_days, partition_by="week").load()
    quality = (log.layer("02_intermediate") / "data_quality.json").read_text(encoding="utf-8")
    return Log(counts, days, features.join(snapshots, on=KEYS), newest, json.loads(quality))


def describe_log(
    log: Log, prediction_task: dict[str, Any], parameters: Parameters
) -> dict[str, Any]:
    """Describe the training on a log, as the node describe_training does."""
    tables = log.features, log.user_days, log.event_counts, log.data_quality
    settings = parameters["inputs"], parameters["reference"]
    return modelling.describe_training(*tables, prediction_task, *settings)


def train(log: Log, parameters: Parameters) -> tuple[Training, dict[str, Any]]:
    """Train a logistic regression on a log."""
    settings = parameters["modelling"]
    snapshots = log.features.select(*KEYS, "churned")
    features = log.features.drop("churned")
    inputs, requested = parameters["inputs"], parameters["evaluation"]
    split = features, snapshots, {"missing_pages": {}}, settings, parameters["feature_engineering"]
    rows, test, prediction_task = modelling.split_in_time(*split, requested.max_customers)
    out_of_fold = modelling.cross_validate(rows, inputs, settings).cache()
    _, selected = modelling.select_candidate(out_of_fold, settings)
    calibration = modelling.calibrate(out_of_fold, selected, settings)
    model, champion = modelling.fit_selected(rows, selected, calibration, inputs, settings)
    predictions = evaluation.predict_snapshots(test, model, requested.baselines).cache()
    threshold = describe_decision(requested.decision, champion["f1_threshold"])["threshold"]
    figures = {
        "holdout": metrics.evaluate_predictions(
            predictions.toPandas(), threshold, requested.bootstrap
        ),
        "train": {"churned": rows.where("churned").count()},
    }
    return Training(
        describe_log(log, prediction_task, parameters), model, predictions, figures
    ), prediction_task


def monitor(training: Training, log: Log, parameters: Parameters) -> dict[str, Any]:
    """Monitor a log as the pipeline does, with the scores of the hold-out and the newest ones."""
    reference, model, test_predictions, holdout = training
    scores = model.transform(log.newest).select(*KEYS, "probability")
    cutoff = log.features.agg(F.max("cutoff")).collect()[0][0]
    earlier = model.transform(log.features.where(F.col("cutoff") == F.lit(cutoff)))
    history = {str(cutoff): lambda: earlier.select(*KEYS, "probability")}
    limits = parameters["monitoring"]
    settings = parameters["feature_engineering"], parameters["evaluation"], limits
    newest = monitoring.describe_newest_snapshot(
        log.newest, log.user_days, log.event_counts, log.data_quality, reference
    )
    drift = monitoring.measure_drift(reference, newest, test_predictions, scores, limits)
    realised = monitoring.evaluate_past_scores(history, log.user_days, newest, holdout, *settings)
    summary = monitoring.summarize_monitoring(reference, newest, drift, realised, holdout, limits)
    (past,) = summary["realised"]
    return {
        "customers": summary["customers"],
        "alarms": [alarm["name"] for alarm in summary["alarms"]],
        "sure_of": drift.loc[drift["p_adjusted"] < limits.false_alarms, "feature"].tolist(),
        "psi": drift.set_index("feature")["psi"].to_dict(),
        "volume": {name: round(row["ratio"], 3) for name, row in summary["volume"].items()},
        "min_day_share": round(summary["min_day_share"], 3),
        "churned": past["churned"],
        "expected": round(past["expected"], 2),
    }


def summarize(runs: list[dict[str, Any]], expected: set[str]) -> dict[str, Any]:
    """Count the runs of one kind with an alarm, by alarm, and those with an expected one.

    `sure_of_some` counts the runs with a significant test, however small the change.
    """
    alarmed = sum(bool(run["alarms"]) for run in runs)
    right = sum(bool({f"drift.{name}" for name in expected} & {*run["alarms"]}) for run in runs)
    low, high = binomtest(alarmed, len(runs)).proportion_ci()
    psi = pd.DataFrame([run["psi"] for run in runs])
    return {
        "runs": len(runs),
        "with_alarm": alarmed,
        "share_ci95": [float(low), float(high)],
        "sure_of_some": sum(bool(run["sure_of"]) for run in runs),
        "naming_the_right": right if expected else None,
        "alarms": dict(Counter(name for run in runs for name in run["alarms"]).most_common()),
        "psi_median": psi.median().round(4).to_dict(),
        "psi_most": psi.max().round(4).to_dict(),
    }


def format_table(scenarios: dict[str, dict[str, Any]]) -> str:
    """Format scenarios, a line each."""
    lines = [f"{'':28}{'runs':>6}{'sure':>6}{'alarm':>7}{'right':>7}  alarms"]
    for name, one in scenarios.items():
        right = "" if one["naming_the_right"] is None else one["naming_the_right"]
        names = ", ".join(f"{alarm} {count}" for alarm, count in one["alarms"].items()) or "none"
        counts = f"{one['runs']:>6}{one['sure_of_some']:>6}{one['with_alarm']:>7}"
        lines.append(f"{name:28}{counts}{right:>7}  {names}")
    return "\n".join(lines)


def monitor_all(options: argparse.Namespace, parameters: Parameters) -> dict[str, list[Any]]:
    """Monitor every log; return the runs by scenario."""

    def log(seed: int, name: str, shift: dict[str, Any]) -> Log:
        print_progress(f"{name}, seed {seed}")
        folder = f"{options.users}_{name.replace(' ', '_')}_{seed}"
        settings = {"seed": seed, "users": options.users, "files": 2, **shift}
        return read_log(options.logs.resolve() / folder, settings)

    training, prediction_task = train(log(1, "same", {}), parameters)
    runs: dict[str, list[Any]] = {LATER: [], OTHERS: []}
    for seed in range(1, options.seeds + 1):
        now = log(seed, "same", {})
        holdout = now.features.where(
            F.col("cutoff") == F.lit(prediction_task["cutoff"]).cast("date")
        )
        same_log = training._replace(
            reference=describe_log(now, prediction_task, parameters),
            test_predictions=training.model.transform(holdout).select(*KEYS, "probability"),
        )
        runs[LATER].append({"seed": seed, **monitor(same_log, now, parameters)})
        if seed > 1:
            runs[OTHERS].append({"seed": seed, **monitor(training, now, parameters)})
    for name, (shift, _) in SHIFTS.items():
        seeds = range(options.seeds + 1, options.seeds + 1 + options.shifted)
        logs = ((seed, log(seed, name, shift)) for seed in seeds)
        runs[name] = [{"seed": seed, **monitor(training, now, parameters)} for seed, now in logs]
    return {name: rows for name, rows in runs.items() if rows}


def main(arguments: list[str] | None = None) -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=20, help="logs of the same process")
    parser.add_argument("--shifted", type=int, default=4, help="logs of each changed process")
    parser.add_argument("--users", type=int, default=2_000)
    parser.add_argument("--logs", type=Path, default=ROOT / "build/monitoring")
    parser.add_argument("--results", type=Path, default=RESULTS)
    options = parser.parse_args(arguments)
    parameters = load_parameters()
    SparkSession.builder.getOrCreate()
    runs = monitor_all(options, parameters)
    expected = {name: features for name, (_, features) in SHIFTS.items()}
    scenarios = {name: summarize(rows, expected.get(name, set())) for name, rows in runs.items()}
    results = {
        **describe_run("monitoring", arguments),
        "users": options.users,
        "seeds": options.seeds,
        "stated_share": parameters["monitoring"].false_alarms,
        "scenarios": scenarios,
        "runs": {
            name: [{key: run[key] for key in run if key != "psi"} for run in rows]
            for name, rows in runs.items()
        },
    }
    print(f"{options.users:,} users, {options.seeds} seeds\n{format_table(scenarios)}")
    save_results(options.results / "monitoring.json", results)


if __name__ == "__main__":
    main()
