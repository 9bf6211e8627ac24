from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from sparkify.pipelines.modelling.training_reference import count_in_bins, learn_bins
from sparkify.pipelines.monitoring import drift
from sparkify.pipelines.monitoring.parameters import MonitoringParameters

Counted = dict[str, Any]


def count_both(then: Any, now: Any, kind: str = "number") -> tuple[Counted, Counted]:
    """Return the reference's values, counted in its bins, and later ones in the same bins."""
    reference = learn_bins(np.asarray(then, float), {"kind": kind}, 100)
    return reference, count_in_bins(np.asarray(now, float), reference["edges"])


def get_counts(pair: tuple[Counted, Counted]) -> list[Any]:
    return [np.array(sample["counts"]) for sample in pair]


def test_the_index_is_the_published_sum_over_groups() -> None:
    then, now = np.array([50, 50, 0]), np.array([80, 20, 0])
    expected = 0.3 * np.log(0.8 / 0.5) - 0.3 * np.log(0.2 / 0.5)
    psi, by_chance = drift.compute_psi(then, now, 2)
    assert psi == pytest.approx(expected)
    assert by_chance == pytest.approx(1 / 100 + 1 / 100)


def test_neighbouring_bins_are_merged_into_groups_of_equal_share() -> None:
    then, now = np.array([1] * 20), np.array([2, 0] * 10)
    assert drift.compute_psi(then, now, 10)[0] == pytest.approx(0)
    assert drift.compute_psi(then, now, 20)[0] > 0.5


def test_the_index_by_chance_is_as_documented() -> None:
    random = np.random.default_rng(5)
    pairs = [count_both(random.normal(size=200), random.normal(size=200)) for _ in range(200)]
    result = [drift.compute_psi(*get_counts(pair), 10) for pair in pairs]
    psi, by_chance = np.mean(result, axis=0)
    assert by_chance == pytest.approx(0.09)
    assert psi == pytest.approx(0.09, abs=0.015)


def test_a_test_on_bins_is_close_to_the_exact_test_and_never_more_significant() -> None:
    random = np.random.default_rng(6)
    then, now = random.normal(size=500), random.normal(0.3, size=400)
    exact = stats.ks_2samp(then, now, method="asymp")
    statistic, p_value = drift.run_kolmogorov_smirnov_test(*get_counts(count_both(then, now)))
    assert exact.statistic - 0.01 <= statistic <= exact.statistic
    assert exact.pvalue <= p_value < 0.001


def test_levels_are_compared_by_chi_square() -> None:
    result = drift.run_chi_square_test(np.array([90, 10, 0]), np.array([60, 40, 0]))
    expected = stats.chi2_contingency([[90, 10], [60, 40]])
    assert result == (expected.statistic, expected.pvalue)
    assert drift.run_chi_square_test(np.array([9, 0]), np.array([5, 0])) == (0.0, 1.0)


def test_an_alarm_is_significant_and_large(monitoring: MonitoringParameters) -> None:
    random = np.random.default_rng(7)
    ones = random.normal(size=5_000)
    pairs = {
        "moved": count_both(ones, random.normal(1, size=5_000)),
        "significant_but_small": count_both(ones, random.normal(0.1, size=5_000)),
        "large_by_chance": count_both(ones[:30], random.normal(size=30)),
        "level_moved": count_both(ones > 0, ones > 1),
        "clock": count_both(ones, ones + 10, "clock"),
        "empty": count_both(ones, []),
    }
    then, now = ({name: pair[side] for name, pair in pairs.items()} for side in (0, 1))
    result = drift.compare_distributions(then, now, monitoring).set_index("feature")
    assert result.index[result["alarm"]].tolist() == ["moved", "level_moved"]
    small, chance = result.loc["significant_but_small"], result.loc["large_by_chance"]
    assert small["p_adjusted"] < 0.01
    assert small["psi"] < 0.1
    assert chance["psi"] > 0.1
    assert chance["p_adjusted"] > 0.01
    assert result.loc["clock", "psi"] > 1
    assert pd.isna(result.loc["clock", "p_adjusted"])
    assert pd.isna(result.loc["empty", "psi"])
    assert result["test"].to_dict()["level_moved"] == "chi-square"


@pytest.mark.parametrize(
    ("row", "verdict"),
    [
        ({"psi": 0.31, "alarm": True}, "alarm: above 0.1, and more than chance"),
        ({"psi": 0.25}, "above 0.1, but no more than chance"),
        ({"psi": 0.1}, "above 0.1, but no more than chance"),
        ({"psi": 0.0999}, "below 0.1"),
        ({"psi": None}, "too little data"),
        ({"psi": 9.0, "kind": "clock"}, "a clock: never an alarm"),
    ],
)
def test_a_verdict_names_the_side_of_the_limit_and_chance(row: Counted, verdict: str) -> None:
    assert drift.format_verdict({"kind": "number", "alarm": False} | row, 0.1) == verdict


def test_p_values_are_adjusted_for_many_tests(monitoring: MonitoringParameters) -> None:
    random = np.random.default_rng(8)
    pairs = [count_both(random.normal(size=300), random.normal(size=300)) for _ in range(100)]
    then, now = ({str(place): pair[side] for place, pair in enumerate(pairs)} for side in (0, 1))
    result = drift.compare_distributions(then, now, monitoring)
    assert result["p_value"].min() < 0.05
    assert result["p_adjusted"].min() > 0.05
