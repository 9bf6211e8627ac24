"""How well the forecast ranks groups of customers, and how well it is calibrated for them."""

from typing import Any

import numpy as np
import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from sparkify.ml.bootstrap import (
    Array,
    Bootstrap,
    Metric,
    estimate_metrics,
    flatten_figures,
    has_enough_churners,
    percentile_interval,
    resample_weights,
)
from sparkify.ml.metrics import CALIBRATION, RANKING, auc
from sparkify.pipelines.modelling.parameters import (
    GroupParameters,
    ModellingParameters,
)
from sparkify.schemas import KEYS
from sparkify.spark.functions import to_sorted_pandas

UNKNOWN = "unknown"
ECE = "expected_calibration_error"
METRICS: dict[str, Metric] = {
    "auc": RANKING["auc"],
    "calibration_gap": lambda y, p, _, w: float(np.average(y - p, weights=w)),
    ECE: CALIBRATION[ECE],
}
BOUNDED = ("auc", "auc_difference", "calibration_gap")
COLUMNS = [*(f"{name}{bound}" for name in BOUNDED for bound in ("", "_low", "_high")), ECE]


def group_metrics(
    test_predictions: DataFrame,
    test: DataFrame,
    user_days: DataFrame,
    modelling: ModellingParameters,
) -> pd.DataFrame:
    """Evaluate the forecast for groups of the hold-out's customers: one row per group.

    Groups are by level, time since registration, time since the last event, and the last gender
    that is known before the cutoff. `auc_difference` is the group's AUC less that of all
    customers, on the same resamples, and `calibration_gap` the share that churned less the mean
    forecast; both and the AUC have 95 % intervals. These and the calibration error are missing
    where fewer than `modelling.min_interval_churned` churned, or did not.
    """
    rows = to_sorted_pandas(
        test_predictions.select(*KEYS, "churned", "probability")
        .join(test.select(*KEYS, *_groupings(modelling.groups)), on=KEYS, how="inner")
        .join(_last_known_gender(test, user_days), on="user_id", how="left")
        .fillna({"gender": UNKNOWN}),
        *KEYS,
    )
    members = {
        (name.replace("_", " "), value): (rows[name] == value).to_numpy()
        for name in ("level", "registered", "last_seen", "gender")
        for value in sorted(rows[name].unique())
    }
    min_churned = modelling.min_interval_churned
    enough = {key: of for key, of in members.items() if has_enough_churners(rows[of], min_churned)}
    differences = _auc_differences(rows, enough, modelling.bootstrap)
    return pd.DataFrame(
        [
            {
                **dict(zip(("group", "value"), key, strict=True)),
                **_counted(rows[is_member]),
                **dict.fromkeys(COLUMNS, np.nan),
                **_measured(rows[is_member], differences.get(key), modelling.bootstrap),
            }
            for key, is_member in members.items()
        ]
    )


def _last_known_gender(test: DataFrame, user_days: DataFrame) -> DataFrame:
    """Return the gender on the last day before the cutoff that has one; one row per user."""
    known = user_days.join(test.select(*KEYS), on="user_id", how="inner").where(
        (F.col("day") < F.col("cutoff")) & F.col("gender").isNotNull()
    )
    return known.groupBy("user_id").agg(F.max_by("gender", "day").alias("gender"))


def _groupings(parameters: GroupParameters) -> list[Any]:
    new, recent = parameters.new_customer_days, parameters.recently_seen_days

    def by_days(column: str, days: int) -> Any:
        earlier = F.lit(f"{days} days ago or more")
        return F.when(F.col(column) < days, f"less than {days} days ago").otherwise(earlier)

    return [
        F.when(F.col("is_paid") == 1, "paid").otherwise("free").alias("level"),
        by_days("account_age_days", new).alias("registered"),
        by_days("days_since_last_seen", recent).alias("last_seen"),
    ]


def _counted(members: pd.DataFrame) -> dict[str, Any]:
    return {
        "users": len(members),
        "churned": int(members["churned"].sum()),
        "base_rate": float(members["churned"].mean()),
        "mean_probability": float(members["probability"].mean()),
    }


def _measured(
    members: pd.DataFrame, difference: dict[str, Any] | None, bootstrap: Bootstrap
) -> dict[str, float]:
    if difference is None:
        return {}
    figures = estimate_metrics(members, METRICS, bootstrap) | {"auc_difference": difference}
    row = flatten_figures(figures)
    return {name: row[name] for name in COLUMNS}


def _auc_differences(
    rows: pd.DataFrame, groups: dict[tuple[str, str], Array], bootstrap: Bootstrap
) -> dict[tuple[str, str], dict[str, Any]]:
    """Return each group's AUC less that of all rows, with its interval over the same resamples."""
    churned, probability = rows["churned"].to_numpy(float), rows["probability"].to_numpy(float)

    def differences(weight: Array) -> list[float]:
        overall = auc(churned, probability, weight)
        return [auc(churned[of], probability[of], weight[of]) - overall for of in groups.values()]

    if not groups:
        return {}
    values = differences(np.ones(len(rows)))
    with np.errstate(invalid="ignore"):  # NaN where a group's resample holds no churner
        sampled = np.array([differences(weight) for weight in resample_weights(rows, bootstrap)])
    return {
        key: {"value": value, "ci95": percentile_interval(of_group)}
        for key, value, of_group in zip(groups, values, sampled.T, strict=True)
    }
