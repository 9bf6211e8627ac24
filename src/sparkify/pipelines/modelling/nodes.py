"""Find the champion, and say how good it is on what it has not seen."""

from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from pyspark.ml import PipelineModel
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from sparkify.errors import TooLittleDataError
from sparkify.ml import calibration
from sparkify.ml import metrics as evaluation
from sparkify.pipelines.evaluation import decision, figures
from sparkify.pipelines.feature_engineering.log_summary import require_outcome_page
from sparkify.pipelines.feature_engineering.outcomes import OUTCOME_WORDS
from sparkify.pipelines.feature_engineering.parameters import FeatureEngineeringParameters
from sparkify.pipelines.modelling import cross_validation as fitting
from sparkify.pipelines.modelling import selection
from sparkify.pipelines.modelling.candidates import trials
from sparkify.pipelines.modelling.folds import (
    is_trainable,
    require_churners_in_folds,
    require_trainable_and_unseen,
)
from sparkify.pipelines.modelling.parameters import InputParameters, ModellingParameters
from sparkify.schemas import KEYS, PREDICTIONS
from sparkify.spark.functions import to_sorted_pandas


def train_test(
    features: DataFrame,
    snapshots: DataFrame,
    event_summary: dict[str, Any],
    modelling: ModellingParameters,
    feature_engineering: FeatureEngineeringParameters,
) -> tuple[DataFrame, DataFrame, dict[str, Any]]:
    """Split labelled snapshots in time and by user: the last cutoff is the hold-out.

    Training takes the cutoffs whose horizon ends no later than the hold-out's cutoff, so that
    no label overlaps it (the embargo), and leaves out the users that are never trained on. The
    hold-out has all customers of its cutoff. One row per user and cutoff; and what is asked of
    them.

    Raises:
        MissingPageError: if the log has no event on the page in which the outcome shows.
        TooLittleDataError: with the counts, if either side has too few users or churners.
    """
    require_outcome_page(event_summary, feature_engineering)
    labelled = snapshots.withColumn("is_trainable", is_trainable(modelling))
    by_cutoff = labelled.groupBy("cutoff").agg(
        F.count("*").alias("users"),
        F.count_if("churned").alias("churned"),
        F.count_if("is_trainable").alias("trainable"),
        F.count_if(F.col("churned") & F.col("is_trainable")).alias("trainable_churned"),
    )
    counted = by_cutoff.orderBy("cutoff").collect()
    if not counted:
        raise TooLittleDataError(
            "snapshots holds no rows: nobody was a customer at any cutoff. With the outcome "
            "`downgrade` customers are on the paid level, with `inactivity` they were seen in the "
            "last feature_engineering.active_within_days. Use a log of more users or days."
        )
    *earlier, holdout = counted
    embargo = pd.Timedelta(days=feature_engineering.horizon_days)
    train_cutoffs = [row for row in earlier if row["cutoff"] + embargo <= holdout["cutoff"]]
    train_churned = sum(row["trainable_churned"] for row in train_cutoffs)
    if train_churned < modelling.min_train_churned or (
        holdout["churned"] < modelling.min_holdout_churned
    ):
        raise TooLittleDataError(
            f"{train_churned} churners in {sum(row['trainable'] for row in train_cutoffs)} "
            f"training snapshots of {len(train_cutoffs)} cutoffs, and {holdout['churned']} among "
            f"{holdout['users']} users on the hold-out {holdout['cutoff']}: too few to train and "
            f"judge a model. At least {modelling.min_train_churned} "
            f"(modelling.min_train_churned) and {modelling.min_holdout_churned} "
            f"(modelling.min_holdout_churned) are asked for; use a log of more users or days."
        )
    require_trainable_and_unseen(holdout["users"], holdout["trainable"], modelling)
    described = labelled.join(features, on=KEYS, how="inner")
    last_train = max(row["cutoff"] for row in train_cutoffs)
    is_train = F.col("is_trainable") & (F.col("cutoff") <= F.lit(last_train))
    require_churners_in_folds(labelled.where(is_train), modelling)
    is_test = F.col("cutoff") == F.lit(holdout["cutoff"])
    question = {
        **feature_engineering.prediction_task,
        "asked": f"{holdout['cutoff']}, {feature_engineering.horizon_days} days ahead",
        "cutoff": str(holdout["cutoff"]),
        "happened": OUTCOME_WORDS[feature_engineering.outcome].happened,
        "train_cutoffs": [str(row["cutoff"]) for row in train_cutoffs],
    }
    return described.where(is_train), described.where(is_test), question


def champion(
    train: DataFrame, inputs: InputParameters, modelling: ModellingParameters
) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, Any], PipelineModel]:
    """Cross-validate every candidate, and refit the winner on all training snapshots.

    The winner is the simplest trial within one standard error of the best. Its predictions out
    of fold give the calibration, which is part of the model, and `f1_threshold`, which is not:
    each run decides by its own parameters.

    Returns:
        The candidates compared (one row per trial, best first), the time of their fits, what the
        champion is, and its fitted model: from features to `probability`.
    """
    predictions, competing = fitting.cross_validated(train, inputs, modelling), trials(modelling)
    compared = selection.compared(predictions, competing, modelling.selection)
    best = selection.simplest_of_the_best(compared)
    trial = competing[best]
    own = predictions[predictions["trial"] == best].reset_index(drop=True)
    method = calibration.best_calibration(own, modelling.calibrations)
    probability = calibration.calibrated(own, method)
    with fitting.kept_prepared(train, inputs, modelling) as ready:
        model = fitting.fitted(ready, trial, modelling)
    last = calibration.calibration_stages(train.sparkSession, own, method)
    chosen = {
        **trial.description,
        "imbalance": modelling.imbalance,
        "calibration": method,
        "f1_threshold": decision.best_f1_threshold(probability),
    }
    fit_times = selection.fit_times(predictions, competing)
    return compared, fit_times, chosen, fitting.with_stages(model, last)


def predictions(
    model_input: DataFrame, churn_model: PipelineModel, modelling: ModellingParameters
) -> DataFrame:
    """Forecast every row of a model input: one row per user and cutoff."""
    ranks = {
        f"baseline_{name}": F.col(column).cast("double")
        for name, column in modelling.baselines.items()
    }
    forecast = churn_model.transform(model_input).withColumns(ranks)
    return forecast.select(*PREDICTIONS.columns, *ranks)


def metrics(
    train_predictions: DataFrame,
    test_predictions: DataFrame,
    cv_results: pd.DataFrame,
    champion: dict[str, Any],
    data_quality: dict[str, Any],
    question: dict[str, Any],
    modelling: ModellingParameters,
) -> dict[str, Any]:
    """Judge the champion on the hold-out, with training figures and baselines beside it.

    `holdout` is about all its customers, `unseen_users` about those of them that no model has
    ever learnt from: later in time, and other people. `decision` has the threshold of these
    figures, and the costs and the rule that it follows from. `gain_over_baselines` has by how much
    the champion ranks better than each simple rule.
    """
    trained, held_out = train_predictions.toPandas(), test_predictions.toPandas()
    decided = decision.describe_decision(modelling.decision, champion["f1_threshold"])
    threshold = decided["threshold"]
    unseen = held_out[~held_out["is_trainable"]]
    base_rate = float(trained["churned"].mean())
    return {
        "source": data_quality["source"],
        "question": question,
        "champion": champion,
        "decision": decided,
        "holdout": evaluation.evaluated(held_out, threshold, modelling.bootstrap),
        "unseen_users": evaluation.evaluated(unseen, threshold, modelling.bootstrap),
        "train": evaluation.evaluated(trained, threshold, None),
        "baselines": evaluation.baselines(held_out, base_rate, modelling.bootstrap),
        "gain_over_baselines": evaluation.gain_over_baselines(held_out, modelling.bootstrap),
        "candidates": cv_results.to_dict("records"),
    }


def holdout_figures(
    test_predictions: DataFrame,
    feature_weights: pd.DataFrame,
    metrics: dict[str, Any],
    modelling: ModellingParameters,
) -> tuple[Figure, ...]:
    """Draw the hold-out: precision-recall, ROC, calibration, lift, confusion, weights."""
    held_out = to_sorted_pandas(test_predictions, *KEYS)
    return (
        figures.precision_recall(held_out, metrics),
        figures.roc(held_out, metrics),
        figures.calibration(held_out, metrics, modelling.calibration_bins),
        figures.lift(held_out, metrics),
        figures.confusion(held_out, metrics),
        figures.weights(feature_weights, metrics),
    )
