"""Signs of leakage: features that reveal the label in ways that a forecast may not use.

Published solutions have three: an observation time that ends with the cancellation, counts
that include it, and features from later events.
"""

from typing import Any

import numpy as np
import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold, cross_val_predict

from sparkify.pipelines.modelling.parameters import InputParameters
from sparkify.pipelines.validation.parameters import LeakageParameters
from sparkify.schemas import KEYS
from sparkify.spark.functions import to_sorted_pandas

MIN_COEFFICIENT = 0.01  # smaller ones are rounding errors


def sample_users(train: DataFrame, max_users: int) -> pd.DataFrame:
    """Return all rows of at most `max_users` users, selected by hash."""
    users = train.select("user_id").distinct().orderBy(F.xxhash64("user_id")).limit(max_users)
    return to_sorted_pandas(train.join(users, on="user_id", how="left_semi"), *KEYS)


def list_used_features(columns: list[str], inputs: InputParameters) -> list[str]:
    """List the features that any input is computed from."""
    if inputs.plain is None:
        return columns
    used = {name for rate in inputs.every_rate.values() for name in (rate.count, rate.per)}
    return [name for name in columns if name in used | set(inputs.plain)]


def compute_feature_auc(label: pd.Series, feature: pd.Series) -> float:
    """Return the AUC of a single feature, in the better of both directions."""
    auc = float(roc_auc_score(label, feature))
    return max(auc, 1 - auc)


def cross_validate_auc(
    features: pd.DataFrame, label: pd.Series, users: pd.Series, folds: int
) -> float:
    """Return the out-of-fold AUC of boosted trees, with folds by user."""
    trees = HistGradientBoostingClassifier(max_iter=60, max_depth=3, random_state=0)
    forecast = cross_val_predict(
        trees, features, label, groups=users, cv=GroupKFold(folds), method="predict_proba"
    )
    return float(roc_auc_score(label, forecast[:, 1]))


def fit_identity(counts: pd.DataFrame, label: pd.Series) -> dict[str, Any]:
    """Fit a weighted sum of the features to the label; an R2 of 1 means that they determine it."""
    matrix = np.column_stack([counts.to_numpy(float), np.ones(len(counts))])
    scale = np.abs(matrix).max(axis=0).clip(min=1)
    solution = np.linalg.lstsq(matrix / scale, label, rcond=1e-10)[0] / scale
    fitted = matrix @ solution
    r2 = 1 - ((label - fitted) ** 2).sum() / ((label - label.mean()) ** 2).sum()
    terms = zip(counts.columns, solution, strict=False)
    return {
        "r2": float(r2),
        "auc": float(roc_auc_score(label, fitted)),
        "terms": {
            name: round(float(value), 2) for name, value in terms if abs(value) >= MIN_COEFFICIENT
        },
    }


def format_warnings(audit: dict[str, Any], leakage: LeakageParameters) -> list[str]:
    """Return a warning for each number of the audit that shows a leak."""
    sentences = []
    identity = audit["identity"]
    if identity["r2"] >= leakage.identity_r2:
        terms = " ".join(f"{value:+g} {name}" for name, value in identity["terms"].items())
        sentences.append(
            f"Do not trust any number of this table: the label is a sum of its features "
            f"({terms}; R2 {identity['r2']:.3f})."
        )
    name, auc = next(iter(audit["feature_auc"].items()))
    if auc >= leakage.max_feature_auc:
        sentences.append(
            f"Do not trust the model: {name} alone predicts who churned (AUC {auc:.2f})."
        )
    if audit["auc_of_exposure"] >= leakage.max_exposure_auc:
        sentences.append(
            f"Do not trust this as a forecast: how long and how much users were observed predicts "
            f"who churned (AUC {audit['auc_of_exposure']:.2f}; rates alone "
            f"{audit['auc_of_rates']:.2f}), because the history of a churner ends early."
        )
    changed = [change for change, rows in (audit["later_events"] or {}).items() if rows]
    if changed:
        sentences.append(
            f"Do not trust the forecast: features changed when events at or after the cutoff "
            f"were {' or '.join(changed)}."
        )
    return sentences


def count_different_rows(left: DataFrame, right: DataFrame) -> int:
    """Return how many rows are in one of two tables only."""
    return left.exceptAll(right).count() + right.exceptAll(left).count()
