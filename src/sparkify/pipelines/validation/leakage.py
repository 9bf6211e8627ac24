"""Whether a table of features tells the label by other ways than a forecast may.

The ways are those found in published work on this log: a clock that stops when a customer
cancels, counts that hold the cancellation itself, and features that saw what came later.
"""

from typing import Any

import numpy as np
import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold, cross_val_predict

from sparkify.pipelines.feature_engineering import nodes as engineering
from sparkify.pipelines.feature_engineering.parameters import FeatureEngineeringParameters
from sparkify.pipelines.modelling.folds import require_folds
from sparkify.pipelines.modelling.inputs import feature_columns
from sparkify.pipelines.modelling.model_card import trained_on
from sparkify.pipelines.modelling.parameters import InputParameters
from sparkify.pipelines.validation.parameters import LeakageParameters, ValidationParameters
from sparkify.schemas import KEYS
from sparkify.spark.functions import collect_one_row, to_sorted_pandas

LOWEST_COEFFICIENT = 0.01  # of a feature in an identity; what is nearer to 0 is arithmetic noise


def leakage_audit(
    train: DataFrame,
    inputs: InputParameters,
    validation: ValidationParameters,
    later_events: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Say how well the label is told by exposure alone, rates alone, each feature and sums of them.

    Args:
        train: one row per user and cutoff, with features and `churned`.
        inputs: what models look at; without `plain` they look at every feature.
        validation: from where on a figure means a leak.
        later_events: how features changed when later events did, where that was tried.

    Returns:
        `not_to_be_believed`, sentences on what a reader should not believe (empty if nothing
        stands against the table), and the figures behind them.

    Raises:
        TooLittleDataError: if fewer users churned than there are folds.
    """
    parameters = validation.leakage
    rows = _sample(train, parameters.most_users)
    churners = rows.loc[rows["churned"], "user_id"].nunique()
    require_folds("validation.leakage.folds", parameters.folds, churners)
    looked_at = _looked_at(feature_columns(train), inputs)
    counts = rows[looked_at].astype(float)
    label, users = rows["churned"].astype(int), rows["user_id"]
    alone = {name: _auc_of_ranking(label, counts[name]) for name in looked_at}
    rates = counts.div(rows[parameters.per].clip(lower=1), axis="index")
    found = {
        "training": trained_on(train),
        "rows": len(rows),
        "base_rate": float(label.mean()),
        "auc_of_exposure": _cross_validated_auc(
            rows[list(parameters.exposure)].astype(float),
            label,
            users,
            parameters.folds,
        ),
        "auc_of_rates": _cross_validated_auc(
            rates.drop(columns=[parameters.per], errors="ignore"), label, users, parameters.folds
        ),
        "auc_of_each_feature": dict(sorted(alone.items(), key=lambda told: -told[1])),
        "identity": _identity(counts, label),
        "later_events": later_events,
    }
    return {"not_to_be_believed": _verdict(found, parameters), **found}


def _looked_at(columns: list[str], inputs: InputParameters) -> list[str]:
    """List the features that any input is made of."""
    if inputs.plain is None:
        return columns
    used = {name for rate in inputs.every_rate.values() for name in (rate.count, rate.per)}
    return [name for name in columns if name in used | set(inputs.plain)]


def _sample(train: DataFrame, most_users: int) -> pd.DataFrame:
    """Return all rows of at most so many users, chosen and ordered by hash."""
    users = train.select("user_id").distinct().orderBy(F.xxhash64("user_id")).limit(most_users)
    return to_sorted_pandas(train.join(users, on="user_id", how="left_semi"), *KEYS)


def _auc_of_ranking(label: pd.Series, feature: pd.Series) -> float:
    auc = float(roc_auc_score(label, feature))
    return max(auc, 1 - auc)


def _cross_validated_auc(
    features: pd.DataFrame, label: pd.Series, users: pd.Series, folds: int
) -> float:
    """Return the AUC of boosted trees out of fold, with folds by user."""
    trees = HistGradientBoostingClassifier(max_iter=60, max_depth=3, random_state=0)
    forecast = cross_val_predict(
        trees, features, label, groups=users, cv=GroupKFold(folds), method="predict_proba"
    )
    return float(roc_auc_score(label, forecast[:, 1]))


def _identity(counts: pd.DataFrame, label: pd.Series) -> dict[str, Any]:
    """Fit the label by a weighted sum of the features; an identity fits it exactly."""
    matrix = np.column_stack([counts.to_numpy(float), np.ones(len(counts))])
    scale = np.abs(matrix).max(axis=0).clip(min=1)
    solution = np.linalg.lstsq(matrix / scale, label, rcond=1e-10)[0] / scale
    fitted = matrix @ solution
    r2 = 1 - ((label - fitted) ** 2).sum() / ((label - label.mean()) ** 2).sum()
    terms = zip(counts.columns, solution, strict=False)
    return {
        "r2": float(r2),
        "auc": float(roc_auc_score(label, fitted)),
        "terms": {n: round(float(c), 2) for n, c in terms if abs(c) >= LOWEST_COEFFICIENT},
    }


def _verdict(found: dict[str, Any], parameters: LeakageParameters) -> list[str]:
    """Say in sentences what a reader should not believe."""
    sentences = []
    identity = found["identity"]
    if identity["r2"] >= parameters.identity_r2:
        terms = " ".join(f"{c:+g} {name}" for name, c in identity["terms"].items())
        sentences.append(
            f"Do not believe any figure of this table: the label is a sum of its features "
            f"({terms}; R2 {identity['r2']:.3f})."
        )
    name, auc = next(iter(found["auc_of_each_feature"].items()))
    if auc >= parameters.most_auc_of_a_feature:
        sentences.append(
            f"Do not believe the model: {name} alone tells who churned (AUC {auc:.2f})."
        )
    if found["auc_of_exposure"] >= parameters.most_auc_of_exposure:
        sentences.append(
            f"Do not believe this as a forecast: how long and how much somebody was seen tells "
            f"who churned (AUC {found['auc_of_exposure']:.2f}; rates alone "
            f"{found['auc_of_rates']:.2f}), since a churner's clock stops."
        )
    changed = [told for told, rows in (found["later_events"] or {}).items() if rows]
    if changed:
        sentences.append(
            f"Do not believe the forecast: features changed when events at or after the cutoff "
            f"were {' or '.join(changed)}."
        )
    return sentences


def later_events(
    user_days: DataFrame,
    snapshots: DataFrame,
    feature_engineering: FeatureEngineeringParameters,
) -> dict[str, Any]:
    """Count the features' rows that change with what came at or after the last cutoff.

    Everything from that day on is deleted, altered, and invented for customers who had none;
    all three must leave the features of the cutoff as they are.
    """
    last = collect_one_row(snapshots.agg(F.max("cutoff")))
    cutoff = F.lit(last[0])
    at_last = snapshots.where(F.col("cutoff") == cutoff)
    before, later = user_days.where(F.col("day") < cutoff), user_days.where(F.col("day") >= cutoff)
    counts = [name for name, kind in user_days.dtypes if kind == "bigint"]
    other_level = F.when(F.col("level") == "paid", "free").otherwise("paid")
    altered = later.withColumns(
        {**{name: F.col(name) * 7 + 1 for name in counts}, "level": other_level}
    )
    shift = F.date_diff(cutoff, F.col("day"))
    invented = before.withColumns(
        {"day": cutoff, "last_ts": F.col("last_ts") + F.make_dt_interval(days=shift)}
    )

    def features(days: DataFrame) -> DataFrame:
        return engineering.compute_features(days, at_last, feature_engineering)

    true = features(user_days)
    return {
        "deleted": _rows_apart(true, features(before)),
        "altered": _rows_apart(true, features(before.unionByName(altered))),
        "invented": _rows_apart(true, features(user_days.unionByName(invented))),
    }


def _rows_apart(left: DataFrame, right: DataFrame) -> int:
    return left.exceptAll(right).count() + right.exceptAll(left).count()
