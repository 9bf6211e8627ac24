"""How far the distributions of features have moved, and whether chance explains it."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from sparkify.pipelines.modelling.training_reference import CLOCK, LEVEL
from sparkify.pipelines.monitoring.parameters import MonitoringParameters

Counts = npt.NDArray[np.int64]
HALF = 0.5  # count of an empty group, so that its logarithm is finite


def compare_distributions(
    reference: Mapping[str, Mapping[str, Any]],
    newest: Mapping[str, Mapping[str, Any]],
    monitoring: MonitoringParameters,
) -> pd.DataFrame:
    """Compare binned features between training and now: one row per feature.

    `psi` is the population stability index, `psi_by_chance` its mean if nothing has changed.
    `test` is a two-sample test for equal distributions, with `statistic` and `p_value`.
    `p_adjusted` corrects p for the number of tests (Benjamini and Yekutieli 2001, for dependent
    tests). `alarm` is true if it is below `monitoring.false_alarms` and the PSI is at least
    `monitoring.psi`. If nothing has changed, at most this share of runs has any alarm. A clock,
    such as observed days, grows with the calendar and is not tested.
    """
    table = pd.DataFrame(
        [
            _compare_feature(name, then, newest[name], monitoring.psi_bins)
            for name, then in reference.items()
        ]
    )
    is_tested = (table["kind"] != CLOCK) & table["p_value"].notna()
    table["p_adjusted"] = np.nan
    if is_tested.any():
        p_values = table.loc[is_tested, "p_value"]
        table.loc[is_tested, "p_adjusted"] = stats.false_discovery_control(p_values, method="by")
    is_significant = table["p_adjusted"] < monitoring.false_alarms
    table["alarm"] = is_significant & (table["psi"] >= monitoring.psi)
    return table


def _compare_feature(
    name: str, then: Mapping[str, Any], now: Mapping[str, Any], groups: int
) -> dict[str, Any]:
    counts = np.array(then["counts"]), np.array(now["counts"])
    is_level = then["kind"] == LEVEL
    psi = by_chance = statistic = p_value = np.nan
    if all(sample.sum() for sample in counts):
        psi, by_chance = compute_psi(*counts, groups)
        statistic, p_value = (
            run_chi_square_test(*counts) if is_level else run_kolmogorov_smirnov_test(*counts)
        )
    return {
        "feature": name,
        "kind": then["kind"],
        "reference_customers": int(counts[0].sum()),
        "newest_customers": int(counts[1].sum()),
        "reference_mean": then["mean"],
        "newest_mean": now["mean"],
        "psi": psi,
        "psi_by_chance": by_chance,
        "test": "chi-square" if is_level else "Kolmogorov-Smirnov",
        "statistic": statistic,
        "p_value": p_value,
    }


def compute_psi(then: Counts, now: Counts, groups: int) -> tuple[float, float]:
    """Return the population stability index, and its mean if nothing has changed.

    The index sums (p - q) ln(p / q) over groups, with p their shares now and q those in training.
    Groups are neighbouring bins with about equal shares of the reference. By chance alone the
    index averages (groups - 1) (1/n + 1/m) between samples of n and m (Yurdakul and Naranjo 2020).
    With 200 customers each this is 0.09.
    """
    ends = np.searchsorted(then.cumsum() * groups, then.sum() * np.arange(1, groups))
    starts = np.unique([0, *(ends + 1)])
    starts = starts[starts < len(then)]
    grouped = np.array([np.add.reduceat(counts, starts) for counts in (now, then)])
    grouped = grouped[:, grouped.sum(axis=0) > 0]
    p, q = np.maximum(grouped, HALF) / grouped.sum(axis=1, keepdims=True)
    by_chance = (grouped.shape[1] - 1) * (1 / now.sum() + 1 / then.sum())
    return float(((p - q) * np.log(p / q)).sum()), float(by_chance)


def run_kolmogorov_smirnov_test(then: Counts, now: Counts) -> tuple[float, float]:
    """Return statistic and p value of the two-sample test on counts in the same ordered bins.

    All values in a bin count as equal. The statistic is too small by at most a bin's share, and p
    is too large: the test may miss a change, but raises no additional false alarms.
    """
    samples = (np.repeat(np.arange(len(counts)), counts) for counts in (then, now))
    result = stats.ks_2samp(*samples, method="asymp")
    return float(result.statistic), float(result.pvalue)


def run_chi_square_test(then: Counts, now: Counts) -> tuple[float, float]:
    """Return statistic and p value of the test that two rows of counts have the same shares."""
    counts = np.array([then, now])
    counts = counts[:, counts.sum(axis=0) > 0]
    if counts.shape[1] < 2:
        return 0.0, 1.0
    result = stats.chi2_contingency(counts)
    return float(result.statistic), float(result.pvalue)


def format_verdict(row: Mapping[Any, Any], limit: float) -> str:
    """Return a feature's verdict as text: its PSI relative to the limit for an alarm."""
    if row["alarm"]:
        return f"alarm: above {limit:g}, and more than chance"
    if row["kind"] == CLOCK:
        return "a clock: never an alarm"
    if pd.isna(row["psi"]):
        return "too little data"
    return format_chance(limit) if row["psi"] >= limit else f"below {limit:g}"


def format_chance(limit: float) -> str:
    """Return the verdict on a PSI that is above the limit but not significant."""
    return f"above {limit:g}, but no more than chance"
