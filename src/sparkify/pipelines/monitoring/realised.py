"""Past scores compared with the outcomes, once their horizon is over."""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any

import pandas as pd
from pyspark.sql import DataFrame
from scipy import stats

from sparkify.ml.bootstrap import Bootstrap, estimate_metrics, flatten_estimates
from sparkify.ml.metrics import RANKING
from sparkify.pipelines.feature_engineering.customers import label_customers
from sparkify.pipelines.feature_engineering.parameters import FeatureEngineeringParameters
from sparkify.schemas import KEYS

RANKED = ("auc", "average_precision")
COLUMNS = [
    *("cutoff", "customers", "churned", "expected", "expected_low", "expected_high"),
    *(f"{name}{bound}" for name in RANKED for bound in ("", "_low", "_high")),
]
History = Mapping[str, Callable[[], pd.DataFrame]]


def list_matured_cutoffs(
    history: History, newest: date, horizon_days: int, max_cutoffs: int
) -> list[str]:
    """List the last `max_cutoffs` cutoffs whose horizon ends by the day `newest`, in order."""
    horizon = timedelta(days=horizon_days)
    matured = [name for name in sorted(history) if date.fromisoformat(name) + horizon <= newest]
    return matured[-max_cutoffs:]


def add_outcomes(
    history: History,
    names: list[str],
    user_days: DataFrame,
    feature_engineering: FeatureEngineeringParameters,
) -> pd.DataFrame:
    """Return the scores of the cutoffs `names` with their outcome, `churned`."""
    cutoffs = [date.fromisoformat(name) for name in names]
    labelled = label_customers(user_days, cutoffs, feature_engineering)
    churners = labelled.where("churned").toPandas()
    scores = pd.concat([history[name]() for name in names], ignore_index=True)
    joined = scores.merge(churners, on=KEYS, how="left", validate="1:1")
    return joined.assign(churned=joined["churned"].notna()).sort_values(KEYS, ignore_index=True)


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
        "churned": int(scores["churned"].sum()),
        "expected": expected,
        "expected_low": int(low),
        "expected_high": int(high),
    }
    metrics = {name: RANKING[name] for name in RANKED}
    return {**row, **flatten_estimates(estimate_metrics(scores, metrics, bootstrap))}
