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

HOLDOUT = date(2018, 11, 21)
QUESTION = {
    "asked": "2018-11-21, 10 days ahead",
    "outcome": "cancellation",
    "happened": "cancelled",
}


class Evaluated(NamedTuple):
    """A model of `train`, evaluated on other users and some of the same at a later cutoff."""

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
        asked = {"source": "simulated"}, QUESTION
        return nodes.evaluate_champion(
            evaluation, *self.predictions, *self.search, champion, *asked
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


def test_predictions_have_the_model_s_probability(evaluated: Evaluated) -> None:
    PREDICTIONS.validate(evaluated.held_out)
    rows = evaluated.held_out.toPandas()
    assert len(rows) == 80
    assert rows["probability"].between(0, 1, inclusive="neither").all()


def test_a_baseline_is_a_feature(evaluated: Evaluated, test: DataFrame) -> None:
    rows = evaluated.held_out.orderBy("user_id").toPandas()
    features = test.orderBy("user_id").toPandas()
    assert rows["baseline_most_songs"].equals(features["next_song"])
    assert rows["baseline_longest_away"].equals(features["days_since_last_seen"])


def test_metrics_are_of_all_customers_and_of_users_held_out_of_training(
    evaluated: Evaluated,
) -> None:
    metrics = evaluated.metrics
    assert (metrics["source"], metrics["question"]) == ("simulated", QUESTION)
    assert metrics["champion"] == evaluated.champion
    assert (metrics["holdout"]["users"], metrics["unseen_users"]["users"]) == (80, 8)
    unseen = evaluated.held_out.where("not is_trainable").toPandas()
    assert metrics["unseen_users"]["churned"] == unseen["churned"].sum()
    assert set(metrics["unseen_users"]) == set(metrics["holdout"])
    json.dumps(metrics, allow_nan=False)


def test_metrics_out_of_fold_are_of_all_training_weeks(evaluated: Evaluated) -> None:
    out_of_fold, holdout = evaluated.metrics["out_of_fold"], evaluated.metrics["holdout"]
    assert list(out_of_fold) == list(holdout)
    assert (out_of_fold["users"], out_of_fold["snapshots"]) == (80, 160)
    assert out_of_fold["churned"] == evaluated.metrics["train"]["churned"]
    assert out_of_fold["threshold"] == holdout["threshold"]
    low, high = out_of_fold["auc"]["ci95"]
    assert low < out_of_fold["auc"]["value"] < high


def test_metrics_out_of_fold_are_left_out_for_a_champion_of_an_earlier_training(
    evaluated: Evaluated,
) -> None:
    earlier = {**evaluated.champion, "f1_threshold": 0.123}
    few = evaluated.evaluation.model_copy(update={"bootstrap_resamples": 2})
    assert "out_of_fold" not in evaluated.evaluate(few, earlier)


def test_a_threshold_is_a_decision_of_the_evaluation_and_not_of_the_model(
    evaluated: Evaluated,
) -> None:
    def evaluate(**decision: Any) -> tuple[dict[str, Any], int]:
        changed = evaluated.evaluation.decision.model_copy(update=decision)
        settings = evaluated.evaluation.model_copy(
            update={"decision": changed, "bootstrap_resamples": 2}
        )
        metrics = evaluated.evaluate(settings, evaluated.champion)
        weights = nodes.list_feature_weights(evaluated.model)
        drawn = nodes.draw_holdout(evaluated.held_out, weights, metrics, 5)
        counts = [int(text.get_text().split()[0]) for text in drawn[4].axes[0].texts]
        return metrics, counts[1] + counts[3]  # of the confusion matrix: predicted to churn

    by_f1, predicted_by_f1 = evaluate()
    assert by_f1["decision"]["threshold"] == evaluated.champion["f1_threshold"]
    assert by_f1["decision"]["threshold_by"] == "f1"
    worth = {"contact_success": 0.5, "kept_customer_value": 10}
    by_profit, predicted = evaluate(threshold="profit", contact_cost=1, **worth)
    probability = evaluated.held_out.toPandas()["probability"]
    assert by_profit["decision"] == {
        "threshold": 0.2,
        "threshold_by": "profit",
        "contact_cost": 1,
        **worth,
    }
    assert {by_profit[part]["threshold"] for part in ("holdout", "unseen_users", "train")} == {0.2}
    assert predicted == (probability >= 0.2).sum()
    assert predicted_by_f1 == (probability >= evaluated.champion["f1_threshold"]).sum()
    assert by_profit["holdout"]["recall"] != by_f1["holdout"]["recall"]
    assert by_profit["holdout"]["auc"] == by_f1["holdout"]["auc"]


def test_training_figures_have_no_intervals(evaluated: Evaluated) -> None:
    trained, held_out = evaluated.metrics["train"], evaluated.metrics["holdout"]
    assert (trained["users"], trained["snapshots"]) == (80, 160)
    figures = [name for name, figure in held_out.items() if isinstance(figure, dict)]
    assert all(set(held_out[name]) == {"value", "ci95"} for name in figures)
    assert all(set(trained[name]) == {"value"} for name in figures)


def test_the_base_rate_of_training_is_a_baseline(evaluated: Evaluated) -> None:
    base_rate = evaluated.metrics["train"]["base_rate"]
    churned = evaluated.held_out.toPandas()["churned"]
    brier = ((churned - base_rate) ** 2).mean()
    assert set(evaluated.metrics["baselines"]) == {"base_rate", "longest_away", "most_songs"}
    found = evaluated.metrics["baselines"]["base_rate"]["brier"]["value"]
    assert found == pytest.approx(brier)


def test_figures_are_drawn_without_pyplot(evaluated: Evaluated) -> None:
    weights = nodes.list_feature_weights(evaluated.model)
    drawn = nodes.draw_holdout(evaluated.held_out, weights, evaluated.metrics, 5)
    assert len(drawn) == 6
    for figure in drawn:
        assert isinstance(figure, Figure)
        assert figure.get_suptitle()
        (axes,) = figure.axes
        assert axes.get_xlabel()
    churned = evaluated.metrics["holdout"]["churned"]
    assert drawn[0].axes[0].get_title(loc="left") == (
        f"Hold-out 2018-11-21, 10 days ahead: {churned} of 80 customers cancelled (simulated log)"
    )
