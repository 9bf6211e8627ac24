import pandas as pd
import pytest

from sparkify.figure_style import BAD, GOOD
from sparkify.pipelines.validation import figures
from tests.figure_checks import get_subtitle, require_readable

INTERVALS = {"auc_low": 0.6, "auc_high": 0.8, "average_precision_low": 0.1}
RANKING = {"auc": 0.7, "average_precision": 0.2, "average_precision_high": 0.3, **INTERVALS}


def test_every_cutoff_is_drawn_with_its_interval() -> None:
    rows = pd.DataFrame(
        [{"cutoff": day, "base_rate": 0.05, **RANKING} for day in ("2018-11-07", "2018-11-14")]
    )
    figure = figures.draw_rolling_origin(rows)
    require_readable(figure)
    auc, precision = figure.axes
    assert [label.get_text() for label in auc.get_xticklabels()] == ["07 Nov", "14 Nov"]
    assert auc.get_xlabel() == "Cutoff (2018)"
    assert precision.get_ylim()[0] == 0


def test_the_learning_curve_names_its_sizes() -> None:
    rows = pd.DataFrame(
        [{"users": size, "candidate": "xgboost", **RANKING} for size in (225, 225, 17_800)]
    )
    figure = figures.draw_learning_curve(rows)
    require_readable(figure)
    auc, _ = figure.axes
    assert [label.get_text() for label in auc.get_xticklabels()] == ["225", "17,800"]


@pytest.mark.parametrize(
    ("sizes", "message"), [([171], "only with 171 users"), ([], "with no number of users")]
)
def test_a_learning_curve_needs_two_sizes(sizes: list[int], message: str) -> None:
    rows = pd.DataFrame([{"users": size, "candidate": "xgboost", **RANKING} for size in sizes])
    figure = figures.draw_learning_curve(rows)
    require_readable(figure)
    assert message in get_subtitle(figure)


def test_without_a_cutoff_the_figure_says_so() -> None:
    figure = figures.draw_rolling_origin(pd.DataFrame())
    require_readable(figure)
    assert "No cutoff" in get_subtitle(figure)


def test_many_cutoffs_do_not_collide() -> None:
    days = pd.date_range("2018-01-03", periods=26, freq="7D").astype(str)
    rows = pd.DataFrame([{"cutoff": day, "base_rate": 0.05, **RANKING} for day in days])
    require_readable(figures.draw_rolling_origin(rows))


def test_a_remedy_that_was_left_out_is_not_drawn() -> None:
    values = {"average_precision": 0.14, "log_loss": 0.13, "expected_calibration_error": 0.004}
    bounds = {f"{name}_low": value / 2 for name, value in values.items()}
    metrics = {**values, **bounds, **{f"{name}_high": 2 * value for name, value in values.items()}}
    rows = pd.DataFrame(
        [
            {"candidate": "xgboost", "imbalance": "none", "left_out": None, **metrics},
            {"candidate": "xgboost", "imbalance": "smote", "left_out": "too many rows"},
        ]
    )
    figure = figures.draw_imbalance(rows)
    require_readable(figure)
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert labels == ["xgboost\nno correction"]
    assert [axes.get_xlabel().splitlines()[1] for axes in figure.axes] == [
        "(higher is better)",
        "(lower is better)",
        "(lower is better)",
    ]


def test_groups_are_drawn_with_their_loss() -> None:
    costs = {"auc_cost": 0.04, "auc_low": 0.02, "auc_high": 0.06}
    precision = {"average_precision_cost": 0.02, "average_precision_low": 0.0}
    precision["average_precision_high"] = 0.04
    loss = {"log_loss_cost": 0.001, "log_loss_low": 0.0, "log_loss_high": 0.002}
    rows = pd.DataFrame([{"group": "volume", **costs, **precision, **loss}])
    figure = figures.draw_feature_groups(rows)
    require_readable(figure)
    panel = figure.axes[0]
    assert [label.get_text() for label in panel.get_yticklabels()] == ["volume"]


@pytest.mark.parametrize(("sentences", "color"), [(["Do not trust it."], BAD), ([], GOOD)])
def test_the_verdict_of_the_audit_is_red_or_green(sentences: list[str], color: str) -> None:
    audit = {
        "warnings": sentences,
        "auc_of_exposure": 0.6,
        "auc_of_rates": 0.7,
        "identity": {"auc": 0.6},
        "feature_auc": {"next_song": 0.55},
    }
    figure = figures.draw_leakage(audit)
    require_readable(figure)
    assert figure.texts[1].get_color() == color
    assert (
        get_subtitle(figure)
        == (sentences or ["No value is above the limits in validation.leakage."])[0]
    )
    title = f"Leakage audit: {'1 sign' if sentences else 'no sign'} of leakage"
    assert figure.get_suptitle() == title
