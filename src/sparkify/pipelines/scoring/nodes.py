"""Score the customers of a moment, and say why."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pandas as pd
from pyspark.ml import PipelineModel
from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F
from pyspark.sql import types as T

from sparkify.errors import UserError
from sparkify.pipelines.feature_engineering.customers import (
    LogTooShortError,
    list_customers,
    log_span,
)
from sparkify.pipelines.feature_engineering.parameters import FeatureEngineeringParameters
from sparkify.pipelines.modelling.inputs import list_features, list_inputs
from sparkify.pipelines.modelling.model_card import card_of
from sparkify.pipelines.modelling.parameters import InputParameters
from sparkify.pipelines.scoring.compatibility import require_compatible
from sparkify.pipelines.scoring.explanation import explain_model
from sparkify.pipelines.scoring.parameters import ScoringParameters
from sparkify.schemas import CHURN_SCORES, KEYS
from sparkify.spark.functions import to_sorted_pandas

REASONS = ["reasons_for", "reasons_against"]
NOT_OF_SCORES = ("parameters", "reference")  # of a card: of training alone, and long


class CutoffError(UserError):
    """The moment asked for lies outside of the log, or nobody was a customer then."""


def current_snapshots(
    user_days: DataFrame,
    feature_engineering: FeatureEngineeringParameters,
    scoring: ScoringParameters,
) -> DataFrame:
    """List who is a customer at the cutoff that is scored; one row per user, and no label.

    Raises:
        CutoffError: if `scoring.cutoff` lies outside of the log, or nobody was a customer then.
        LogTooShortError: if the log before the cutoff does not fill the history asked for and
            the windows of the features.
    """
    first_day, log_end = log_span(user_days, feature_engineering)
    cutoff = scoring.cutoff or log_end
    if not first_day < cutoff <= log_end:
        raise CutoffError(
            f"scoring.cutoff {cutoff} lies outside of the log: whole days with events go from "
            f"{first_day} to {log_end - timedelta(days=1)}. Take a day after {first_day}, up to "
            f"{log_end}, or leave it out for the latter."
        )
    needed = max([feature_engineering.min_history_days, *feature_engineering.windows_days])
    if (cutoff - first_day).days < needed:
        raise LogTooShortError(
            f"the log begins on {first_day}, {(cutoff - first_day).days} days before the cutoff "
            f"{cutoff}: too short to score, since {needed} days have to come before it "
            f"(feature_engineering.min_history_days, and the longest of "
            f"feature_engineering.windows_days). Take a later scoring.cutoff or a longer log."
        )
    current = list_customers(user_days, [cutoff], feature_engineering)
    if current.isEmpty():
        raise CutoffError(
            f"{_format_no_customer(cutoff, feature_engineering)}. Take another scoring.cutoff or "
            f"another log."
        )
    return current


def _format_no_customer(cutoff: date, feature_engineering: FeatureEngineeringParameters) -> str:
    """Say that nobody is a customer at the cutoff, and why."""
    paid = " on the paid level" if feature_engineering.outcome == "downgrade" else ""
    nobody = f"nobody is a customer{paid} at the cutoff {cutoff}"
    if feature_engineering.outcome == "inactivity":
        return (
            f"{nobody}: nobody was seen in the {feature_engineering.active_within_days} days "
            f"before it (feature_engineering.active_within_days), or all who were had cancelled"
        )
    return f"{nobody}: all who were seen before it had cancelled"


def churn_scores(
    current_features: DataFrame,
    churn_model: PipelineModel,
    inputs: InputParameters,
    scoring: ScoringParameters,
    feature_engineering: FeatureEngineeringParameters,
) -> tuple[DataFrame, dict[str, Any]]:
    """Forecast every current customer, rank them, and say what speaks for and against it.

    Returns:
        One row per customer, and the card of the model that made these scores.

    Raises:
        ModelMismatchError: if the model cannot score these features or forecasts something else.
    """
    card = card_of(churn_model)
    require_compatible(card, current_features.columns, feature_engineering)
    explains = explain_model(churn_model, inputs, scoring)
    level = F.when(F.col("is_paid") > 0, "paid").otherwise("free").alias("level")
    shown = [*KEYS, "probability", "level", "days_since_last_seen"]
    looked_at = list_inputs(churn_model)
    explaining = sorted({*list_features(churn_model), *looked_at} - {*shown})
    forecast = churn_model.transform(current_features).select("*", level)

    def with_reasons(batches: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        for rows in batches:
            seen = rows[looked_at].to_numpy(float)
            reasons = pd.DataFrame(dict(zip(REASONS, explains.reasons(seen, rows), strict=True)))
            yield pd.concat([rows[shown], reasons], axis="columns")

    explained = forecast.select(*shown, *explaining).mapInPandas(
        with_reasons, T.StructType([CHURN_SCORES.struct[name] for name in [*shown, *REASONS]])
    )
    of_cutoff = Window.partitionBy("cutoff")
    rank = F.row_number().over(of_cutoff.orderBy(F.desc("probability"), "user_id"))
    everybody = F.count("*").over(of_cutoff)
    behind = 100 * (everybody - F.col("rank")) / everybody
    ranked = explained.withColumn("rank", rank).withColumn("percentile", behind)
    described = {name: what for name, what in card.items() if name not in NOT_OF_SCORES}
    return ranked.select(*CHURN_SCORES.columns), described


def score_history(churn_scores: DataFrame) -> dict[str, pd.DataFrame]:
    """Keep what was promised: under the cutoff, one row per customer with the probability.

    Scoring a cutoff again takes the place of what was promised before.
    """
    rows = to_sorted_pandas(churn_scores.select(*KEYS, "probability"), *KEYS)
    return {str(cutoff): promised for cutoff, promised in rows.groupby("cutoff")}
