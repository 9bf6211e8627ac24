import pandas as pd
import pytest
from matplotlib.figure import Figure

from sparkify.pipelines.validation import figures, nodes


def list_texts(figure: Figure) -> str:
    axes = [text.get_text() for panel in figure.axes for text in panel.texts]
    titles = [panel.get_title(loc="left") for panel in figure.axes]
    return " ".join([*axes, *titles])


INTERVALS = {"auc_low": 0.6, "auc_high": 0.8, "average_precision_low": 0.1}
RANKING = {"auc": 0.7, "average_precision": 0.2, "average_precision_high": 0.3, **INTERVALS}


def test_every_cutoff_is_drawn_with_its_interval() -> None:
    rows = pd.DataFrame(
        [{"cutoff": day, "base_rate": 0.05, **RANKING} for day in ("2018-11-07", "2018-11-14")]
    )
    auc, precision = nodes.draw_rolling_origin(rows).axes
    assert [label.get_text() for label in auc.get_xticklabels()] == ["2018-11-07", "2018-11-14"]
    assert precision.get_ylim()[0] == 0


def test_the_learning_curve_names_its_sizes() -> None:
    rows = pd.DataFrame(
        [{"users": size, "candidate": "xgboost", **RANKING} for size in (225, 225, 17_800)]
    )
    auc, _ = nodes.draw_learning_curve(rows).axes
    assert [label.get_text() for label in auc.get_xticklabels()] == ["225", "17,800"]


def test_a_remedy_that_was_left_out_is_not_drawn() -> None:
    metrics = {"average_precision": 0.14, "log_loss": 0.13, "expected_calibration_error": 0.004}
    rows = pd.DataFrame(
        [
            {"candidate": "xgboost", "imbalance": "none", "left_out": None, **metrics},
            {"candidate": "xgboost", "imbalance": "smote", "left_out": "too many rows"},
        ]
    )
    panel = nodes.draw_imbalance(rows).axes[0]
    assert [label.get_text() for label in panel.get_yticklabels()] == ["xgboost\nnone"]


def test_groups_are_drawn_with_their_loss() -> None:
    costs = {"auc_cost": 0.04, "auc_low": 0.02, "auc_high": 0.06}
    precision = {"average_precision_cost": 0.02, "average_precision_low": 0.0}
    precision["average_precision_high"] = 0.04
    loss = {"log_loss_cost": 0.001, "log_loss_low": 0.0, "log_loss_high": 0.002}
    rows = pd.DataFrame([{"group": "volume", **costs, **precision, **loss}])
    panel = nodes.draw_feature_groups(rows).axes[0]
    assert [label.get_text() for label in panel.get_yticklabels()] == ["volume"]


@pytest.mark.parametrize(
    ("sentences", "color"), [(["Do not trust it."], figures.BAD), ([], figures.GOOD)]
)
def test_the_verdict_of_the_audit_is_red_or_green(sentences: list[str], color: str) -> None:
    audit = {
        "warnings": sentences,
        "auc_of_exposure": 0.6,
        "auc_of_rates": 0.7,
        "identity": {"auc": 0.6},
        "feature_auc": {"next_song": 0.55},
    }
    figure = nodes.draw_leakage(audit)
    title = figure.axes[0]._left_title  # the one that is set
    assert title.get_color() == color
    assert (sentences or ["No sign of leakage in this table."])[0] in list_texts(figure)
