"""How the forecast serves groups of customers."""

from typing import Any

import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from sparkify.collecting import collected
from sparkify.pipelines.modelling import evaluation
from sparkify.pipelines.modelling.parameters import GroupParameters, ModellingParameters
from sparkify.schemas import KEYS

UNKNOWN = "unknown"


def group_metrics(
    test_predictions: DataFrame,
    test: DataFrame,
    user_days: DataFrame,
    modelling: ModellingParameters,
) -> pd.DataFrame:
    """Judge the forecast for groups of the hold-out's customers: one row per group.

    Groups are by level, time since registration, time since the last event, and gender where
    it is known. `users`, `churned`, `base_rate` and `mean_probability` say who they are and what
    was forecast; AUC (with its 95 % interval) and calibration error are missing where fewer
    than `modelling.min_holdout_churned` churned: they would say nothing.
    """
    gender = user_days.groupBy("user_id").agg(F.max_by("gender", "day").alias("gender"))
    rows = collected(
        test_predictions.select(*KEYS, "churned", "probability")
        .join(test.select(*KEYS, *_groupings(modelling.groups)), on=KEYS, how="inner")
        .join(gender, on="user_id", how="left")
        .fillna({"gender": UNKNOWN}),
        *KEYS,
    )
    names = [name for name in ("level", "registered", "last_seen", "gender") if name in rows]
    return pd.DataFrame(
        [
            {"group": name.replace("_", " "), "value": value, **_judged(members, modelling)}
            for name in names
            for value, members in rows.groupby(name)
        ]
    )


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


def _judged(members: pd.DataFrame, modelling: ModellingParameters) -> dict[str, Any]:
    told: dict[str, Any] = {
        "users": len(members),
        "churned": int(members["churned"].sum()),
        "base_rate": float(members["churned"].mean()),
        "mean_probability": float(members["probability"].mean()),
        **dict.fromkeys(["auc", "auc_low", "auc_high", "expected_calibration_error"]),
    }
    if told["churned"] < modelling.min_holdout_churned:
        return told
    wanted = {
        "auc": evaluation.RANKING["auc"],
        "expected_calibration_error": evaluation.CALIBRATION["expected_calibration_error"],
    }
    found = evaluation.with_intervals(
        members, wanted, modelling.bootstrap_resamples, modelling.seed
    )
    for name, figure in found.items():
        told[name] = figure["value"]
    if "auc" in found:
        told["auc_low"], told["auc_high"] = found["auc"].get("ci95", [None, None])
    return told
