"""Find the champion, and say how good it is on what it has not seen."""

from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from pyspark.ml import PipelineModel
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from sparkify.pipelines.feature_engineering.parameters import FeatureEngineeringParameters
from sparkify.pipelines.modelling import evaluation, figures, selection
from sparkify.pipelines.modelling.candidates import trials
from sparkify.pipelines.modelling.parameters import ModellingParameters
from sparkify.schemas import KEYS, PREDICTIONS


class TooLittleDataError(ValueError):
    """Too few users or cancellations to train or to judge a model."""


def train_test(
    features: DataFrame,
    snapshots: DataFrame,
    modelling: ModellingParameters,
    feature_engineering: FeatureEngineeringParameters,
) -> tuple[DataFrame, DataFrame]:
    """Split labelled snapshots in time: the last cutoff is the hold-out.

    Training takes the cutoffs whose horizon ends no later than the hold-out's cutoff, so that
    no label overlaps it (the embargo). One row per user and cutoff, folds by user.

    Raises:
        TooLittleDataError: with the counts, if either side has too few cancellations.
    """
    by_cutoff = snapshots.groupBy("cutoff").agg(
        F.count("*").alias("users"), F.count_if("churned").alias("churned")
    )
    counts = by_cutoff.orderBy("cutoff").collect()
    *earlier, holdout = counts
    embargo = pd.Timedelta(days=feature_engineering.horizon_days)
    train_cutoffs = [row for row in earlier if row["cutoff"] + embargo <= holdout["cutoff"]]
    train_churned = sum(row["churned"] for row in train_cutoffs)
    if train_churned < modelling.min_train_churned or (
        holdout["churned"] < modelling.min_holdout_churned
    ):
        raise TooLittleDataError(
            f"{train_churned} cancellations in {sum(row['users'] for row in train_cutoffs)} "
            f"training snapshots of {len(train_cutoffs)} cutoffs, and {holdout['churned']} among "
            f"{holdout['users']} users on the hold-out {holdout['cutoff']}: too few to train and "
            f"judge a model. At least {modelling.min_train_churned} "
            f"(modelling.min_train_churned) and {modelling.min_holdout_churned} "
            f"(modelling.min_holdout_churned) are asked for; use a log of more users or days."
        )
    fold = F.pmod(F.xxhash64("user_id", F.lit(modelling.seed)), F.lit(modelling.folds))
    labelled = snapshots.withColumn("fold", fold.cast("int")).join(features, on=KEYS, how="inner")
    last_train = max(row["cutoff"] for row in train_cutoffs)
    is_train = F.col("cutoff") <= F.lit(last_train)
    is_test = F.col("cutoff") == F.lit(holdout["cutoff"])
    return labelled.where(is_train), labelled.where(is_test)


def champion(
    train: DataFrame, modelling: ModellingParameters
) -> tuple[pd.DataFrame, dict[str, Any], PipelineModel]:
    """Cross-validate every candidate, and refit the winner on all training snapshots.

    The winner is the simplest trial within one standard error of the best average precision.

    Its threshold is the one with the best F1 on its out-of-fold predictions.

    Returns:
        The candidates compared (one row per trial, best first), what the champion is, and its
        fitted model.
    """
    predictions = selection.cross_validated(train, modelling)
    compared = selection.compared(predictions, modelling)
    best = selection.simplest_of_the_best(compared)
    trial = trials(modelling)[best]
    own = predictions[predictions["trial"] == best]
    threshold = selection.best_f1_threshold(own["churned"], own["probability"])
    model = selection.champion_model(train, trial, threshold, modelling)
    chosen = {
        "candidate": trial.candidate,
        "settings": trial.settings,
        "label": str(trial).replace("_", " "),
        "threshold": threshold,
    }
    return compared, chosen, model


def predictions(model_input: DataFrame, churn_model: PipelineModel) -> DataFrame:
    """Forecast every row of a model input: one row per user and cutoff."""
    forecast = churn_model.transform(model_input).withColumns(
        {
            "probability": selection.churn_probability(),
            "predicted": F.col("prediction").cast("boolean"),
        }
    )
    return forecast.select(*PREDICTIONS.columns)


def metrics(
    train_predictions: DataFrame,
    test_predictions: DataFrame,
    cv_results: pd.DataFrame,
    champion: dict[str, Any],
    data_quality: dict[str, Any],
    modelling: ModellingParameters,
    feature_engineering: FeatureEngineeringParameters,
) -> dict[str, Any]:
    """Judge the champion on the hold-out, with training figures and baselines beside it."""
    trained, held_out = train_predictions.toPandas(), test_predictions.toPandas()
    settings = (modelling.bootstrap_resamples, modelling.seed)
    cutoffs = [str(cutoff) for cutoff in sorted(trained["cutoff"].unique())]
    horizon = {"horizon_days": feature_engineering.horizon_days}
    threshold = champion["threshold"]
    holdout = evaluation.evaluated(held_out, threshold, *settings)
    base_rate = float(trained["churned"].mean())
    return {
        "source": data_quality["source"],
        "champion": champion,
        "holdout": {"cutoff": str(held_out["cutoff"].max()), **horizon, **holdout},
        "train": {"cutoffs": cutoffs, **horizon}
        | evaluation.evaluated(trained, threshold, *settings),
        "baselines": evaluation.baselines(held_out, base_rate, *settings),
        "candidates": cv_results.to_dict("records"),
    }


def feature_weights(train: DataFrame, churn_model: PipelineModel) -> pd.DataFrame:
    """List how much each feature weighs in the champion, the heaviest first.

    One row per feature: `weight` is a `coefficient` of the standardised logarithm in a linear
    model, and an `importance` in an ensemble of trees.
    """
    classifier = churn_model.stages[-1]
    is_linear = hasattr(classifier, "coefficients")
    weights = getattr(classifier, "coefficients" if is_linear else "featureImportances")
    table = pd.DataFrame(
        {
            "feature": selection.feature_columns(train),
            "weight": weights.toArray(),
            "kind": "coefficient" if is_linear else "importance",
        }
    )
    return table.sort_values("weight", key=abs, ascending=False, kind="stable", ignore_index=True)


def holdout_figures(
    test_predictions: DataFrame,
    feature_weights: pd.DataFrame,
    metrics: dict[str, Any],
    modelling: ModellingParameters,
) -> tuple[Figure, ...]:
    """Draw the hold-out: precision-recall, ROC, calibration, lift, confusion, weights."""
    held_out = test_predictions.orderBy(*KEYS).toPandas()
    return (
        figures.precision_recall(held_out, metrics),
        figures.roc(held_out, metrics),
        figures.calibration(held_out, metrics, modelling.calibration_bins),
        figures.lift(held_out, metrics),
        figures.confusion(held_out, metrics),
        figures.weights(feature_weights, metrics),
    )
