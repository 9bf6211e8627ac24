import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sparkify.pipelines.evaluation import figures


def test_every_trial_is_drawn_with_its_log_loss_and_the_best_on_top() -> None:
    cv_results = pd.DataFrame(
        {
            "candidate": ["xgboost", "logistic_regression"],
            "settings": ["max_depth=2", "regParam=0.3"],
            "average_precision": [0.2, 0.15],
            "average_precision_error": [0.02, 0.01],
            "log_loss": [0.12345, 0.2],
        }
    )
    figure = figures.draw_candidates(cv_results)
    figure.canvas.draw()
    (axes,) = figure.axes
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert labels == ["logistic regression\nregParam=0.3", "xgboost\nmax_depth=2"]
    assert [text.get_text().strip() for text in axes.texts] == [
        "log loss 0.2000",
        "log loss 0.1235",
    ]
    assert axes.get_xlim()[1] > 0.22


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
        figure.canvas.draw()
        return figure.axes[0]

    confusion = axes_of(figures.draw_confusion(predictions, metrics))
    assert [label.get_text() for label in confusion.get_xticklabels()] == forecast
    assert [label.get_text() for label in confusion.get_yticklabels()] == truth
    assert f"1 of 3 customers {outcome_phrase} (provided log)" in confusion.get_title(loc="left")
    calibration = axes_of(figures.draw_calibration(predictions, metrics, 2))
    assert calibration.get_ylabel() == f"Share that {truth[1]}"
