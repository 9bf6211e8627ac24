import json
from datetime import date
from typing import Any, NamedTuple

import pandas as pd
import pytest
from matplotlib.figure import Figure
from pyspark.ml import PipelineModel
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from sparkify.pipelines.evaluation import nodes
from sparkify.pipelines.evaluation.parameters import EvaluationParameters
from sparkify.pipelines.modelling import nodes as modelling_nodes
from sparkify.pipelines.modelling.parameters import InputParameters, ModellingParameters
from sparkify.schemas import PREDICTIONS
from tests.figure_checks import get_subtitle, require_readable

HOLDOUT = date(2018, 11, 21)
QUESTION = {
    "description": "2018-11-21, 10 days ahead",
    "outcome": "cancellation",
    "outcome_phrase": "cancelled",
}


class Evaluated(NamedTuple):
    """A model of `train`, evaluated at a later cutoff on some new users and some of `train`."""

    champion: dict[str, Any]
    model: PipelineModel
    predictions: tuple[DataFrame, DataFrame, DataFrame]  # training, hold-out, out of fold
    search: tuple[dict[str, Any], dict[str, Any], pd.DataFrame]
    evaluation: EvaluationParameters
    metrics: dict[str, Any]

    @property
    def held_out(self) -> DataFrame:
        return self.predictions[1]

    def evaluate(
        self, evaluation: EvaluationParameters, champion: dict[str, Any]
    ) -> dict[str, Any]:
        context = {"source": "simulated"}, QUESTION
        return nodes.evaluate_champion(
            evaluation, *self.predictions, *self.search, champion, *context
        )


@pytest.fixture(scope="module")
def test(train: DataFrame) -> DataFrame:
    """Return `train` at a later cutoff, a tenth of it as users that are never trained on."""
    is_trainable = ~F.col("user_id").endswith("7")
    later = train.where(F.col("cutoff") == F.lit(date(2018, 11, 7)))
    return later.withColumns({"cutoff": F.lit(HOLDOUT), "is_trainable": is_trainable})


@pytest.fixture(scope="module")
def evaluated(
    train: DataFrame,
    test: DataFrame,
    inputs: InputParameters,
    modelling: ModellingParameters,
    evaluation: EvaluationParameters,
) -> Evaluated:
    ranks = {"most_songs": "next_song", "longest_away": "days_since_last_seen"}
    settings = evaluation.model_copy(update={"baselines": ranks})
    out_of_fold = modelling_nodes.cross_validate(train, inputs, modelling).cache()
    cv_results, selected = modelling_nodes.select_candidate(out_of_fold, modelling)
    calibration = modelling_nodes.calibrate(out_of_fold, selected, modelling)
    model, champion = modelling_nodes.fit_selected(train, selected, calibration, inputs, modelling)
    trained, held_out = (
        nodes.predict_snapshots(rows, model, ranks).cache() for rows in (train, test)
    )
    predictions = trained, held_out, out_of_fold
    search = selected, calibration, cv_results
    made = Evaluated(champion, model, predictions, search, settings, {})
    return made._replace(metrics=made.evaluate(settings, champion))


def test_predictions_have_probabilities(evaluated: Evaluated) -> None:
    PREDICTIONS.validate(evaluated.held_out)
    rows = evaluated.held_out.toPandas()
    assert len(rows) == 80
    assert rows["probability"].between(0, 1, inclusive="neither").all()


def test_a_baseline_is_a_feature(evaluated: Evaluated, test: DataFrame) -> None:
    rows = evaluated.held_out.orderBy("user_id").toPandas()
    features = test.orderBy("user_id").toPandas()
    assert rows["baseline_most_songs"].equals(features["next_song"])
    assert rows["baseline_longest_away"].equals(features["days_since_last_seen"])


def test_metrics_cover_all_customers_and_users_held_out_of_training(
    evaluated: Evaluated,
) -> None:
    metrics = evaluated.metrics
    assert (metrics["source"], metrics["prediction_task"]) == ("simulated", QUESTION)
    assert metrics["champion"] == evaluated.champion
    assert (metrics["holdout"]["users"], metrics["held_out_users"]["users"]) == (80, 8)
    unseen = evaluated.held_out.where("not is_trainable").toPandas()
    assert metrics["held_out_users"]["churned"] == unseen["churned"].sum()
    assert set(metrics["held_out_users"]) == set(metrics["holdout"])
    json.dumps(metrics, allow_nan=False)


def test_out_of_fold_metrics_cover_all_training_cutoffs(evaluated: Evaluated) -> None:
    out_of_fold, holdout = evaluated.metrics["out_of_fold"], evaluated.metrics["holdout"]
    assert list(out_of_fold) == list(holdout)
    assert (out_of_fold["users"], out_of_fold["snapshots"]) == (80, 160)
    assert out_of_fold["churned"] == evaluated.metrics["train"]["churned"]
    assert out_of_fold["threshold"] == holdout["threshold"]
    low, high = out_of_fold["auc"]["ci95"]
    assert low < out_of_fold["auc"]["value"] < high


def test_weeks_have_the_expected_and_actual_churners_of_each_cutoff(evaluated: Evaluated) -> None:
    *training, holdout = evaluated.metrics["weeks"]
    assert [week["cutoff"] for week in training] == ["2018-10-31", "2018-11-07"]
    assert sum(week["churned"] for week in training) == evaluated.metrics["train"]["churned"]
    rows = evaluated.held_out.toPandas()
    assert holdout == {
        **{"cutoff": str(HOLDOUT), "customers": 80, "churned": rows["churned"].sum()},
        "expected": pytest.approx(rows["probability"].sum(), abs=0.05),
    }


def test_an_earlier_champion_has_no_out_of_fold_metrics(
    evaluated: Evaluated,
) -> None:
    earlier = {**evaluated.champion, "f1_threshold": 0.123}
    few = evaluated.evaluation.model_copy(update={"bootstrap_resamples": 2})
    metrics = evaluated.evaluate(few, earlier)
    assert "out_of_fold" not in metrics
    assert len(metrics["weeks"]) == 1


def test_the_parameters_of_the_evaluation_determine_the_threshold(
    evaluated: Evaluated,
) -> None:
    def evaluate(**decision: Any) -> tuple[dict[str, Any], int]:
        changed = evaluated.evaluation.decision.model_copy(update=decision)
        settings = evaluated.evaluation.model_copy(
            update={"decision": changed, "bootstrap_resamples": 2}
        )
        metrics = evaluated.evaluate(settings, evaluated.champion)
        weights = nodes.list_feature_weights(evaluated.model)
        figures = nodes.draw_holdout(evaluated.held_out, weights, metrics, 5)
        counts = [int(text.get_text().split()[0]) for text in figures[4].axes[0].texts]
        return metrics, counts[1] + counts[3]  # of the confusion matrix: predicted to churn

    by_f1, predicted_by_f1 = evaluate()
    assert by_f1["decision"]["threshold"] == evaluated.champion["f1_threshold"]
    assert by_f1["decision"]["threshold_by"] == "f1"
    gains = {"contact_success": 0.5, "kept_customer_value": 10}
    by_profit, predicted = evaluate(threshold="profit", contact_cost=1, **gains)
    probability = evaluated.held_out.toPandas()["probability"]
    assert by_profit["decision"] == {
        "threshold": 0.2,
        "threshold_by": "profit",
        "contact_cost": 1,
        **gains,
    }
    assert {by_profit[part]["threshold"] for part in ("holdout", "held_out_users", "train")} == {
        0.2
    }
    assert predicted == (probability >= 0.2).sum()
    assert predicted_by_f1 == (probability >= evaluated.champion["f1_threshold"]).sum()
    assert by_profit["holdout"]["recall"] != by_f1["holdout"]["recall"]
    assert by_profit["holdout"]["auc"] == by_f1["holdout"]["auc"]


def test_training_figures_have_no_intervals(evaluated: Evaluated) -> None:
    trained, held_out = evaluated.metrics["train"], evaluated.metrics["holdout"]
    assert (trained["users"], trained["snapshots"]) == (80, 160)
    metrics = [name for name, metric in held_out.items() if isinstance(metric, dict)]
    assert all(set(held_out[name]) == {"value", "ci95"} for name in metrics)
    assert all(set(trained[name]) == {"value"} for name in metrics)


def test_the_base_rate_of_training_is_a_baseline(evaluated: Evaluated) -> None:
    base_rate = evaluated.metrics["train"]["base_rate"]
    churned = evaluated.held_out.toPandas()["churned"]
    brier = ((churned - base_rate) ** 2).mean()
    assert set(evaluated.metrics["baselines"]) == {"base_rate", "longest_away", "most_songs"}
    brier_of_base_rate = evaluated.metrics["baselines"]["base_rate"]["brier"]["value"]
    assert brier_of_base_rate == pytest.approx(brier)


def test_figures_are_drawn_without_pyplot(evaluated: Evaluated) -> None:
    weights = nodes.list_feature_weights(evaluated.model)
    figures = nodes.draw_holdout(evaluated.held_out, weights, evaluated.metrics, 5)
    assert len(figures) == 6
    for figure in figures:
        assert isinstance(figure, Figure)
        require_readable(figure)
    churned = evaluated.metrics["holdout"]["churned"]
    assert get_subtitle(figures[0]) == (
        f"Hold-out 2018-11-21, 10 days ahead: {churned} of 80 customers cancelled (simulated log)"
    )
