"""How customers behaved when a model was trained, for comparison with later snapshots.

Sums over whole histories grow with the calendar. These are over a window of fixed length before
the cutoff, so that a later cutoff is described the same way.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from sparkify.pipelines.data_processing.nodes import require_usable_log
from sparkify.pipelines.feature_engineering.nodes import add_derived_counts
from sparkify.pipelines.modelling.parameters import InputParameters, ReferenceParameters
from sparkify.schemas import KEYS
from sparkify.spark.functions import to_sorted_pandas

OBSERVED = "observed_days"
LEVEL, NUMBER, CLOCK = "level", "number", "clock"


def _summed(user_days: DataFrame) -> list[str]:
    """List the columns that are summed over the days of a window."""
    paid = [f"paid_{name}" for name in _by_level(user_days)]
    return [*_counts(user_days), *paid, "active_days"]


def _counts(user_days: DataFrame) -> list[str]:
    return [field.name for field in user_days.schema if field.dataType == T.LongType()]


def _by_level(user_days: DataFrame) -> list[str]:
    counts = _counts(user_days)
    return [name for name in counts if f"free_{name}" in counts]


def sum_recent_days(
    snapshot: DataFrame, user_days: DataFrame, settings: Mapping[str, Any]
) -> pd.DataFrame:
    """Sum each customer's last days before the cutoff, and keep the other features.

    One row per customer: at most `most_customers`, sampled by a hash of user and cutoff, so that
    another cutoff has another sample.
    """
    names = _summed(user_days)
    days = add_derived_counts(user_days, _by_level(user_days))
    sample = snapshot.orderBy(F.xxhash64(*KEYS), "user_id").limit(settings["most_customers"])
    first_day = F.date_sub("cutoff", settings["window_days"])
    is_recent = (F.col("day") >= first_day) & (F.col("day") < F.col("cutoff"))
    recent = (
        days.join(sample.select(*KEYS), on="user_id", how="inner")
        .where(is_recent)
        .groupBy("user_id")
        .agg(*(F.sum(name).cast("double").alias(name) for name in names))
    )
    customers = sample.drop(*names).join(recent, on="user_id", how="left")
    return to_sorted_pandas(customers.fillna(0.0, names), "user_id")


def describe_distributions(
    customers: pd.DataFrame,
    user_days: DataFrame,
    settings: Mapping[str, Any],
    inputs: InputParameters,
    reference: ReferenceParameters,
) -> dict[str, dict[str, Any]]:
    """Return how each watched value is computed, and its distribution over customers.

    Rates are over the window, and other inputs are features. Of these, some are comparable with
    a later snapshot, and the others are clocks, which grow with the calendar.
    """
    recent = [name for name in customers.columns if name in _summed(user_days)]
    comparable = [*recent, *reference.comparable]
    rates: dict[str, dict[str, Any]] = {
        name: {
            "kind": NUMBER,
            "count": rate.count,
            "per": rate.per,
            "least_per": rate.prior * reference.least_known,
        }
        for name, rate in {**inputs.every_rate, **reference.rates}.items()
    }
    plain: dict[str, dict[str, Any]] = {
        name: {"kind": NUMBER if name in comparable else CLOCK, "count": name}
        for name in inputs.plain or {}
    }
    return {
        name: {**how, **learn_bins(select_values(customers, how, settings), how, reference.bins)}
        for name, how in {**rates, **plain}.items()
    }


def select_values(
    customers: pd.DataFrame, how: Mapping[str, Any], settings: Mapping[str, Any]
) -> npt.NDArray[np.float64]:
    """Return one value per customer with enough history: a rate of the window, or a feature.

    Args:
        customers: as `sum_recent_days` returns them.
        how: the columns of the value. A rate is a `count` `per` another column, for customers
            with at least `least_per` of the latter.
        settings: `window_days`, the most days that a customer is observed in the window.
    """
    count: npt.NDArray[np.float64] = customers[how["count"]].to_numpy(float)
    if "per" not in how:
        return count
    per = customers[how["per"]].to_numpy(float)
    if how["per"] == OBSERVED:
        per = per.clip(max=settings["window_days"])
    is_known = per >= how["least_per"]
    return np.asarray(count[is_known] / per[is_known])


def learn_bins(
    values: npt.NDArray[np.float64], how: Mapping[str, Any], bins: int
) -> dict[str, Any]:
    """Return quantiles of values as the edges of bins, and the counts in these bins.

    A number with at most two distinct values is a level.
    """
    # Integers: in fractions, a quantile of 60.00000000000001 % is another value.
    places = (np.arange(1, bins + 1) * len(values) - 1) // bins
    edges = np.unique(np.sort(values)[places]) if len(values) else np.empty(0)
    is_level = how["kind"] == NUMBER and len(np.unique(values)) <= 2
    kind = LEVEL if is_level else how["kind"]
    return {"kind": kind, "edges": edges.tolist(), **count_in_bins(values, edges)}


def count_in_bins(values: npt.NDArray[np.float64], edges: npt.ArrayLike) -> dict[str, Any]:
    """Count values between edges: up to the first, up to the next …, and beyond the last."""
    places = np.searchsorted(np.asarray(edges, float), values, side="left")
    counts = np.bincount(places, minlength=np.size(edges) + 1)
    mean = float(values.mean()) if len(values) else None
    return {"counts": counts.tolist(), "mean": mean}


def count_days(event_counts: DataFrame, data_quality: dict[str, Any]) -> pd.DataFrame:
    """Return the log's `events` per `day` and `page`, one row each."""
    require_usable_log(data_quality)
    counts = event_counts.groupBy("day", "page").agg(F.sum("events").alias("events"))
    return to_sorted_pandas(counts, "day", "page")


def select_window(
    days: pd.DataFrame, user_days: DataFrame, settings: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Return the days of the window: `day`, `events` and `active` users.

    The window starts with the log if that starts later. Days without events count 0.
    """
    cutoff, opened = pd.Timestamp(settings["cutoff"]), pd.Timestamp(days["day"].min())
    first = max(cutoff - pd.Timedelta(days=settings["window_days"]), opened)
    is_in = (F.col("day") >= first.date()) & (F.col("day") < cutoff.date())
    active = user_days.where(is_in).groupBy("day").agg(F.count("*").alias("active")).toPandas()
    counts = pd.DataFrame(
        {
            "events": days.groupby("day")["events"].sum(),
            "active": active.set_index("day")["active"],
        }
    ).reindex(pd.date_range(first, cutoff, inclusive="left").date, fill_value=0)
    return [
        {"day": str(day), "events": int(events), "active": int(users)}
        for day, events, users in counts.fillna(0).itertuples()
    ]


def count_lines(data_quality: Mapping[str, Any]) -> dict[str, Any]:
    """Return the log's lines, rejections by reason and first event.

    They distinguish a longer log from another one.
    """
    return {
        "lines": data_quality["lines"],
        "first_event": data_quality["first_event"],
        "rejections": {why: which["lines"] for why, which in data_quality["rejections"].items()},
    }
