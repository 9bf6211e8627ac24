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


def churning(churners: int, others: int) -> pd.DataFrame:
    """Return rows of one user each, ranked by chance, of whom none is called a churner."""
    users = churners + others
    return pd.DataFrame(
        {
            "user_id": [str(place) for place in range(users)],
            "cutoff": pd.Timestamp("2018-11-21"),
            "churned": [True] * churners + [False] * others,
            "probability": np.random.default_rng(2).uniform(0.1, 0.3, users),
            "predicted": False,
        }
    )


def test_intervals_hold_the_value_and_narrow_with_users(predictions: pd.DataFrame) -> None:
    def width(rows: pd.DataFrame) -> float:
        figure = estimate_metrics(rows, evaluation.RANKING, Bootstrap(200, 1, 5))["auc"]
        low, high = figure["ci95"]
        assert low < figure["value"] < high
        return high - low

    more = pd.concat([predictions.assign(user_id=predictions.user_id + tag) for tag in "abcd"])
    assert width(more) == pytest.approx(width(predictions) / 2, rel=0.3)


def test_rows_of_one_user_are_drawn_together(predictions: pd.DataFrame) -> None:
    doubled = pd.concat([predictions, predictions])
    once = estimate_metrics(predictions, evaluation.RANKING, Bootstrap(50, 1, 5))
    twice = estimate_metrics(doubled, evaluation.RANKING, Bootstrap(50, 1, 5))
    assert twice["auc"]["ci95"] == pytest.approx(once["auc"]["ci95"])


@pytest.mark.parametrize(
    ("churners", "others", "is_enough"), [(4, 40, False), (5, 40, True), (40, 4, False)]
)
def test_an_interval_needs_users_who_churned_and_users_who_did_not(
    churners: int, others: int, is_enough: bool
) -> None:
    figures = estimate_metrics(churning(churners, others), evaluation.RANKING, Bootstrap(50, 1, 5))
    assert list(figures) == ["auc", "average_precision", "lift_top_decile"]
    assert all(figure["value"] >= 0 for figure in figures.values())
    assert [figure["ci95"] is not None for figure in figures.values()] == [is_enough] * 3


def test_one_user_s_snapshots_are_one_churner() -> None:
    rows = churning(6, 40).assign(user_id=["a"] * 6 + [str(place) for place in range(40)])
    assert estimate_metrics(rows, evaluation.RANKING, Bootstrap(50, 1, 5))["auc"]["ci95"] is None


def test_what_is_zero_in_every_resample_has_no_interval() -> None:
    figures = estimate_metrics(churning(20, 80), ALL, Bootstrap(50, 1, 5))
    without = {name for name, figure in figures.items() if figure["ci95"] is None}
    assert without == {"precision", "recall", "f1"}
    assert figures["precision"]["value"] == 0.0


def test_a_difference_may_be_zero_in_every_resample() -> None:
    rows = churning(20, 80)
    figures = evaluation.compare_forecasts(rows, rows, Bootstrap(50, 1, 5))
    assert figures["auc"] == {"value": 0.0, "ci95": [0.0, 0.0]}


@pytest.mark.parametrize(("undefined", "has_interval"), [(0, True), (1, True), (2, False)])
def test_a_metric_that_resamples_do_not_define_has_no_interval(
    undefined: int, has_interval: bool
) -> None:
    values = iter([0.5, *[np.nan] * undefined, *np.linspace(0, 1, 50 - undefined)])
    metrics = {"slope": lambda *_: next(values)}
    figures = estimate_metrics(churning(20, 80), metrics, Bootstrap(50, 1, 5))["slope"]
    assert figures["value"] == 0.5
    assert (figures["ci95"] is not None) is has_interval


def test_a_value_that_is_not_defined_is_none_in_json_and_nan_in_a_table() -> None:
    figures = estimate_metrics(churning(20, 80), {"slope": lambda *_: np.nan}, Bootstrap(5, 1, 5))
    assert figures == {"slope": {"value": None, "ci95": None}}
    row = flatten_estimates(figures, "_cost")
    assert list(row) == ["slope_cost", "slope_low", "slope_high"]
    assert all(np.isnan(value) for value in row.values())
