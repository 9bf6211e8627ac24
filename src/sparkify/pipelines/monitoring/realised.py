"""Past scores compared with the outcomes, once their horizon is over."""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from functools import reduce
from typing import Any

import pandas as pd
from pyspark.sql import DataFrame
from scipy import stats

from sparkify.ml.bootstrap import Bootstrap, estimate_metrics, flatten_estimates
from sparkify.ml.metrics import RANKING
from sparkify.pipelines.evaluation.parameters import EvaluationParameters
from sparkify.pipelines.feature_engineering.customers import label_customers
from sparkify.pipelines.feature_engineering.parameters import FeatureEngineeringParameters
from sparkify.schemas import KEYS
from sparkify.spark.functions import sample_users, to_sorted_pandas

RANKED = ("auc", "average_precision")
COLUMNS = [
    *("cutoff", "customers", "scored", "churned", "expected", "expected_low", "expected_high"),
    *(f"{name}{bound}" for name in RANKED for bound in ("", "_low", "_high")),
]
History = Mapping[str, Callable[[], DataFrame]]


def list_matured_cutoffs(
    history: History, newest: date, horizon_days: int, max_cutoffs: int
) -> list[str]:
    """List the last `max_cutoffs` cutoffs whose horizon ends by the day `newest`, in order."""
    horizon = timedelta(days=horizon_days)
    matured = [name for name in sorted(history) if date.fromisoformat(name) + horizon <= newest]
    return matured[-max_cutoffs:]


def add_outcomes(
    history: Mapping[str, DataFrame],
    user_days: DataFrame,
    feature_engineering: FeatureEngineeringParameters,
    evaluation: EvaluationParameters,
) -> pd.DataFrame:
    """Return the scores with their outcome, `churned`, sorted by key.

    Beyond `evaluation.max_customers` scores of all cutoffs, they are a sample of users. `scored`
    is the number of all scores of the row's cutoff.

    Args:
        history: the scores of each cutoff, by its name.
        user_days: one row per user and UTC day.
        feature_engineering: the outcome and its horizon.
        evaluation: the maximum of scores, and the seed of the sample.
    """
    scores = reduce(DataFrame.unionByName, history.values())
    counts = {row["cutoff"]: row["count"] for row in scores.groupBy("cutoff").count().collect()}
    sampled = sample_users(
        scores, evaluation.max_customers, sum(counts.values()), "past scores", evaluation.seed
    )
    cutoffs = [date.fromisoformat(name) for name in history]
    churners = label_customers(user_days, cutoffs, feature_engineering).where("churned")
    joined = sampled.join(churners, on=KEYS, how="left").fillna({"churned": False})
    rows = to_sorted_pandas(joined, *KEYS)
    return rows.assign(scored=rows["cutoff"].map(counts))


def count_training_churners(
    train_churned: int, feature_engineering: FeatureEngineeringParameters
) -> float:
    """Estimate how many different churners are in the training rows; at least 1.

    A churner has a training row at every cutoff whose horizon contains the outcome. With
    `inactivity`, these are the cutoffs within `active_within_days` after the last event.

    Args:
        train_churned: training rows with the label `churned`.
        feature_engineering: the outcome, its horizon and the days between cutoffs.
    """
    days = feature_engineering.horizon_days
    if feature_engineering.outcome == "inactivity":
        days = feature_engineering.active_within_days
    repeats = days / feature_engineering.cutoff_step_days
    return float(max(train_churned / max(repeats, 1), 1))


def evaluate_scores(
    scores: pd.DataFrame, certainty: float, train_churners: float, bootstrap: Bootstrap
) -> dict[str, Any]:
    """Evaluate the scores of one cutoff against the outcomes; keys are those of `COLUMNS`.

    `customers` are evaluated, a sample of those `scored` if these are too many.
    `expected` churners are the sum of the probabilities. If nothing has changed, the churners are
    between `expected_low` and `expected_high` with this certainty. The count is negative binomial:
    Poisson, with a rate estimated from `train_churners` (Gelman et al. 2013, Bayesian Data
    Analysis, section 2.6). `auc` and `average_precision` have 95 % intervals over users, and are
    missing without churners.
    """
    expected = float(scores["probability"].sum())
    share = train_churners / (train_churners + expected)
    low, high = stats.nbinom(train_churners, share).interval(certainty)
    row = {
        "cutoff": str(scores["cutoff"].iloc[0]),
        "customers": len(scores),
        "scored": int(scores["scored"].iloc[0]),
        "churned": int(scores["churned"].sum()),
        "expected": expected,
        "expected_low": int(low),
        "expected_high": int(high),
    }
    metrics = {name: RANKING[name] for name in RANKED}
    return {**row, **flatten_estimates(estimate_metrics(scores, metrics, bootstrap))}
