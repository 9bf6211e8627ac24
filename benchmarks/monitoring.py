"""How often monitoring raises an alarm: on logs of one process, and on logs whose process moved.

`python -m benchmarks.monitoring --seeds 20` simulates a log per seed, and some per shift, and
compares its newest snapshot with a training's by the project's own nodes: with the log's own
training (the same customers, some weeks later), and with that of the first seed's log (others).
It prints a table and writes `monitoring.json` to `--results`. What stands under `--logs` is used
again.
"""

import argparse
import os
import platform
import shlex
import sys
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
from pyspark.ml import PipelineModel
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from scipy.stats import binomtest

from benchmarks.monitoring_logs import Log, Parameters, log, project_parameters
from benchmarks.saving import save_results
from benchmarks.speed import ROOT, told
from sparkify.ml import metrics
from sparkify.pipelines.evaluation import nodes as evaluation
from sparkify.pipelines.evaluation.decision import describe_decision
from sparkify.pipelines.modelling import nodes as modelling
from sparkify.pipelines.monitoring import nodes as monitoring
from sparkify.pipelines.simulation.parameters import SimulationParameters
from sparkify.schemas import KEYS

LATER, OTHERS = "same log, later", "another log of the process"
THUMBS_DOWN = {"thumbs_down_per_free_song", "thumbs_down_per_paid_song"}


def _cohorts(**weights: float) -> dict[str, Any]:
    """Return the published mix of cohorts with other weights for some."""
    return {"cohorts": {"accordion": 6, "tuba": 1, "zither": 1, "xylophone": 1} | weights}


# What of the process is moved, and which of these features have to be named then.
SHIFTS: dict[str, tuple[dict[str, Any], set[str]]] = {
    "adverts 1.25 times": ({"adverts": 1.25}, {"adverts_per_free_song"}),
    "adverts 1.5 times": ({"adverts": 1.5}, {"adverts_per_free_song"}),
    "adverts twice": ({"adverts": 2}, {"adverts_per_free_song"}),
    "a third tubas": (_cohorts(tuba=4), {"adverts_per_free_song"}),
    "two thirds tubas": (_cohorts(tuba=16), {"adverts_per_free_song"}),
    "a third zithers": (_cohorts(zither=4), THUMBS_DOWN),
    "two thirds zithers": (_cohorts(zither=16), THUMBS_DOWN),
}


class Training(NamedTuple):
    """What monitoring compares with: a reference, a model, its hold-out scores and metrics."""

    reference: dict[str, Any]
    model: PipelineModel
    test_predictions: DataFrame
    metrics: dict[str, Any]


def described(own: Log, question: dict[str, Any], parameters: Parameters) -> dict[str, Any]:
    """Describe a log's training as the node describe_training does."""
    tables = own.features, own.user_days, own.event_counts, own.data_quality
    given = question, parameters["inputs"], parameters["reference"]
    return modelling.describe_training(*tables, *given)


def trained(own: Log, parameters: Parameters) -> tuple[Training, dict[str, Any]]:
    """Train on a log: a logistic regression, all that mini's number of users bears."""
    settings = parameters["modelling"]
    snapshots = own.features.select(*KEYS, "churned")
    features = own.features.drop("churned")
    split = features, snapshots, {"missing_pages": {}}, settings, parameters["feature_engineering"]
    train, test, question = modelling.split_in_time(*split)
    inputs, asked = parameters["inputs"], parameters["evaluation"]
    out_of_fold = modelling.cross_validate(train, inputs, settings).cache()
    _, selected = modelling.select_candidate(out_of_fold, settings)
    calibration = modelling.calibrate(out_of_fold, selected, settings)
    model, champion = modelling.fit_selected(train, selected, calibration, inputs, settings)
    predictions = evaluation.predict_snapshots(test, model, asked.baselines).cache()
    held_out = predictions.toPandas()
    decided = describe_decision(asked.decision, champion["f1_threshold"])
    found = {
        "holdout": metrics.evaluated(held_out, decided["threshold"], asked.bootstrap),
        "train": {"churned": train.where("churned").count()},
    }
    return Training(described(own, question, parameters), model, predictions, found), question


def watched(training: Training, now: Log, parameters: Parameters) -> dict[str, Any]:
    """Monitor a log as the pipeline does; its scores are those of the hold-out and of now."""
    scores = training.model.transform(now.newest).select(*KEYS, "probability")
    cutoff = now.features.agg(F.max("cutoff")).collect()[0][0]
    earlier = training.model.transform(now.features.where(F.col("cutoff") == F.lit(cutoff)))
    history = {str(cutoff): earlier.select(*KEYS, "probability").toPandas}
    settings = parameters["monitoring"]
    newest = monitoring.newest_description(
        now.newest, now.user_days, now.event_counts, now.data_quality, training.reference
    )
    drift = monitoring.feature_drift(
        training.reference, newest, training.test_predictions, scores, settings
    )
    asked = parameters["feature_engineering"], parameters["evaluation"], settings
    realised = monitoring.realised_metrics(history, now.user_days, newest, training.metrics, *asked)
    summary = monitoring.monitoring_summary(
        training.reference, newest, drift, realised, training.metrics, settings
    )
    certain, (earlier,) = settings.false_alarms, summary["realised"]
    return {
        "customers": summary["customers"],
        "alarms": [alarm["name"] for alarm in summary["alarms"]],
        "sure_of": drift.loc[drift["p_adjusted"] < certain, "feature"].tolist(),
        "psi": drift.set_index("feature")["psi"].to_dict(),
        "volume": {name: round(told["ratio"], 3) for name, told in summary["volume"].items()},
        "least_day": round(summary["least_day"], 3),
        "churned": earlier["churned"],
        "expected": round(earlier["expected"], 2),
    }


def of_scenario(runs: list[dict[str, Any]], expected: set[str]) -> dict[str, Any]:
    """Sum up runs of one kind: how many raised an alarm, which, and whether the right ones.

    In those that are `sure_of_some` a test says that something has moved, however little.
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


def table(scenarios: dict[str, dict[str, Any]]) -> str:
    """Set out scenarios, a line each."""
    lines = [f"{'':28}{'runs':>6}{'sure':>6}{'alarm':>7}{'right':>7}  alarms"]
    for name, found in scenarios.items():
        right = "" if found["naming_the_right"] is None else found["naming_the_right"]
        names = ", ".join(f"{alarm} {count}" for alarm, count in found["alarms"].items()) or "none"
        counts = f"{found['runs']:>6}{found['sure_of_some']:>6}{found['with_alarm']:>7}"
        lines.append(f"{name:28}{counts}{right:>7}  {names}")
    return "\n".join(lines)


def measured(options: argparse.Namespace, parameters: Parameters) -> dict[str, list[Any]]:
    """Monitor every log that the command line asks for: what was found, by scenario."""
    base = SimulationParameters.model_validate(parameters["simulation"])

    def made(seed: int, name: str, shift: dict[str, Any]) -> Log:
        told(f"{name}, seed {seed}")
        own = base.model_copy(update={"seed": seed, "users": options.users, "files": 2, **shift})
        folder = f"{options.users}_{name.replace(' ', '_')}_{seed}"
        return log(options.logs.resolve() / folder, own, parameters)

    training, question = trained(made(1, "same", {}), parameters)
    runs: dict[str, list[Any]] = {LATER: [], OTHERS: []}
    for seed in range(1, options.seeds + 1):
        now = made(seed, "same", {})
        held_out = now.features.where(F.col("cutoff") == F.lit(question["cutoff"]).cast("date"))
        own = training._replace(
            reference=described(now, question, parameters),
            test_predictions=training.model.transform(held_out).select(*KEYS, "probability"),
        )
        runs[LATER].append({"seed": seed, **watched(own, now, parameters)})
        if seed > 1:
            runs[OTHERS].append({"seed": seed, **watched(training, now, parameters)})
    for name, (shift, _) in SHIFTS.items():
        seeds = range(options.seeds + 1, options.seeds + 1 + options.shifted)
        logs = ((seed, made(seed, name, shift)) for seed in seeds)
        runs[name] = [{"seed": seed, **watched(training, now, parameters)} for seed, now in logs]
    return {name: found for name, found in runs.items() if found}


def main(arguments: list[str] | None = None) -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=20, help="logs of the same process")
    parser.add_argument("--shifted", type=int, default=4, help="logs of each shifted process")
    parser.add_argument("--users", type=int, default=2_000)
    parser.add_argument("--logs", type=Path, default=ROOT / "build/monitoring")
    parser.add_argument("--results", type=Path, default=ROOT / "benchmarks/results")
    options = parser.parse_args(arguments)
    parameters = project_parameters()
    SparkSession.builder.getOrCreate()
    runs = measured(options, parameters)
    right = {name: features for name, (_, features) in SHIFTS.items()}
    found = {name: of_scenario(own, right.get(name, set())) for name, own in runs.items()}
    given = arguments or sys.argv[1:]
    results = {
        "command": shlex.join(["python", "-m", "benchmarks.monitoring", *given]),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "users": options.users,
        "seeds": options.seeds,
        "stated_share": parameters["monitoring"].false_alarms,
        "scenarios": found,
        "runs": {
            name: [{key: run[key] for key in run if key != "psi"} for run in own]
            for name, own in runs.items()
        },
    }
    print(f"{options.users:,} users, {options.seeds} seeds\n{table(found)}")
    save_results(options.results / "monitoring.json", results)


if __name__ == "__main__":
    main()
