"""Ranking and calibration of the forecast for groups of customers."""

from typing import Any

import numpy as np
import pandas as pd
from pyspark.sql import Column
from pyspark.sql import functions as F

from sparkify.ml.bootstrap import (
    Array,
    Bootstrap,
    Metric,
    compute_interval,
    draw_row_weights,
    estimate_metrics,
    flatten_estimates,
    has_enough_churners,
)
from sparkify.ml.metrics import CALIBRATION, RANKING, auc
from sparkify.pipelines.evaluation.parameters import GroupParameters

UNKNOWN = "unknown"
GROUPS = ("level", "registered", "last_seen", "gender")
ECE = "expected_calibration_error"
METRICS: dict[str, Metric] = {
    "auc": RANKING["auc"],
    "calibration_gap": lambda y, p, _, w: float(np.average(y - p, weights=w)),
    ECE: CALIBRATION[ECE],
}
BOUNDED = ("auc", "auc_difference", "calibration_gap")
COLUMNS = [*(f"{name}{bound}" for name in BOUNDED for bound in ("", "_low", "_high")), ECE]


def measure_groups(rows: pd.DataFrame, bootstrap: Bootstrap) -> pd.DataFrame:
    """Return size, ranking and calibration of each group, one row each.

    Args:
        rows: the hold-out's predictions with the columns of `GROUPS`, sorted by key.
        bootstrap: settings of the intervals.
    """
    members = {
        (name.replace("_", " "), value): (rows[name] == value).to_numpy()
        for name in GROUPS
        for value in sorted(rows[name].unique())
    }
    measured = {
        key: is_member
        for key, is_member in members.items()
        if has_enough_churners(rows[is_member], bootstrap.min_churned)
    }
    differences = _compute_auc_differences(rows, measured, bootstrap)
    return pd.DataFrame(
        [
            {
                **dict(zip(("group", "value"), key, strict=True)),
                **_count_customers(rows[is_member]),
                **dict.fromkeys(COLUMNS, np.nan),
                **_measure_group(rows[is_member], differences.get(key), bootstrap),
            }
            for key, is_member in members.items()
        ]
    )


def list_groupings(parameters: GroupParameters) -> list[Column]:
    """Return the columns that divide customers into groups, except gender."""

    def by_days(column: str, days: int) -> Column:
        earlier = F.lit(f"{days} days ago or more")
        return F.when(F.col(column) < days, f"less than {days} days ago").otherwise(earlier)

    return [
        F.when(F.col("is_paid") == 1, "paid").otherwise("free").alias("level"),
        by_days("account_age_days", parameters.new_customer_days).alias("registered"),
        by_days("days_since_last_seen", parameters.recently_seen_days).alias("last_seen"),
    ]


def _count_customers(members: pd.DataFrame) -> dict[str, Any]:
    return {
        "users": len(members),
        "churned": int(members["churned"].sum()),
        "base_rate": float(members["churned"].mean()),
        "mean_probability": float(members["probability"].mean()),
    }


def _measure_group(
    members: pd.DataFrame, difference: dict[str, Any] | None, bootstrap: Bootstrap
) -> dict[str, float]:
    if difference is None:
        return {}
    figures = estimate_metrics(members, METRICS, bootstrap) | {"auc_difference": difference}
    row = flatten_estimates(figures)
    return {name: row[name] for name in COLUMNS}


def _compute_auc_differences(
    rows: pd.DataFrame, groups: dict[tuple[str, str], Array], bootstrap: Bootstrap
) -> dict[tuple[str, str], dict[str, Any]]:
    """Return each group's AUC minus that of all rows; both use the same resamples."""
    # `auc` is fast for sorted rows.
    by_score = np.argsort(-rows["probability"].to_numpy(float), kind="stable")
    ordered = rows[["churned", "probability"]].to_numpy(float)[by_score]
    churned, probability = ordered.T
    members = [group[by_score] for group in groups.values()]

    def differences(row_weights: Array) -> list[float]:
        weight = row_weights[by_score]
        overall = auc(churned, probability, weight)
        return [
            auc(churned[group], probability[group], weight[group]) - overall for group in members
        ]

    if not groups:
        return {}
    values = differences(np.ones(len(rows)))
    with np.errstate(invalid="ignore"):  # NaN where a group's resample holds no churner
        sampled = np.array([differences(weight) for weight in draw_row_weights(rows, bootstrap)])
    return {
        key: {"value": value, "ci95": compute_interval(values_of_group)}
        for key, value, values_of_group in zip(groups, values, sampled.T, strict=True)
    }
