"""Nodes from a challenger to its evaluation, and to the champion in service."""

import logging
from collections.abc import Hashable
from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from pyspark.ml import PipelineModel
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from sparkify.ml import metrics as ml_metrics
from sparkify.ml.calibration import cross_calibrate
from sparkify.pipelines.evaluation import (
    contact_profit,
    customer_groups,
    feature_weights,
    figures,
    promotion,
)
from sparkify.pipelines.evaluation.decision import describe_decision
from sparkify.pipelines.evaluation.parameters import EvaluationParameters
from sparkify.pipelines.feature_engineering.customers import find_last_known
from sparkify.pipelines.modelling.inputs import list_inputs
from sparkify.pipelines.modelling.model_card import read_card
from sparkify.pipelines.modelling.nodes import describe_candidate, select_trial
from sparkify.schemas import KEYS, PREDICTIONS
from sparkify.spark.functions import to_sorted_pandas

logger = logging.getLogger(__name__)


def compare_with_champion(
    challenger_model: PipelineModel,
    current_champion_model: PipelineModel | None,
    test: DataFrame,
    selection: str,
    evaluation: EvaluationParameters,
) -> tuple[dict[str, Any], PipelineModel, dict[str, Any]]:
    """Choose the next champion, the challenger or the current champion, on the same hold-out.

    The challenger wins if its gain in the score that selects candidates is larger than
    `evaluation.promotion.standard_errors` standard errors over users. It also wins if the current
    champion cannot be compared. The choice takes effect in `promote_champion`.

    Returns:
        A description of the next champion, its model, and why it was chosen.
    """
    obstacle = promotion.find_obstacle(current_champion_model, read_card(challenger_model), test)
    if current_champion_model is None or obstacle:
        comparison: dict[str, Any] = {"replaced": True, "reason": obstacle}
    else:
        comparison = promotion.compare_models(
            challenger_model, current_champion_model, test, selection, evaluation
        )
    if comparison["replaced"] or current_champion_model is None:
        next_model = challenger_model
    else:
        next_model = current_champion_model
    card = read_card(next_model)
    description = {name: value for name, value in card.items() if name != "parameters"}
    return description, next_model, comparison


def predict_snapshots(
    model_input: DataFrame, churn_model: PipelineModel, baselines: dict[str, str]
) -> DataFrame:
    """Predict every row of a model input: one row per user and cutoff.

    Args:
        model_input: training rows or the hold-out.
        churn_model: from features to `probability`.
        baselines: the features that rank without a model, by the baseline's name.
    """
    ranks = {f"baseline_{name}": F.col(key).cast("double") for name, key in baselines.items()}
    forecast = churn_model.transform(model_input).withColumns(ranks)
    return forecast.select(*PREDICTIONS.columns, *ranks)


def evaluate_champion(
    evaluation: EvaluationParameters,
    train_predictions: DataFrame,
    test_predictions: DataFrame,
    out_of_fold_predictions: DataFrame,
    selected_candidate: dict[str, Any],
    calibration: dict[str, Any],
    cv_results: pd.DataFrame,
    champion: dict[str, Any],
    data_quality: dict[str, Any],
    prediction_task: dict[str, Any],
) -> dict[str, Any]:
    """Evaluate the champion on the hold-out, training and out-of-fold rows, next to baselines.

    Returns:
        `holdout` covers all customers, `held_out_users` only those held out of training: they
        test a later time and new users. `out_of_fold` covers all training cutoffs, each row
        predicted and calibrated without its user; only for a champion of this training.
        `decision` has the threshold with its costs and rule, `gain_over_baselines` how much better
        the champion ranks than each simple rule. `weeks` has the expected and the actual churners
        of each cutoff that is not forecast from itself: of the hold-out and out of fold.
    """
    trained, held_out = train_predictions.toPandas(), test_predictions.toPandas()
    decision = describe_decision(evaluation.decision, champion["f1_threshold"])
    threshold, bootstrap = decision["threshold"], evaluation.bootstrap
    unseen = held_out[~held_out["is_trainable"]]
    base_rate = float(trained["churned"].mean())
    metrics = {
        "source": data_quality["source"],
        "prediction_task": prediction_task,
        "champion": champion,
        "decision": decision,
        "holdout": ml_metrics.evaluate_predictions(held_out, threshold, bootstrap),
        "held_out_users": ml_metrics.evaluate_predictions(unseen, threshold, bootstrap),
        "train": ml_metrics.evaluate_predictions(trained, threshold, None),
        "baselines": ml_metrics.evaluate_baselines(held_out, base_rate, bootstrap),
        "gain_over_baselines": ml_metrics.measure_gain_over_baselines(held_out, bootstrap),
        "candidates": cv_results.to_dict("records"),
        "weeks": _count_by_cutoff(held_out),
    }
    challenger = describe_candidate(selected_candidate, calibration)
    if all(champion.get(name) == value for name, value in challenger.items()):
        rows = select_trial(out_of_fold_predictions, selected_candidate["trial"])
        rows = cross_calibrate(rows, calibration["method"])
        metrics["out_of_fold"] = ml_metrics.evaluate_predictions(rows, threshold, bootstrap)
        metrics["weeks"] = _count_by_cutoff(rows) + metrics["weeks"]
    return metrics


def _count_by_cutoff(rows: pd.DataFrame) -> list[dict[Hashable, Any]]:
    """Return the customers of each cutoff, those expected to churn, and those who did."""
    values = rows[["probability", "churned"]].astype(float)
    customers = values.groupby([rows["cutoff"].astype(str), rows["user_id"]]).mean()  # of repeats
    sums = customers.groupby(level="cutoff").agg(
        customers=("churned", "size"), expected=("probability", "sum"), churned=("churned", "sum")
    )
    return sums.round(1).astype({"churned": int}).reset_index().to_dict("records")


def list_feature_weights(churn_model: PipelineModel) -> pd.DataFrame:
    """List the weight of each input in the champion, the largest first.

    One row per input: `weight` is a `coefficient` of the standardised input in a linear model,
    and an `importance` in an ensemble of trees.
    """
    kind, weights = feature_weights.read_weights(churn_model, list_inputs(churn_model))
    table = weights.rename("weight").rename_axis("feature").reset_index().assign(kind=kind)
    return table.sort_values("weight", key=abs, ascending=False, kind="stable", ignore_index=True)


def estimate_contact_profit(
    test_predictions: DataFrame, champion: dict[str, Any], evaluation: EvaluationParameters
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Estimate the profit of contacting customers of the hold-out, by how many are contacted.

    A contacted churner stays with probability `contact_success`, a gain of `kept_customer_value`;
    every contact costs `contact_cost`. Amounts are in dollars per horizon.

    Returns:
        The profits, one row per number of contacts, the highest probabilities first. Columns are
        the `probability` of the last one, how many `churned`, `profit` with its 95 % interval over
        users, `at_random`, and one per baseline. And the plan: the best number of contacts with
        its interval, the number at the threshold in use, and the profit of the alternatives.
    """
    rows = to_sorted_pandas(test_predictions, *KEYS)
    decision = describe_decision(evaluation.decision, champion["f1_threshold"])
    return contact_profit.compute_contact_profit(rows, decision, evaluation)


def evaluate_groups(
    test_predictions: DataFrame,
    test: DataFrame,
    user_days: DataFrame,
    evaluation: EvaluationParameters,
) -> pd.DataFrame:
    """Evaluate the forecast for groups of the hold-out's customers: one row per group.

    Groups are by level, time since registration, time since the last event, and the last gender
    known before the cutoff. `auc_difference` is the group's AUC minus that of all customers, on
    the same resamples. `calibration_gap` is the share that churned minus the mean forecast. Both
    and the AUC have 95 % intervals. All four metrics are missing if fewer than
    `evaluation.min_interval_churned` customers churned, or did not.
    """
    groupings = customer_groups.list_groupings(evaluation.groups)
    rows = to_sorted_pandas(
        test_predictions.select(*KEYS, "churned", "probability")
        .join(test.select(*KEYS, *groupings), on=KEYS, how="inner")
        .join(find_last_known(test, user_days, "gender"), on=KEYS, how="left")
        .fillna({"gender": customer_groups.UNKNOWN}),
        *KEYS,
    )
    return customer_groups.measure_groups(rows, evaluation.bootstrap)


def promote_champion(
    next_champion: dict[str, Any],
    next_model: PipelineModel,
    comparison: dict[str, Any],
    *evaluation: object,
) -> tuple[dict[str, Any], dict[str, Any], PipelineModel]:
    """Put the next champion into service, unchanged, after its evaluation is saved.

    Args:
        next_champion: the description of the next champion.
        next_model: its model.
        comparison: why it was chosen.
        evaluation: every dataset of the evaluation. They are not read; as inputs they ensure that
            a run with a failed evaluation leaves the current champion in service.

    Returns:
        `promotion`, `champion` and, saved last, `churn_model`, which contains all that scoring
        and monitoring read of a champion.
    """
    del evaluation
    logger.info("Champion: %s", comparison["reason"])
    return comparison, next_champion, next_model


def draw_holdout(
    test_predictions: DataFrame,
    feature_weights: pd.DataFrame,
    metrics: dict[str, Any],
    calibration_bins: int,
) -> tuple[Figure, ...]:
    """Draw the hold-out: precision-recall, ROC, calibration, lift, confusion, weights."""
    held_out = to_sorted_pandas(test_predictions, *KEYS)
    return (
        figures.draw_precision_recall(held_out, metrics),
        figures.draw_roc(held_out, metrics),
        figures.draw_calibration(held_out, metrics, calibration_bins),
        figures.draw_lift(held_out, metrics),
        figures.draw_confusion(held_out, metrics),
        figures.draw_weights(feature_weights, metrics),
    )


def collect_results(**results: Any) -> dict[str, Any]:
    """Return datasets by name, as one dataset."""
    return results
