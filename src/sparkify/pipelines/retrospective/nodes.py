"""Nodes for the seed project's task: which users ever cancelled."""

from functools import reduce
from typing import Any

import pandas as pd
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from sklearn.metrics import classification_report, roc_auc_score

from sparkify.errors import TooLittleDataError
from sparkify.pipelines.evaluation.nodes import evaluate_champion
from sparkify.pipelines.evaluation.parameters import EvaluationParameters
from sparkify.pipelines.feature_engineering.log_summary import require_cancellation_page
from sparkify.pipelines.feature_engineering.outcomes import OUTCOME_WORDS
from sparkify.pipelines.modelling.folds import (
    is_trainable,
    require_churners_in_folds,
    require_trainable_and_unseen,
)
from sparkify.pipelines.modelling.input_definitions import Plain
from sparkify.pipelines.modelling.parameters import InputParameters, ModellingParameters
from sparkify.pipelines.modelling.split import Side, Split
from sparkify.pipelines.retrospective.parameters import SeedProjectParameters
from sparkify.pipelines.validation.nodes import audit_leakage
from sparkify.pipelines.validation.parameters import ValidationParameters
from sparkify.schemas import KEYS, SNAPSHOTS
from sparkify.spark.functions import to_sorted_pandas


def label_whole_histories(user_days: DataFrame) -> DataFrame:
    """Return every user once, at the end of the log, and whether they ever cancelled.

    One row per user. The history of a churner ends with the cancellation, so the length of a
    history alone reveals much of the label.
    """
    by_user = user_days.groupBy("user_id").agg((F.sum("cancellations") > 0).alias("churned"))
    end = user_days.agg(F.date_add(F.max("day"), 1).alias("cutoff"))
    return by_user.crossJoin(F.broadcast(end)).select(*SNAPSHOTS.columns)


def split_by_user(
    features: DataFrame,
    snapshots: DataFrame,
    event_summary: dict[str, Any],
    modelling: ModellingParameters,
    max_customers: int,
) -> tuple[DataFrame, DataFrame, dict[str, Any]]:
    """Split whole histories by a hash of the user: training rows, hold-out and prediction task.

    One row per user. Both sides are samples beyond a size, as in `split_in_time`.

    Raises:
        MissingPageError: if the log has no event on the cancellation page.
        TooLittleDataError: with the counts, if either side has too few users or churners.
    """
    require_cancellation_page(event_summary)
    labelled = snapshots.withColumn("is_trainable", is_trainable(modelling))
    by_side = labelled.groupBy("is_trainable").agg(
        F.count("*").alias("users"), F.count_if("churned").alias("churned")
    )
    counts = {row["is_trainable"]: row for row in by_side.collect()}
    users = {side: row["users"] for side, row in counts.items()}
    require_trainable_and_unseen(sum(users.values()), users.get(True, 0), modelling)
    is_train = F.col("is_trainable")
    whole = Split(
        Side(labelled.where(is_train), users[True], counts[True]["churned"]),
        Side(labelled.where(~is_train), users[False], counts[False]["churned"]),
    )
    training, holdout = split = whole.sample(modelling, max_customers)
    if training.churned < modelling.min_train_churned or (
        holdout.churned < modelling.min_holdout_churned
    ):
        raise TooLittleDataError(
            f"{training.churned} churners among the training users and {holdout.churned} among "
            f"the users held out: too few. At least {modelling.min_train_churned} "
            f"(modelling.min_train_churned) and {modelling.min_holdout_churned} "
            f"(modelling.min_holdout_churned) are required; use a log of more users or days."
        )
    require_churners_in_folds(training.snapshots, modelling)
    prediction_task = {
        "description": "users by hash, cancelled at any time",
        "outcome": "cancellation",
        "outcome_phrase": OUTCOME_WORDS["cancellation"].past_tense,
        **split.describe_samples(whole),
    }
    train, test = (side.snapshots.join(features, on=KEYS, how="inner") for side in split)
    return train, test, prediction_task


def evaluate_at_best_f1(evaluation: EvaluationParameters, *results: Any) -> dict[str, Any]:
    """Evaluate the model like the forecast, but at the threshold with the best expected F1.

    The seed project reports F1. Customers who have left cannot be contacted, so the threshold
    above which a contact pays has no meaning here. `results` are the other arguments of
    `evaluate_champion`.
    """
    by_f1 = evaluation.decision.model_copy(update={"threshold": "f1"})
    return evaluate_champion(evaluation.model_copy(update={"decision": by_f1}), *results)


def audit_poisoned(
    train: DataFrame,
    user_days: DataFrame,
    inputs: InputParameters,
    validation: ValidationParameters,
) -> dict[str, Any]:
    """Audit the table with the seed project's `total_records` added: the audit must flag it.

    The column counts every event of a user, including the cancellation.
    """
    counts = [name for name, kind in user_days.dtypes if kind == "bigint"]
    pages = [name for name in counts if not name.startswith(("free_", "sessions", "listening_ms"))]
    every_event = reduce(Column.__add__, [F.col(name) for name in pages])
    totals = user_days.groupBy("user_id").agg(F.sum(every_event).alias("total_records"))
    plain = {**(inputs.plain or {}), "total_records": Plain(group="bag")}
    with_total = inputs.model_copy(update={"plain": plain})
    poisoned = train.join(totals, on="user_id", how="inner")
    return audit_leakage(poisoned, with_total, validation)


def compare_with_seed_project(
    test_predictions: DataFrame, metrics: dict[str, Any], seed_project: SeedProjectParameters
) -> pd.DataFrame:
    """Compare the retrospective model with the seed project's published results.

    One row per project: Spark's class-weighted precision, recall and F1, accuracy, the churn
    class's precision, recall and F1, and AUC. Weighted recall is accuracy by definition.
    """
    rows = to_sorted_pandas(test_predictions, *KEYS)
    label = rows["churned"]
    predicted = rows["probability"] >= metrics["decision"]["threshold"]
    constant = pd.Series(False, index=rows.index)
    auc = float(roc_auc_score(label, rows["probability"]))
    source = f"{metrics['champion']['label']} ({metrics['source']} log)"
    return pd.DataFrame(
        [
            {"project": "this project, retrospective", "model": source, "auc": auc}
            | _score_classes(label, predicted),
            {"project": "no churn predicted", "model": "", "auc": 0.5}
            | _score_classes(label, constant),
            *(result.model_dump() for result in seed_project.published),
        ]
    )


def _score_classes(label: pd.Series, predicted: pd.Series) -> dict[str, float]:
    report = classification_report(
        label, predicted, labels=[False, True], output_dict=True, zero_division=0
    )
    names = {"precision": "precision", "recall": "recall", "f1": "f1-score"}
    weighted, churn = report["weighted avg"], report["True"]
    return {
        **{f"weighted_{name}": float(weighted[key]) for name, key in names.items()},
        "accuracy": float(report["accuracy"]),
        **{f"churn_{name}": float(churn[key]) for name, key in names.items()},
    }
