import numpy as np
import pandas as pd
import pytest

from sparkify.ml import metrics as evaluation
from sparkify.ml.bootstrap import Bootstrap, estimate_metrics, flatten_estimates

ALL = evaluation.RANKING | evaluation.PROBABILITY | evaluation.CALIBRATION | evaluation.DECISION


@pytest.fixture(scope="module")
def predictions() -> pd.DataFrame:
    random = np.random.default_rng(1)
    probability = random.random(400) / 4
    return pd.DataFrame(
        {
            "user_id": [f"u{number % 200:03}" for number in range(400)],
            "cutoff": pd.to_datetime(["2018-11-14"] * 200 + ["2018-11-21"] * 200),
            "churned": random.random(400) < probability,
            "probability": probability,
            "predicted": probability > 0.15,
        }
    )


def create_predictions(churners: int, stayers: int) -> pd.DataFrame:
    """Return one row per user, with random probabilities and no predicted churner."""
    users = churners + stayers
    return pd.DataFrame(
        {
            "user_id": [str(place) for place in range(users)],
            "cutoff": pd.Timestamp("2018-11-21"),
            "churned": [True] * churners + [False] * stayers,
            "probability": np.random.default_rng(2).uniform(0.1, 0.3, users),
            "predicted": False,
        }
    )


def test_intervals_contain_the_value_and_narrow_with_more_users(predictions: pd.DataFrame) -> None:
    def width(rows: pd.DataFrame) -> float:
        estimate = estimate_metrics(rows, evaluation.RANKING, Bootstrap(200, 1, 5))["auc"]
        low, high = estimate["ci95"]
        assert low < estimate["value"] < high
        return high - low

    more = pd.concat([predictions.assign(user_id=predictions.user_id + tag) for tag in "abcd"])
    assert width(more) == pytest.approx(width(predictions) / 2, rel=0.3)


def test_rows_of_one_user_are_resampled_together(predictions: pd.DataFrame) -> None:
    doubled = pd.concat([predictions, predictions])
    once = estimate_metrics(predictions, evaluation.RANKING, Bootstrap(50, 1, 5))
    twice = estimate_metrics(doubled, evaluation.RANKING, Bootstrap(50, 1, 5))
    assert twice["auc"]["ci95"] == pytest.approx(once["auc"]["ci95"])


@pytest.mark.parametrize(
    ("churners", "stayers", "is_enough"), [(4, 40, False), (5, 40, True), (40, 4, False)]
)
def test_an_interval_needs_enough_churners_and_non_churners(
    churners: int, stayers: int, is_enough: bool
) -> None:
    estimates = estimate_metrics(
        create_predictions(churners, stayers), evaluation.RANKING, Bootstrap(50, 1, 5)
    )
    assert list(estimates) == ["auc", "average_precision", "lift_top_decile"]
    assert all(estimate["value"] >= 0 for estimate in estimates.values())
    assert [estimate["ci95"] is not None for estimate in estimates.values()] == [is_enough] * 3


def test_a_user_with_several_churned_rows_counts_once() -> None:
    rows = create_predictions(6, 40).assign(user_id=["a"] * 6 + [str(place) for place in range(40)])
    assert estimate_metrics(rows, evaluation.RANKING, Bootstrap(50, 1, 5))["auc"]["ci95"] is None


def test_a_metric_of_zero_in_every_resample_has_no_interval() -> None:
    estimates = estimate_metrics(create_predictions(20, 80), ALL, Bootstrap(50, 1, 5))
    without_interval = {name for name, estimate in estimates.items() if estimate["ci95"] is None}
    assert without_interval == {"precision", "recall", "f1"}
    assert estimates["precision"]["value"] == 0.0


def test_a_difference_may_be_zero_in_every_resample() -> None:
    rows = create_predictions(20, 80)
    estimates = evaluation.compare_forecasts(rows, rows, Bootstrap(50, 1, 5))
    assert estimates["auc"] == {"value": 0.0, "ci95": [0.0, 0.0]}


@pytest.mark.parametrize(("undefined", "has_interval"), [(0, True), (1, True), (2, False)])
def test_a_metric_undefined_in_many_resamples_has_no_interval(
    undefined: int, has_interval: bool
) -> None:
    values = iter([0.5, *[np.nan] * undefined, *np.linspace(0, 1, 50 - undefined)])
    metrics = {"slope": lambda *_: next(values)}
    estimates = estimate_metrics(create_predictions(20, 80), metrics, Bootstrap(50, 1, 5))["slope"]
    assert estimates["value"] == 0.5
    assert (estimates["ci95"] is not None) is has_interval


def test_an_undefined_value_is_none_in_json_and_nan_in_a_table() -> None:
    estimates = estimate_metrics(
        create_predictions(20, 80), {"slope": lambda *_: np.nan}, Bootstrap(5, 1, 5)
    )
    assert estimates == {"slope": {"value": None, "ci95": None}}
    row = flatten_estimates(estimates, "_cost")
    assert list(row) == ["slope_cost", "slope_low", "slope_high"]
    assert all(np.isnan(value) for value in row.values())
