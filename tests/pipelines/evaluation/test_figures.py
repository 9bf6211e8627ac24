import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sparkify.pipelines.evaluation import figures
from tests.figure_checks import get_subtitle, require_readable


def test_every_trial_is_drawn_with_its_log_loss_and_the_chosen_one_is_marked() -> None:
    cv_results = pd.DataFrame(
        {
            "trial": [2, 0, 1],
            "candidate": ["xgboost", "logistic_regression", "logistic_regression"],
            "settings": ["max_depth=2", "regParam=0.3, tol=0.1", "regParam=3, tol=0.1"],
            "average_precision": [0.2, 0.15, 0.14],
            "average_precision_error": [0.02, 0.01, 0.01],
            "log_loss": [0.12345, 0.2, 0.21],
        }
    )
    selected = {"trial": 1, "candidate": "logistic_regression"}
    figure = figures.draw_candidates(cv_results, selected)
    require_readable(figure)
    assert figure.get_suptitle().startswith("Chosen: logistic regression")
    (axes,) = figure.axes
    assert [label.get_text() for label in axes.get_yticklabels()] == [
        "logistic regression\nregParam=3",
        "logistic regression\nregParam=0.3",
        "xgboost",
    ]
    assert {"0.2000", "0.1235", "log loss"} <= {text.get_text() for text in axes.texts}
    chosen = axes.containers[0]
    assert chosen.get_label() == "chosen"
    assert list(chosen.lines[0].get_xdata()) == [0.14]


def test_groups_of_the_calibration_have_equal_expected_churners_and_ties_stay_together() -> None:
    predictions = pd.DataFrame(
        {
            "probability": [0.1, 0.1, 0.1, 0.1, 0.2, 0.2, 0.4, 0.8],
            "churned": [False, False, False, True, False, True, True, True],
        }
    )
    groups = figures._group_by_expected_churners(predictions, 5)
    columns = ["customers", "churned", "min", "max"]
    assert groups[columns].values.tolist() == [
        [4, 1, 0.1, 0.1],
        [2, 1, 0.2, 0.2],
        [1, 1, 0.4, 0.4],
        [1, 1, 0.8, 0.8],
    ]


def test_weights_of_an_input_and_its_product_are_in_one_row() -> None:
    names = ["songs", "is_paid", "songs, is_paid"]
    weights = pd.DataFrame({"feature": names, "weight": [0.5, -0.2, 0.1]})
    champion = {"champion": {"label": "logistic regression (regParam 0.1)"}}
    figure = figures.draw_weights(weights.assign(kind="coefficient"), champion)
    require_readable(figure)
    (axes,) = figure.axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["is paid", "songs"]
    (legend,) = figure.legends
    labels = [text.get_text() for text in legend.get_texts()]
    assert labels == ["the input", "in addition, times “is paid”"]


def test_importances_need_no_legend() -> None:
    weights = pd.DataFrame({"feature": ["a", "b"], "weight": [0.7, 0.3], "kind": "importance"})
    figure = figures.draw_weights(weights, {"champion": {"label": "random forest"}})
    require_readable(figure)
    assert not figure.legends


@pytest.mark.parametrize(
    ("outcome", "outcome_phrase", "forecast", "truth"),
    [
        ("cancellation", "cancelled", ["stays", "cancels"], ["stayed", "cancelled"]),
        ("downgrade", "downgraded", ["stays", "downgrades"], ["stayed", "downgraded"]),
        (
            "inactivity",
            "were not seen",
            ["is seen", "is not seen"],
            ["was seen", "was not seen"],
        ),
    ],
)
def test_figures_name_the_outcome(
    outcome: str, outcome_phrase: str, forecast: list[str], truth: list[str]
) -> None:
    predictions = pd.DataFrame({"churned": [True, False, False], "probability": [0.7, 0.6, 0.1]})
    metrics = {
        "source": "provided",
        "prediction_task": {
            "description": "2018-11-21",
            "outcome": outcome,
            "outcome_phrase": outcome_phrase,
        },
        "holdout": {"churned": 1, "users": 3, "threshold": 0.5},
    }

    def axes_of(figure: Figure) -> Axes:
        require_readable(figure)
        subtitle = get_subtitle(figure)
        assert f"1 of 3 customers {outcome_phrase} (provided log)" in subtitle
        return figure.axes[0]

    confusion = axes_of(figures.draw_confusion(predictions, metrics))
    assert [label.get_text() for label in confusion.get_xticklabels()] == forecast
    assert [label.get_text() for label in confusion.get_yticklabels()] == truth
    calibration = axes_of(figures.draw_calibration(predictions, metrics, 2))
    assert calibration.get_ylabel() == f"Share that {truth[1]}"


@pytest.mark.parametrize(
    ("interval", "subtitle"),
    [
        ([-240.0, 1380.0], "95 % interval of this profit: -$240 to $1,380"),
        (None, "95 % interval of this profit: too few to say"),
    ],
)
def test_the_profit_has_an_interval_in_dollars(interval: list[float] | None, subtitle: str) -> None:
    profit = {
        "contacted": range(4),
        "profit": [0, -1, 480, 470],
        "profit_low": [0, None, -240, -250] if interval else [float("nan")] * 4,
        "profit_high": [0, None, 1380, 1370] if interval else [float("nan")] * 4,
        "at_random": [0, 10, 20, 30],
        "most_songs": [0, 170, 160, 150],
    }
    in_use = {"contacted": 2, "profit": {"value": 480.0, "ci95": interval}, "threshold": 0.056}
    metrics = {
        "source": "simulated",
        "prediction_task": {"description": "2018-11-21", "outcome_phrase": "cancelled"},
        "holdout": {"churned": 1, "users": 3},
        "baselines": {"base_rate": {}, "most_songs": {}},
    }
    figure = figures.draw_profit(pd.DataFrame(profit), {"in_use": in_use}, metrics)
    require_readable(figure)
    assert figure.get_suptitle() == "2 contacts at the threshold: a profit of $480"
    assert get_subtitle(figure).endswith(subtitle)
    (axes,) = figure.axes
    assert "most songs first" in [line.get_label() for line in axes.lines]
