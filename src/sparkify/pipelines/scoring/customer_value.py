"""What customers are worth, and how much of it is at risk."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from scipy.stats import gamma

from sparkify.ml.bootstrap import Array
from sparkify.ml.leaving_curve import LeavingCurve
from sparkify.ml.remaining_value import DAYS_PER_MONTH, compute_values
from sparkify.pipelines.feature_engineering.customers import find_last_known
from sparkify.pipelines.scoring.parameters import ScoringParameters
from sparkify.pipelines.scoring.time_to_leave import name_groups
from sparkify.schemas import CUSTOMER_VALUES, KEYS

AMOUNTS = ("remaining_value", "value_at_risk")
BOUNDS = (0.025, 0.975)  # of a 95 % interval


def value_customers(
    churn_scores: DataFrame,
    user_days: DataFrame,
    scores_model_card: dict[str, Any],
    contact_decision: dict[str, Any],
    scoring: ScoringParameters,
) -> DataFrame:
    """Return the value of every customer, and the value at risk: one row per customer.

    With `scoring.value.prices`, values follow from the customer's curve and the last revenue before
    the cutoff; where the log has none, the price of the plan. Without prices, every kept customer
    is worth `kept_customer_value`.
    """
    scores = churn_scores.select(*KEYS, "level", "segment", "probability")
    prices = scoring.value.prices
    if prices is None:
        unknown = F.lit(None).cast("double")
        kept_value = F.lit(float(contact_decision["kept_customer_value"]))
        return scores.select(
            "*",
            unknown.alias("remaining_value"),
            unknown.alias("remaining_value_sd"),
            kept_value.alias("kept_value"),
            (F.col("probability") * kept_value).alias("value_at_risk"),
        )
    horizon_days = scores_model_card["prediction_task"]["horizon_days"]
    days = max(scoring.curve_days, horizon_days)
    curve = LeavingCurve.from_card(scores_model_card, days)
    economics = horizon_days, scoring.value.annual_discount_rate, scoring.value.months
    price_of = prices.model_dump()
    daily_margin = scoring.value.margin / DAYS_PER_MONTH

    def add_values(batches: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        for rows in batches:
            monthly = rows["revenue"].fillna(rows["level"].map(price_of))
            margin = monthly.to_numpy(float) * daily_margin
            values = compute_values(curve.predict_customers(rows), *economics)
            yield rows.drop(columns="revenue").assign(
                remaining_value=margin * values.remaining,
                remaining_value_sd=margin * values.deviation,
                kept_value=margin * values.kept,
                value_at_risk=rows["probability"] * margin * values.kept,
            )

    revenue = find_last_known(churn_scores, user_days, "revenue")
    known = scores.join(revenue, on=KEYS, how="left")
    return known.mapInPandas(add_values, CUSTOMER_VALUES.struct)


def total_values(customer_values: DataFrame) -> pd.DataFrame:
    """Sum values by level and by most likely segment: one row per group, and one for all.

    The 95 % intervals are those of chance if the forecast is right: which customers leave within
    the horizon (`value_at_risk`), and when (`remaining_value`).
    """
    stays = 1 - F.col("probability")
    variances = {
        "remaining_value": F.col("remaining_value_sd") ** 2,
        "value_at_risk": F.col("probability") * stays * F.col("kept_value") ** 2,
    }
    sums = (
        customer_values.groupingSets([[], ["level"], ["segment"]], "level", "segment")
        .agg(
            F.grouping_id().alias("group_id"),
            F.count("*").alias("customers"),
            *(F.sum(name).alias(name) for name in AMOUNTS),
            *(F.sum(variance).alias(f"{name}_variance") for name, variance in variances.items()),
        )
        .toPandas()
    )
    totals = name_groups(sums).sort_values(["grouping", "value"], ignore_index=True)
    table = totals[["grouping", "value", "customers"]]
    for name in AMOUNTS:
        mean, variance = (totals[column].to_numpy(float) for column in (name, f"{name}_variance"))
        low, high = _compute_interval(mean, variance)
        table = table.assign(**{name: mean, f"{name}_low": low, f"{name}_high": high})
    return table.round(2)


def _compute_interval(mean: Array, variance: Array) -> tuple[Array, Array]:
    """Return the bounds of 95 % intervals of positive sums, by a gamma distribution."""
    with np.errstate(divide="ignore", invalid="ignore"):
        shape, scale = mean**2 / variance, variance / mean
        low, high = (gamma.ppf(bound, shape, scale=scale) for bound in BOUNDS)
    is_certain = variance == 0
    return np.where(is_certain, mean, low), np.where(is_certain, mean, high)
