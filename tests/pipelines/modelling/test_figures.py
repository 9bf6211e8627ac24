import pandas as pd

from sparkify.pipelines.modelling import figures


def test_every_trial_is_drawn_with_what_it_costs_and_the_best_on_top() -> None:
    cv_results = pd.DataFrame(
        {
            "candidate": ["xgboost", "logistic_regression"],
            "settings": ["max_depth=2", "regParam=0.3"],
            "average_precision": [0.2, 0.15],
            "average_precision_error": [0.02, 0.01],
            "log_loss": [0.12345, 0.2],
            "trial": [1, 0],
        }
    )
    fit_times = pd.DataFrame({"trial": [0, 1], "fit_seconds": [0.5, 3.04]})
    figure = figures.candidates(cv_results, fit_times)
    figure.canvas.draw()
    (axes,) = figure.axes
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert labels == ["logistic regression\nregParam=0.3", "xgboost\nmax_depth=2"]
    assert [text.get_text().strip() for text in axes.texts] == [
        "log loss 0.2000, 0.5 s",
        "log loss 0.1235, 3.0 s",
    ]
    assert axes.get_xlim()[1] > 0.22
