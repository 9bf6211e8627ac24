"""Behaviour of the customers that a model was trained on, for comparison with later ones.

Sums over whole histories grow with the calendar. These sums cover a window of fixed length before
the cutoff, so that later cutoffs are comparable.
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
from sparkify.spark.functions import sample_users, to_sorted_pandas

OBSERVED = "observed_days"
# Kinds of inputs: at most two distinct values; comparable over time; growing with the calendar.
LEVEL, NUMBER, CLOCK = "level", "number", "clock"


def _list_counts(user_days: DataFrame) -> tuple[list[str], list[str]]:
    """List the columns of counts, and those of them that are also counted on the free level."""
    counts = [field.name for field in user_days.schema if field.dataType == T.LongType()]
    return counts, [name for name in counts if f"free_{name}" in counts]


def _list_summed_columns(user_days: DataFrame) -> list[str]:
    """List the columns that are summed over the days of a window."""
    counts, by_level = _list_counts(user_days)
    return [*counts, *(f"paid_{name}" for name in by_level), "active_days"]


def sum_recent_days(
    snapshot: DataFrame, user_days: DataFrame, settings: Mapping[str, Any]
) -> pd.DataFrame:
    """Sum each customer's last days before the cutoff, and keep the other features.

    One row per customer: about `max_customers` of `customers`, sampled by a hash of user and
    cutoff, so that another cutoff has another sample.
    """
    names = _list_summed_columns(user_days)
    days = add_derived_counts(user_days, _list_counts(user_days)[1])
    sample = sample_customers(snapshot, settings)
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


def sample_customers(rows: DataFrame, settings: Mapping[str, Any]) -> DataFrame:
    """Return the rows of a cutoff's sample of customers, or all of them up to `max_customers`."""
    purpose = f"reference {settings['cutoff']}"
    return sample_users(rows, settings["max_customers"], settings["customers"], purpose, seed=0)


def describe_distributions(
    customers: pd.DataFrame,
    user_days: DataFrame,
    settings: Mapping[str, Any],
    inputs: InputParameters,
    reference: ReferenceParameters,
) -> dict[str, dict[str, Any]]:
    """Return the definition of each monitored value, and its distribution over customers.

    Rates are over the window; the other inputs are features. A feature is comparable with later
    snapshots, or a clock, which grows with the calendar.
    """
    recent = [name for name in customers.columns if name in _list_summed_columns(user_days)]
    comparable = [*recent, *reference.comparable]
    rates: dict[str, dict[str, Any]] = {
        name: {
            "kind": NUMBER,
            "count": rate.count,
            "per": rate.per,
            "min_denominator": rate.prior * reference.min_known_share,
        }
        for name, rate in {**inputs.every_rate, **reference.rates}.items()
    }
    plain: dict[str, dict[str, Any]] = {
        name: {"kind": NUMBER if name in comparable else CLOCK, "count": name}
        for name in inputs.plain or {}
    }
    return {
        name: {
            **definition,
            **learn_bins(
                select_values(customers, definition, settings), definition, reference.bins
            ),
        }
        for name, definition in {**rates, **plain}.items()
    }


def select_values(
    customers: pd.DataFrame, definition: Mapping[str, Any], settings: Mapping[str, Any]
) -> npt.NDArray[np.float64]:
    """Return one value per customer with enough history: a rate of the window, or a feature.

    Args:
        customers: as `sum_recent_days` returns them.
        definition: the columns of the value. A rate is `count` divided by `per`, for customers
            with a `per` of at least `min_denominator`.
        settings: `window_days`, the maximum of observed days in the window.
    """
    count: npt.NDArray[np.float64] = customers[definition["count"]].to_numpy(float)
    if "per" not in definition:
        return count
    denominator = customers[definition["per"]].to_numpy(float)
    if definition["per"] == OBSERVED:
        denominator = denominator.clip(max=settings["window_days"])
    has_enough = denominator >= definition["min_denominator"]
    return np.asarray(count[has_enough] / denominator[has_enough])


def learn_bins(
    values: npt.NDArray[np.float64], definition: Mapping[str, Any], bins: int
) -> dict[str, Any]:
    """Return the quantiles of values as bin edges, and the counts in these bins.

    A number with at most two distinct values becomes a level.
    """
    # Integer arithmetic: rounding errors (60.00000000000001 %) would select other quantiles.
    positions = (np.arange(1, bins + 1) * len(values) - 1) // bins
    edges = np.unique(np.sort(values)[positions]) if len(values) else np.empty(0)
    is_level = definition["kind"] == NUMBER and len(np.unique(values)) <= 2
    kind = LEVEL if is_level else definition["kind"]
    return {"kind": kind, "edges": edges.tolist(), **count_in_bins(values, edges)}


def count_in_bins(values: npt.NDArray[np.float64], edges: npt.ArrayLike) -> dict[str, Any]:
    """Count values by bin: up to the first edge, between edges, and above the last."""
    positions = np.searchsorted(np.asarray(edges, float), values, side="left")
    counts = np.bincount(positions, minlength=np.size(edges) + 1)
    mean = float(values.mean()) if len(values) else None
    return {"counts": counts.tolist(), "mean": mean}


def count_days(counts: DataFrame, data_quality: dict[str, Any]) -> pd.DataFrame:
    """Return the log's `events` per `day` and `page`, one row each.

    Args:
        counts: events by day, page and anything else: `page_counts`, or the smaller `event_counts`.
        data_quality: the numbers of accepted and rejected records.

    Raises:
        LogError: if too many records of the log were rejected.
    """
    require_usable_log(data_quality)
    counts = counts.groupBy("day", "page").agg(F.sum("events").alias("events"))
    return to_sorted_pandas(counts, "day", "page")


def select_window(
    days: pd.DataFrame, user_days: DataFrame, settings: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Return the days of the window: `day`, `events` and `active` users.

    The window starts no earlier than the log. Days without events have counts of 0.
    """
    cutoff, log_start = pd.Timestamp(settings["cutoff"]), pd.Timestamp(days["day"].min())
    first = max(cutoff - pd.Timedelta(days=settings["window_days"]), log_start)
    is_in_window = (F.col("day") >= first.date()) & (F.col("day") < cutoff.date())
    active = (
        user_days.where(is_in_window).groupBy("day").agg(F.count("*").alias("active")).toPandas()
    )
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

    Monitoring uses them to distinguish a continued log from a different one.
    """
    return {
        "lines": data_quality["lines"],
        "first_event": data_quality["first_event"],
        "rejections": {
            reason: counts["lines"] for reason, counts in data_quality["rejections"].items()
        },
    }
