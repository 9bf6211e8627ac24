"""Studies on the champion: its rivals, other weeks and sizes, shuffled labels, fewer features."""

from datetime import date, timedelta
from typing import Any

import pandas as pd
from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F
from scipy.stats import t

from sparkify.ml import metrics
from sparkify.ml.bootstrap import with_intervals
from sparkify.ml.resampling import TooManyRowsError
from sparkify.pipelines.evaluation.parameters import EvaluationParameters
from sparkify.pipelines.feature_engineering.parameters import FeatureEngineeringParameters
from sparkify.pipelines.modelling import cross_validation, selection
from sparkify.pipelines.modelling.candidates import Trial
from sparkify.pipelines.modelling.folds import is_trainable
from sparkify.pipelines.modelling.parameters import InputParameters, ModellingParameters
from sparkify.pipelines.validation import refit
from sparkify.pipelines.validation.parameters import ValidationParameters
from sparkify.schemas import CANDIDATE_PREDICTIONS, KEYS

IMBALANCE = ("none", "weights", "smote")


def candidate_predictions(
    train: DataFrame,
    test: DataFrame,
    cv_results: pd.DataFrame,
    inputs: InputParameters,
    modelling: ModellingParameters,
) -> DataFrame:
    """Forecast the hold-out with every candidate at its best settings, for comparison only.

    One row per candidate, user and cutoff. Nothing is chosen by it.
    """
    best_of_each = selection.best_of_each_candidate(cv_results, modelling)

    def forecast(ready: cross_validation.Prepared, trial: Trial) -> pd.DataFrame:
        model = cross_validation.fit_trial(ready, trial, modelling)
        return cross_validation.predict_uncalibrated(model, test).assign(candidate=trial.candidate)

    with cross_validation.prepared_rows(train, inputs, modelling) as ready:
        fits = [(ready, trial) for trial in best_of_each.values()]
        forecasts = cross_validation.run_concurrently(forecast, fits, test, modelling.parallel_fits)
    rows = pd.concat(forecasts)[CANDIDATE_PREDICTIONS.columns]
    return train.sparkSession.createDataFrame(rows, CANDIDATE_PREDICTIONS.struct).coalesce(1)


def rolling_origin(
    features: DataFrame,
    snapshots: DataFrame,
    champion: dict[str, Any],
    inputs: InputParameters,
    modelling: ModellingParameters,
    evaluation: EvaluationParameters,
    feature_engineering: FeatureEngineeringParameters,
) -> pd.DataFrame:
    """Forecast every cutoff that has enough training before it, as one would have at that time.

    One row per cutoff: what was trained on, who churned, AUC and average precision with their
    95 % intervals.
    """
    labelled = snapshots.withColumn("is_trainable", is_trainable(modelling))
    rows = labelled.join(features, on=KEYS, how="inner").cache()
    told = rows.groupBy("cutoff").agg(F.count_if("churned").alias("churned"))
    churned = {row["cutoff"]: row["churned"] for row in told.collect()}
    embargo = timedelta(days=feature_engineering.horizon_days)
    found = []
    for cutoff in sorted(churned):
        known = [day for day in churned if day + embargo <= cutoff]
        enough = sum(churned[day] for day in known) >= modelling.min_train_churned
        if enough and churned[cutoff] >= modelling.min_holdout_churned:
            train = rows.where("is_trainable").where(F.col("cutoff").isin(known))
            test = rows.where(F.col("cutoff") == F.lit(cutoff))
            forecast = refit.refitted(train, test, refit.chosen(champion), inputs, modelling)
            found.append(
                {
                    **_asked(cutoff, len(known), forecast),
                    **refit.ranking(forecast, evaluation.bootstrap),
                }
            )
    rows.unpersist()
    return pd.DataFrame(found)


def _asked(cutoff: date, trained: int, forecast: pd.DataFrame) -> dict[str, Any]:
    return {
        "cutoff": str(cutoff),
        "training_cutoffs": trained,
        "users": len(forecast),
        "churned": int(forecast["churned"].sum()),
        "base_rate": float(forecast["churned"].mean()),
    }


def learning_curve(
    train: DataFrame,
    test: DataFrame,
    champion: dict[str, Any],
    cv_results: pd.DataFrame,
    inputs: InputParameters,
    modelling: ModellingParameters,
    evaluation: EvaluationParameters,
    validation: ValidationParameters,
) -> pd.DataFrame:
    """Train on fewer users, chosen by hash, and forecast the whole hold-out.

    One row per number of users, repeat and candidate: the champion, and the simplest, since what
    is best with many users need not be so with few. Sizes beyond the training's users are left
    out, and so are draws with fewer churners than a model is trained on.
    """
    rows = train.cache()
    users = rows.groupBy("user_id").agg(F.max(F.col("churned").cast("int")).alias("churned"))
    total = users.count()
    found = []
    sizes = sorted({size for size in validation.learning_curve_users if size < total} | {total})
    for size in sizes:
        for repeat in range(validation.learning_curve_repeats if size < total else 1):
            drawn = users.orderBy(F.xxhash64("user_id", F.lit(repeat))).limit(size)
            some = rows.join(drawn.select("user_id"), on="user_id", how="left_semi")
            churned = some.where("churned").count()
            if churned < modelling.min_train_churned:
                continue
            for trial in refit.champion_and_simplest(champion, cv_results, modelling):
                forecast = refit.refitted(some, test, trial, inputs, modelling)
                row = {"users": size, "repeat": repeat, "candidate": trial.candidate}
                found.append(
                    {**row, "churned": churned, **refit.ranking(forecast, evaluation.bootstrap)}
                )
    rows.unpersist()
    return pd.DataFrame(found)


def label_shuffle(
    train: DataFrame,
    test: DataFrame,
    champion: dict[str, Any],
    inputs: InputParameters,
    modelling: ModellingParameters,
    validation: ValidationParameters,
) -> pd.DataFrame:
    """Train on labels that were permuted among all snapshots; nothing may be left to rank by.

    One row per permutation: the hold-out's AUC and average precision. The last, `all`, has their
    means with the 95 % interval over permutations (Student's t): what one random model happens to
    rank by is not in an interval over users.
    """
    found = []
    for shuffle in range(validation.label_shuffles):
        # One partition: a permutation of all labels needs their order, and they are small.
        by_hash = Window.partitionBy().orderBy(F.xxhash64(*KEYS, F.lit(shuffle)), *KEYS)
        by_key = Window.partitionBy().orderBy(*KEYS)
        labels = train.select("churned", F.row_number().over(by_hash).alias("place"))
        places = train.drop("churned").withColumn("place", F.row_number().over(by_key))
        shuffled = places.join(labels, on="place", how="inner").drop("place")
        forecast = refit.refitted(shuffled, test, refit.chosen(champion), inputs, modelling)
        values = with_intervals(forecast, metrics.RANKING, None)
        row = {name: values[name]["value"] for name in ("auc", "average_precision")}
        found.append({"shuffle": str(shuffle), **row})
    each = pd.DataFrame(found)
    together: dict[str, Any] = {"shuffle": "all"}
    for name in ("auc", "average_precision"):
        mean, error = each[name].mean(), each[name].sem()
        low, high = t.interval(0.95, len(each) - 1, loc=mean, scale=error)
        together |= {name: mean, f"{name}_low": low, f"{name}_high": high}
    return pd.concat([each, pd.DataFrame([together])], ignore_index=True)


def imbalance_comparison(
    train: DataFrame,
    test: DataFrame,
    champion: dict[str, Any],
    cv_results: pd.DataFrame,
    inputs: InputParameters,
    modelling: ModellingParameters,
) -> pd.DataFrame:
    """Train with no remedy for few churners, with class weights and with SMOTE, and forecast.

    One row per remedy and candidate (the champion and the simplest): ranking and calibration of
    the uncalibrated hold-out forecasts. SMOTE is left out, and said so, where there are more rows
    than `modelling.smote_most_rows`.
    """
    found = []
    for trial in refit.champion_and_simplest(champion, cv_results, modelling):
        for remedy in IMBALANCE:
            changed = modelling.model_copy(update={"imbalance": remedy})
            row: dict[str, Any] = {
                "candidate": trial.candidate,
                "imbalance": remedy,
                "left_out": None,
            }
            try:
                forecast = refit.refitted(train, test, trial, inputs, changed)
            except TooManyRowsError as error:
                found.append({**row, "left_out": str(error)})
                continue
            kinds = metrics.RANKING | metrics.PROBABILITY | metrics.CALIBRATION
            clipped = forecast.assign(probability=forecast["probability"].clip(1e-6, 1 - 1e-6))
            figures = with_intervals(clipped, kinds, None)
            values = {name: figure["value"] for name, figure in figures.items()}
            mean = float(forecast["probability"].mean())
            found.append({**row, **values, "mean_forecast": mean})
    return pd.DataFrame(found)


def feature_groups(
    train: DataFrame,
    test: DataFrame,
    champion: dict[str, Any],
    inputs: InputParameters,
    modelling: ModellingParameters,
    evaluation: EvaluationParameters,
) -> pd.DataFrame:
    """Drop each group of inputs and forecast the hold-out with the rest.

    One row per group, the dearest first: what dropping it costs in AUC, average precision and
    log loss, with the 95 % interval of the cost over users.
    """
    whole = refit.refitted(train, test, refit.chosen(champion), inputs, modelling)
    found = []
    for group, dropped in inputs.groups.items():
        left = inputs.without(group)
        without = refit.refitted(train, test, refit.chosen(champion), left, modelling)
        costs = refit.costs(whole, without, evaluation.bootstrap)
        found.append({"group": group, "inputs": ", ".join(dropped), **costs})
    return pd.DataFrame(found).sort_values("auc_cost", ascending=False, ignore_index=True)
