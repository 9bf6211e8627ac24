import pandas as pd
import pytest

from sparkify.pipelines.modelling import selection


def test_the_threshold_has_the_best_f1() -> None:
    churned = pd.Series([False, False, True, False, True, True])
    probability = pd.Series([0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
    # Above 0.25: 3 of 4 right, none missed (F1 .857); above 0.45: 2 of 2, one missed (.8).
    assert selection.best_f1_threshold(churned, probability) == pytest.approx(0.25)


def test_a_constant_forecast_calls_everybody_a_churner() -> None:
    threshold = selection.best_f1_threshold(pd.Series([True, False]), pd.Series([0.1, 0.1]))
    assert 0 <= threshold < 0.1


def compared(*rows: tuple[int, float, float]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["trial", "average_precision", "standard_error"])
    return table.sort_values("average_precision", ascending=False, ignore_index=True)


def test_the_simplest_within_one_standard_error_wins() -> None:
    close = compared((0, 0.10, 0.02), (1, 0.13, 0.02), (2, 0.14, 0.02))
    assert selection.simplest_of_the_best(close) == 1
    apart = compared((0, 0.10, 0.02), (1, 0.11, 0.02), (2, 0.14, 0.02))
    assert selection.simplest_of_the_best(apart) == 2
