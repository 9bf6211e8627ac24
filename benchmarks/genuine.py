"""The project's models on genuine customers: the 11 days after 2018-11-20 of the published log.

`python -m benchmarks.genuine TABLE` reads one row per customer: counts of the events before the
cutoff, and whether the customer cancelled after it (docs/results.md has the definition). It
cross-validates the candidates of the full environment on folds of users. It prints their AUC,
average precision, log loss and calibration, and those of simpler rankings. Nothing is tuned on
the table.

`--simulated FOLDER` also reads the features of a simulated log (`data/04_feature/full`). A model
trained on the simulated customers predicts for the genuine ones, and the reverse. The
distributions of all counts are compared.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from kedro.config import OmegaConfigLoader
from pyspark.sql import SparkSession
from scipy.stats import ks_2samp, kstwobign
from sklearn.ensemble import HistGradientBoostingClassifier

from benchmarks.genuine_table import COUNTS, read_genuine, read_simulated
from benchmarks.program import RESULTS, ROOT, save_results, start_spark
from sparkify.ml import calibration, metrics
from sparkify.ml.bootstrap import Bootstrap, estimate_metrics
from sparkify.pipelines.modelling import cross_validation, selection
from sparkify.pipelines.modelling.candidates import list_trials
from sparkify.pipelines.modelling.parameters import InputParameters, ModellingParameters
from sparkify.schemas import KEYS
from sparkify.settings import CONFIG_LOADER_ARGS
from sparkify.spark.functions import to_sorted_pandas

RATES = {  # of the full environment, by columns of the table
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
# Simple rankings, the highest rate first.
RANKINGS = {
    "thumbs down per song": ("thumbs_down", "next_song"),
    "adverts per song": ("roll_advert", "next_song"),
    "songs per day": ("next_song", "observed_days"),
    "sessions per day": ("sessions", "observed_days"),
}
METRICS = metrics.RANKING | metrics.PROBABILITY | metrics.CALIBRATION
PRINTED = (
    "auc",
    "average_precision",
    "log_loss",
    "expected_calibration_error",
    "calibration_slope",
)
BOOSTING = "gradient boosting on all columns (scikit-learn)"
OURS = "this project"
SEED = 7
BOOTSTRAP = Bootstrap(resamples=300, seed=SEED, min_churned=5)


def load_parameters() -> tuple[InputParameters, ModellingParameters, dict[str, Any]]:
    """Return the inputs with the rates of the table, modelling, and Spark settings of `full`."""
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
    """Score out-of-fold predictions of all candidates, and simpler rankings.

    The champion is selected as in the project: the simplest candidate within one standard error
    of the best. Its calibration is learnt on the other folds.
    """
    train = spark.createDataFrame(customers)
    by_trial = cross_validation.predict_out_of_fold(train, inputs, modelling)
    predictions = to_sorted_pandas(by_trial, "trial", "repeat", "fold", *KEYS)
    competing = list_trials(modelling)
    scores = selection.score_folds([predictions])
    compared = selection.compare_trials(scores, competing, modelling.selection)
    best = selection.choose_simplest(compared)
    champion = predictions[predictions["trial"] == best].reset_index(drop=True)
    method = calibration.select_calibration(champion, modelling.calibrations)
    scores = {OURS: _score(calibration.cross_calibrate(champion, method))}
    for trial, rows in predictions.groupby("trial"):
        scores[f"candidate: {competing[trial].label}"] = _score(rows)
    scores[BOOSTING] = _score(_boost(champion, customers, numbers))
    for name, (count, per) in RANKINGS.items():
        rate = customers[count] / customers[per].clip(lower=1)
        scores[name] = _score(customers.assign(probability=rate), ranking_only=True)
    base_rate = float(customers["churned"].mean())
    scores["base rate"] = _score(customers.assign(probability=base_rate))
    return {"champion": competing[best].label, "calibration": method, "scores": scores}


def _boost(folds: pd.DataFrame, customers: pd.DataFrame, numbers: pd.DataFrame) -> pd.DataFrame:
    """Predict for the same folds by scikit-learn's defaults on all numbers of the table."""
    predictions = []
    places = pd.Series(range(len(customers)), index=customers["user_id"])
    label = customers["churned"].to_numpy()
    for _, rows in folds.groupby(["repeat", "fold"]):
        held_out = places[rows["user_id"]].to_numpy()
        training = np.setdiff1d(places.to_numpy(), held_out)
        model = HistGradientBoostingClassifier(random_state=SEED)
        model.fit(numbers.to_numpy()[training], label[training])
        probability = model.predict_proba(numbers.to_numpy()[held_out])[:, 1]
        predictions.append(rows.assign(probability=probability))
    return pd.concat(predictions, ignore_index=True)


def _score(rows: pd.DataFrame, ranking_only: bool = False) -> dict[str, Any]:
    wanted = metrics.RANKING if ranking_only else METRICS
    return estimate_metrics(rows, wanted, BOOTSTRAP)


def transfer(
    spark: SparkSession,
    train: pd.DataFrame,
    test: pd.DataFrame,
    champion: str,
    inputs: InputParameters,
    modelling: ModellingParameters,
) -> dict[str, Any]:
    """Fit the champion's candidate on one table of customers, and score it on another."""
    (trial,) = [trial for trial in list_trials(modelling) if trial.label == champion]
    rows = spark.createDataFrame(train)
    with cross_validation.prepared_rows(rows, inputs, modelling) as ready:
        model = cross_validation.fit_trial(ready, trial, modelling)
        predictions = cross_validation.predict_uncalibrated(model, spark.createDataFrame(test))
        return _score(to_sorted_pandas(predictions, *KEYS))


def compare_counters(genuine: pd.DataFrame, simulated: pd.DataFrame) -> dict[str, Any]:
    """Compare the distribution of every count (two-sample Kolmogorov-Smirnov).

    Two samples of the same distribution exceed the distance `by_chance` in 5 % of cases.
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
    """Return all figures of a table, and the comparison with a simulated log."""
    genuine, numbers = read_genuine(table)
    results: dict[str, Any] = {
        "customers": len(genuine),
        "churned": int(genuine["churned"].sum()),
        "absent": list(ABSENT),
        **cross_validate(spark, genuine, numbers, inputs, modelling),
    }
    if simulated:
        other = read_simulated(simulated)
        settings = results["champion"], inputs, modelling
        results["simulated"] = {
            "customers": len(other),
            "churned": int(other["churned"].sum()),
            "trained on simulated, genuine forecast": transfer(spark, other, genuine, *settings),
            "trained on genuine, simulated forecast": transfer(spark, genuine, other, *settings),
            "counters": compare_counters(genuine, other),
        }
    return results


def format_results(results: dict[str, Any]) -> str:
    """Format the results for the terminal."""
    lines = [f"{results['customers']:,} customers, {results['churned']:,} cancelled"]
    lines += [f"Absent from the table: {absent}" for absent in results["absent"]]
    lines += [f"Champion: {results['champion']}; calibration: {results['calibration']}"]
    rows = dict(results["scores"])
    simulated = results.get("simulated", {})
    rows |= {name: scores for name, scores in simulated.items() if name.startswith("trained")}
    for name, scores in rows.items():
        figures = [
            f"{metric.replace('_', ' ')} {figure['value']:.4f}"
            + (" [{:.4f}, {:.4f}]".format(*figure["ci95"]) if figure["ci95"] else "")
            for metric, figure in scores.items()
            if metric in PRINTED and figure["value"] is not None
        ]
        lines.append(f"{name}: {', '.join(figures)}")
    if simulated:
        counters = simulated["counters"]
        lines.append(f"Kolmogorov-Smirnov distances (by chance {counters['by_chance']:.3f}):")
        lines += [f"  {name}: {value:.3f}" for name, value in counters["distances"].items()]
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> None:
    """Print the results and save them as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("table", type=Path)
    parser.add_argument("--simulated", type=Path, help="folder of features and snapshots")
    parser.add_argument("--repeats", type=int, default=3, help="partitions of users into folds")
    parser.add_argument("--results", type=Path, default=RESULTS)
    options = parser.parse_args(arguments)
    inputs, modelling, settings = load_parameters()
    modelling = modelling.model_copy(update={"fold_repeats": options.repeats})
    spark = start_spark(settings)
    results = run(spark, options.table, options.simulated, inputs, modelling)
    save_results(options.results / "genuine.json", results)
    print(format_results(results))


if __name__ == "__main__":
    main()
