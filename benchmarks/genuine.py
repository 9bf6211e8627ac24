"""The project's models on genuine customers: the published log's, 11 days after 2018-11-20.

`python -m benchmarks.genuine TABLE` reads one row per customer with what the events before the
cutoff said and whether the customer cancelled after it (docs/results.md says how to make the
table). It cross-validates the candidates of the full environment on folds of users and prints
their AUC, average precision, log loss and calibration beside simpler rankings. Nothing is tuned
on the table.

`--simulated FOLDER` takes the features of a simulated log as well (`data/04_feature/full`): it
forecasts the genuine customers by a model of the simulated ones and the reverse, and compares the
distribution of every counter.
"""

import argparse
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from kedro.config import OmegaConfigLoader
from pyspark.sql import SparkSession
from scipy.stats import ks_2samp, kstwobign
from sklearn.ensemble import HistGradientBoostingClassifier

from benchmarks.genuine_table import COUNTS, read_genuine, read_simulated
from benchmarks.saving import ROOT, save_results
from sparkify.ml import calibration, metrics
from sparkify.ml.bootstrap import Bootstrap, with_intervals
from sparkify.pipelines.modelling import cross_validation, selection
from sparkify.pipelines.modelling.candidates import list_trials
from sparkify.pipelines.modelling.parameters import InputParameters, ModellingParameters
from sparkify.settings import CONFIG_LOADER_ARGS
from sparkify.spark.jvm_options import submit_arguments

RATES = {  # of the full environment, and what the table has of them
    "thumbs_up_per_song": ("thumbs_up", "next_song"),
    "thumbs_down_per_song": ("thumbs_down", "next_song"),
    "adverts_per_free_song": ("free_roll_advert", "free_next_song"),
    "upgrades_per_free_song": ("upgrade", "free_next_song"),
    "downgrades_per_paid_song": ("downgrade", "paid_next_song"),
}
ABSENT = (
    "thumbs down and adverts on each level apart (adverts count as the free level's)",
    "submitted downgrades",
    "the last 28 days apart",
)
# Single rankings, the highest first.
RANKINGS = {
    "thumbs down per song": ("thumbs_down", "next_song"),
    "adverts per song": ("roll_advert", "next_song"),
    "songs per day": ("next_song", "observed_days"),
    "sessions per day": ("sessions", "observed_days"),
}
METRICS = metrics.RANKING | metrics.PROBABILITY | metrics.CALIBRATION
SHOWN = ("auc", "average_precision", "log_loss", "expected_calibration_error", "calibration_slope")
BOOSTING = "gradient boosting on all columns (scikit-learn)"
OURS = "this project"
SEED = 7
BOOTSTRAP = Bootstrap(resamples=300, seed=SEED, min_churned=5)


def load_parameters() -> tuple[InputParameters, ModellingParameters, dict[str, Any]]:
    """Return the full environment's inputs, with the rates that the table has, and its models."""
    loader = OmegaConfigLoader(str(ROOT / "conf"), "full", **CONFIG_LOADER_ARGS)
    parameters = loader["parameters"]
    inputs = parameters["inputs"]
    prior = next(iter(inputs["segments"]["rates"].values()))["prior"]
    inputs["segments"]["rates"] = {
        name: {"count": count, "per": per, "prior": prior, "group": "behaviour"}
        for name, (count, per) in RATES.items()
    }
    modelling = ModellingParameters.model_validate(parameters["modelling"])
    return InputParameters.model_validate(inputs), modelling, loader["spark"]


def cross_validate(
    spark: SparkSession,
    customers: pd.DataFrame,
    numbers: pd.DataFrame,
    inputs: InputParameters,
    modelling: ModellingParameters,
) -> dict[str, Any]:
    """Forecast every customer out of fold, by all candidates and by simpler rankings.

    The champion is chosen as by the project: the simplest candidate within one standard error of
    the best. Its calibration is learnt on the other folds.
    """
    train = spark.createDataFrame(customers)
    forecasts = cross_validation.predict_out_of_fold(train, inputs, modelling)
    competing = list_trials(modelling)
    compared = selection.compare_trials(forecasts, competing, modelling.selection)
    best = selection.choose_simplest(compared)
    own = forecasts[forecasts["trial"] == best].reset_index(drop=True)
    method = calibration.best_calibration(own, modelling.calibrations)
    scores = {OURS: _score(calibration.cross_calibrated(own, method))}
    for trial, rows in forecasts.groupby("trial"):
        scores[f"candidate: {competing[trial].label}"] = _score(rows)
    scores[BOOSTING] = _score(_boost(own, customers, numbers))
    for name, (count, per) in RANKINGS.items():
        rate = customers[count] / customers[per].clip(lower=1)
        scores[name] = _score(customers.assign(probability=rate), ranking_only=True)
    base_rate = float(customers["churned"].mean())
    scores["base rate"] = _score(customers.assign(probability=base_rate))
    return {"champion": competing[best].label, "calibration": method, "scores": scores}


def _boost(own: pd.DataFrame, customers: pd.DataFrame, numbers: pd.DataFrame) -> pd.DataFrame:
    """Forecast the same folds by scikit-learn's defaults on every number of the table."""
    forecasts = []
    places = pd.Series(range(len(customers)), index=customers["user_id"])
    label = customers["churned"].to_numpy()
    for _, rows in own.groupby(["repeat", "fold"]):
        held_out = places[rows["user_id"]].to_numpy()
        learnt = np.setdiff1d(places.to_numpy(), held_out)
        model = HistGradientBoostingClassifier(random_state=SEED)
        model.fit(numbers.to_numpy()[learnt], label[learnt])
        probability = model.predict_proba(numbers.to_numpy()[held_out])[:, 1]
        forecasts.append(rows.assign(probability=probability))
    return pd.concat(forecasts, ignore_index=True)


def _score(rows: pd.DataFrame, ranking_only: bool = False) -> dict[str, Any]:
    wanted = metrics.RANKING if ranking_only else METRICS
    return with_intervals(rows, wanted, BOOTSTRAP)


def transfer(
    spark: SparkSession,
    learnt: pd.DataFrame,
    asked: pd.DataFrame,
    trial_of: str,
    inputs: InputParameters,
    modelling: ModellingParameters,
) -> dict[str, Any]:
    """Forecast some customers by a model of others: the same candidate, fitted once."""
    (trial,) = [trial for trial in list_trials(modelling) if trial.label == trial_of]
    train, test = spark.createDataFrame(learnt), spark.createDataFrame(asked)
    with cross_validation.prepared_rows(train, inputs, modelling) as prepared:
        model = cross_validation.fit_trial(prepared, trial, modelling)
        return _score(cross_validation.predict_uncalibrated(model, test))


def compare_counters(genuine: pd.DataFrame, simulated: pd.DataFrame) -> dict[str, Any]:
    """Compare the distribution of every counter (two-sample Kolmogorov-Smirnov).

    `by_chance` is the distance that two samples of these sizes of one distribution exceed in 5 %
    of cases.
    """
    sizes = len(genuine), len(simulated)
    by_chance = float(kstwobign.ppf(0.95) * np.sqrt(sum(sizes) / np.prod(sizes)))
    distances = {
        name: float(ks_2samp(genuine[name], simulated[name]).statistic)
        for name in [*COUNTS, "account_age_days", "is_paid"]
    }
    return {"distances": distances, "by_chance": by_chance}


def run(
    spark: SparkSession,
    table: Path,
    simulated: Path | None,
    inputs: InputParameters,
    modelling: ModellingParameters,
) -> dict[str, Any]:
    """Return all figures of a table, and what a simulated log adds to them."""
    genuine, numbers = read_genuine(table)
    found: dict[str, Any] = {
        "customers": len(genuine),
        "churned": int(genuine["churned"].sum()),
        "absent": list(ABSENT),
        **cross_validate(spark, genuine, numbers, inputs, modelling),
    }
    if simulated:
        theirs = read_simulated(simulated)
        settings = found["champion"], inputs, modelling
        found["simulated"] = {
            "customers": len(theirs),
            "churned": int(theirs["churned"].sum()),
            "trained on simulated, genuine forecast": transfer(spark, theirs, genuine, *settings),
            "trained on genuine, simulated forecast": transfer(spark, genuine, theirs, *settings),
            "counters": compare_counters(genuine, theirs),
        }
    return found


def format_figures(found: dict[str, Any]) -> str:
    """Write the figures as a table for the terminal."""
    lines = [f"{found['customers']:,} customers, {found['churned']:,} cancelled"]
    lines += [f"Absent from the table: {absent}" for absent in found["absent"]]
    lines += [f"Champion: {found['champion']}; calibration: {found['calibration']}"]
    rows = dict(found["scores"])
    simulated = found.get("simulated", {})
    rows |= {name: scores for name, scores in simulated.items() if name.startswith("trained")}
    for name, scores in rows.items():
        figures = [
            f"{metric.replace('_', ' ')} {figure['value']:.4f}"
            + (" [{:.4f}, {:.4f}]".format(*figure["ci95"]) if figure["ci95"] else "")
            for metric, figure in scores.items()
            if metric in SHOWN and figure["value"] is not None
        ]
        lines.append(f"{name}: {', '.join(figures)}")
    if simulated:
        counters = simulated["counters"]
        lines.append(f"Kolmogorov-Smirnov distances (by chance {counters['by_chance']:.3f}):")
        lines += [f"  {name}: {value:.3f}" for name, value in counters["distances"].items()]
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> None:
    """Print the figures of the table that the command line names, and keep them as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("table", type=Path)
    parser.add_argument("--simulated", type=Path, help="folder of features and snapshots")
    parser.add_argument("--repeats", type=int, default=3, help="partitions of users into folds")
    parser.add_argument("--results", type=Path, default=ROOT / "benchmarks/results")
    options = parser.parse_args(arguments)
    inputs, modelling, settings = load_parameters()
    modelling = modelling.model_copy(update={"fold_repeats": options.repeats})
    os.environ |= {
        "PYSPARK_SUBMIT_ARGS": submit_arguments(settings),
        "PYSPARK_PYTHON": sys.executable,
    }
    spark = SparkSession.builder.getOrCreate()
    found = run(spark, options.table, options.simulated, inputs, modelling)
    save_results(options.results / "genuine.json", found)
    print(format_figures(found))


if __name__ == "__main__":
    main()
