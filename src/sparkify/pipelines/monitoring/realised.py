"""How earlier scores came true, once their horizon is over."""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any

import pandas as pd
from pyspark.sql import DataFrame
from scipy import stats

from sparkify.ml.bootstrap import Bootstrap, estimate_metrics, flatten_figures
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


def matured(history: History, newest: date, horizon_days: int, most: int) -> list[str]:
    """List the partitions of scores whose horizon is over by a day, the newest of them last."""
    horizon = timedelta(days=horizon_days)
    return [name for name in sorted(history) if date.fromisoformat(name) + horizon <= newest][
        -most:
    ]


def came_true(
    history: History,
    names: list[str],
    user_days: DataFrame,
    feature_engineering: FeatureEngineeringParameters,
) -> pd.DataFrame:
    """Return the named partitions' scores with `churned`: whether the outcome came in time."""
    cutoffs = [date.fromisoformat(name) for name in names]
    labelled = label_customers(user_days, cutoffs, feature_engineering)
    churners = labelled.where("churned").toPandas()
    scores = pd.concat([history[name]() for name in names], ignore_index=True)
    joined = scores.merge(churners, on=KEYS, how="left", validate="1:1")
    return joined.assign(churned=joined["churned"].notna()).sort_values(KEYS, ignore_index=True)


def learnt_from(
    metrics: Mapping[str, Any], feature_engineering: FeatureEngineeringParameters
) -> float:
    """Return how many churners taught the model what share churns; each counts once.

    Training snapshots count a churner at every cutoff whose horizon the outcome falls into; with
    `inactivity`, at every cutoff before which the churner was seen within `active_within_days`.
    """
    is_inactivity = feature_engineering.outcome == "inactivity"
    days = (
        feature_engineering.active_within_days
        if is_inactivity
        else feature_engineering.horizon_days
    )
    times = days / feature_engineering.cutoff_step_days
    return float(max(metrics["train"]["churned"] / max(times, 1), 1))


def judged(
    predictions: pd.DataFrame, certainty: float, learnt: float, bootstrap: Bootstrap
) -> dict[str, Any]:
    """Judge the scores of one cutoff by what happened; keys are those of `COLUMNS`.

    `expected` churners are the sum of the probabilities. `expected_low` to `expected_high` is
    where they fall with the `certainty` asked for if nothing has changed: a negative binomial
    count, Poisson's for a rate known from `learnt` churners (Gelman et al. 2013, Bayesian Data
    Analysis, section 2.6). `auc` and `average_precision` have 95 % intervals over users, and are
    missing where nobody churned.
    """
    expected = float(predictions["probability"].sum())
    low, high = stats.nbinom(learnt, learnt / (learnt + expected)).interval(certainty)
    row = {
        "cutoff": str(predictions["cutoff"].iloc[0]),
        "customers": len(predictions),
        "churned": int(predictions["churned"].sum()),
        "expected": expected,
        "expected_low": int(low),
        "expected_high": int(high),
    }
    metrics = {name: RANKING[name] for name in RANKED}
    found = estimate_metrics(predictions, metrics, bootstrap)
    return {**row, **flatten_figures(found)}
