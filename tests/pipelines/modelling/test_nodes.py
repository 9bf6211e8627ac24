import json
from datetime import date, timedelta
from typing import Any, NamedTuple

import pandas as pd
import pytest
from matplotlib.figure import Figure
from pyspark.ml import PipelineModel
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from sparkify.pipelines.modelling import nodes, weights
from sparkify.pipelines.modelling.folds import is_trainable
from sparkify.pipelines.modelling.parameters import InputParameters, ModellingParameters
from sparkify.schemas import KEYS, MODEL_INPUT, PREDICTIONS

HOLDOUT = date(2018, 11, 21)
CUTOFFS = [HOLDOUT - timedelta(days=7 * week) for week in range(4)]
USERS = [f"u{number}" for number in range(30)]
QUESTION = {
    "asked": "2018-11-21, 10 days ahead",
    "outcome": "cancellation",
    "happened": "cancelled",
}


def snapshots(spark: SparkSession, churners: list[str], cutoffs: list[date] = CUTOFFS) -> DataFrame:
    """Return all users at all cutoffs; those named churn after each of `cutoffs`."""
    rows = [
        (user, cutoff, user in churners and cutoff in cutoffs)
        for cutoff in CUTOFFS
        for user in USERS
    ]
    return spark.createDataFrame(rows, "user_id string, cutoff date, churned boolean")


def columns(parameters: dict[str, Any]) -> tuple[Any, ...]:
    settings = parameters["feature_engineering"]
    return settings.pages, settings.by_level, settings.windowed, settings.windows_days


def split(
    taken: DataFrame, parameters: dict[str, Any], missing_pages: dict[str, str] | None = None
) -> tuple[DataFrame, DataFrame, dict[str, Any]]:
    names = parameters["feature_engineering"].feature_columns
    described = taken.select(*KEYS, *[F.lit(0.0).alias(name) for name in names])
    settings = (parameters["modelling"], parameters["feature_engineering"])
    summary = {"missing_pages": missing_pages or {}}
    return nodes.train_test(described, taken, summary, *settings)


def users(rows: DataFrame) -> set[str]:
    return {row["user_id"] for row in rows.select("user_id").distinct().collect()}


@pytest.fixture(scope="module")
def trainable(spark: SparkSession, parameters: dict[str, Any]) -> set[str]:
    """Return those of USERS that models may learn from."""
    everybody = spark.createDataFrame([(user,) for user in USERS], ["user_id"])
    return users(everybody.where(is_trainable(parameters["modelling"])))


def test_no_training_label_overlaps_the_holdout(
    spark: SparkSession, parameters: dict[str, Any]
) -> None:
    train, test, question = split(snapshots(spark, USERS[:9]), parameters)
    for rows in (train, test):
        MODEL_INPUT.validate(rows)
    cutoffs = sorted(row["cutoff"] for row in train.select("cutoff").distinct().collect())
    # 2018-11-14 + 10 days reaches beyond the hold-out's cutoff, 2018-11-07 + 10 does not.
    assert cutoffs == [date(2018, 10, 31), date(2018, 11, 7)]
    assert {row["cutoff"] for row in test.collect()} == {HOLDOUT}
    assert question == {
        "asked": "2018-11-21, 10 days ahead",
        "cutoff": "2018-11-21",
        "horizon_days": 10,
        "outcome": "cancellation",
        "happened": "cancelled",
        "train_cutoffs": ["2018-10-31", "2018-11-07"],
    }


def test_inactivity_is_asked_of_a_log_without_any_outcome_page(
    spark: SparkSession, parameters: dict[str, Any]
) -> None:
    asked = parameters["feature_engineering"].model_copy(update={"outcome": "inactivity"})
    *_, question = split(
        snapshots(spark, USERS[:9]),
        {**parameters, "feature_engineering": asked},
        {"feature_engineering.cancellation_page": "x", "pages.submit_downgrade": "y"},
    )
    assert question == {
        "asked": "2018-11-21, 10 days ahead",
        "cutoff": "2018-11-21",
        "horizon_days": 10,
        "outcome": "inactivity",
        "active_within_days": 30,
        "happened": "were not seen",
        "train_cutoffs": ["2018-10-31", "2018-11-07"],
    }


def test_users_that_are_never_trained_on_are_in_the_holdout_alone(
    spark: SparkSession, parameters: dict[str, Any], trainable: set[str]
) -> None:
    train, test, _ = split(snapshots(spark, USERS[:9]), parameters)
    assert 0 < len(trainable) < len(USERS)
    assert users(train) == trainable
    assert users(test) == set(USERS)
    assert users(test.where("is_trainable")) == trainable
    assert train.count() == 2 * len(trainable)
    assert test.count() == len(USERS)


@pytest.mark.parametrize(("churners", "in_training"), [(0, 0), (2, 4)])
def test_too_few_churners_are_an_error_with_the_counts(
    spark: SparkSession,
    parameters: dict[str, Any],
    trainable: set[str],
    churners: int,
    in_training: int,
) -> None:
    some = sorted(trainable)[:churners]
    with pytest.raises(nodes.TooLittleDataError) as told:
        split(snapshots(spark, some), parameters)
    assert str(told.value) == (
        f"{in_training} churners in {2 * len(trainable)} training snapshots of 2 cutoffs, "
        f"and {churners} among 30 users on the hold-out 2018-11-21: too few to train and judge a "
        f"model. At least 10 (modelling.min_train_churned) and 3 (modelling.min_holdout_churned) "
        f"are asked for; use a log of more users or days."
    )


def test_churners_that_are_never_trained_on_do_not_count_as_training_s(
    spark: SparkSession, parameters: dict[str, Any], trainable: set[str]
) -> None:
    unseen = sorted(set(USERS) - trainable)
    with pytest.raises(nodes.TooLittleDataError, match=r"^0 churners in .* and [3-9] among"):
        split(snapshots(spark, unseen), parameters)


def test_a_holdout_without_enough_churners_is_refused(
    spark: SparkSession, parameters: dict[str, Any]
) -> None:
    with pytest.raises(nodes.TooLittleDataError, match="and 0 among 30 users on the hold-out"):
        split(snapshots(spark, USERS, CUTOFFS[1:]), parameters)


def test_more_folds_than_churners_are_refused_before_anything_is_fitted(
    spark: SparkSession, parameters: dict[str, Any], trainable: set[str]
) -> None:
    many = parameters["modelling"].model_copy(update={"folds": 50})
    churners = [*sorted(trainable)[:9], *sorted(set(USERS) - trainable)]
    with pytest.raises(nodes.TooLittleDataError) as told:
        split(snapshots(spark, churners), {**parameters, "modelling": many})
    assert str(told.value) == (
        "modelling.folds is 50; allowed: at most 9, the users who churned; or use a log of more "
        "users or days."
    )


def test_a_share_that_keeps_nobody_out_of_training_is_refused(
    spark: SparkSession, parameters: dict[str, Any]
) -> None:
    small = parameters["modelling"].model_copy(update={"unseen_user_share": 0.001})
    with pytest.raises(nodes.TooLittleDataError) as told:
        split(snapshots(spark, USERS[:9]), {**parameters, "modelling": small})
    assert str(told.value) == (
        "modelling.unseen_user_share is 0.001; allowed: a share that keeps some and not all of "
        "the 30 users of the hold-out out of training, which now has 30 of them; or use a log of "
        "more users."
    )


class Judged(NamedTuple):
    """A champion of `train`, judged on other users and some of the same at a later cutoff."""

    compared: pd.DataFrame
    chosen: dict[str, Any]
    model: PipelineModel
    train_predictions: DataFrame
    test_predictions: DataFrame
    metrics: dict[str, Any]
    modelling: ModellingParameters


@pytest.fixture(scope="module")
def test(train: DataFrame) -> DataFrame:
    """Return `train` at a later cutoff, a tenth of it as users that are never trained on."""
    is_trainable = ~F.col("user_id").endswith("7")
    later = train.where(F.col("cutoff") == F.lit(date(2018, 11, 7)))
    return later.withColumns({"cutoff": F.lit(HOLDOUT), "is_trainable": is_trainable})


@pytest.fixture(scope="module")
def judged(
    train: DataFrame, test: DataFrame, inputs: InputParameters, modelling: ModellingParameters
) -> Judged:
    ranks = {"most_songs": "next_song", "longest_away": "days_since_last_seen"}
    settings = modelling.model_copy(update={"baselines": ranks})
    compared, _, chosen, model = nodes.champion(train, inputs, settings)
    trained = nodes.predictions(train, model, settings).cache()
    held_out = nodes.predictions(test, model, settings).cache()
    quality = {"source": "simulated"}
    metrics = nodes.metrics(trained, held_out, compared, chosen, quality, QUESTION, settings)
    return Judged(compared, chosen, model, trained, held_out, metrics, settings)


def test_the_champion_says_what_it_is(judged: Judged) -> None:
    assert list(judged.compared["settings"]) == ["regParam=0.3, tol=0.0001"]
    assert judged.chosen == {
        "candidate": "logistic_regression",
        "settings": {"regParam": 0.3, "tol": 0.0001},
        "label": "logistic regression (regParam 0.3, tol 0.0001)",
        "imbalance": "none",
        "calibration": judged.chosen["calibration"],
        "f1_threshold": judged.chosen["f1_threshold"],
    }
    assert judged.chosen["calibration"] in judged.modelling.calibrations
    assert 0 < judged.chosen["f1_threshold"] < 1


def test_a_row_s_forecast_is_the_model_s_alone(judged: Judged) -> None:
    PREDICTIONS.validate(judged.test_predictions)
    rows = judged.test_predictions.toPandas()
    assert len(rows) == 80
    assert rows["probability"].between(0, 1, inclusive="neither").all()


def test_a_baseline_is_a_feature(judged: Judged, test: DataFrame) -> None:
    rows = judged.test_predictions.orderBy("user_id").toPandas()
    features = test.orderBy("user_id").toPandas()
    assert rows["baseline_most_songs"].equals(features["next_song"])
    assert rows["baseline_longest_away"].equals(features["days_since_last_seen"])


def test_the_same_rows_give_the_same_champion_in_any_partitions(
    judged: Judged, train: DataFrame, inputs: InputParameters
) -> None:
    compared, _, chosen, model = nodes.champion(train.repartition(3), inputs, judged.modelling)
    assert chosen == {**judged.chosen, "f1_threshold": pytest.approx(judged.chosen["f1_threshold"])}
    pd.testing.assert_frame_equal(compared, judged.compared)
    again = nodes.predictions(train, model, judged.modelling).orderBy(*KEYS).toPandas()
    before = judged.train_predictions.orderBy(*KEYS).toPandas()
    assert (again["probability"] - before["probability"]).abs().max() < 1e-9


def test_metrics_are_of_all_customers_and_of_those_that_no_model_has_seen(judged: Judged) -> None:
    metrics = judged.metrics
    assert (metrics["source"], metrics["question"]) == ("simulated", QUESTION)
    assert metrics["champion"] == judged.chosen
    assert (metrics["holdout"]["users"], metrics["unseen_users"]["users"]) == (80, 8)
    unseen = judged.test_predictions.where("not is_trainable").toPandas()
    assert metrics["unseen_users"]["churned"] == unseen["churned"].sum()
    assert set(metrics["unseen_users"]) == set(metrics["holdout"])
    json.dumps(metrics, allow_nan=False)


def test_a_threshold_is_a_decision_of_the_evaluation_and_not_of_the_model(judged: Judged) -> None:
    def evaluated(**decision: Any) -> tuple[dict[str, Any], int]:
        asked = judged.modelling.decision.model_copy(update=decision)
        settings = judged.modelling.model_copy(update={"decision": asked, "bootstrap_resamples": 2})
        tables = judged.train_predictions, judged.test_predictions, judged.compared
        given = *tables, judged.chosen, {"source": "simulated"}, QUESTION, settings
        metrics = nodes.metrics(*given)
        weighed = weights.feature_weights(judged.model)
        drawn = nodes.holdout_figures(judged.test_predictions, weighed, metrics, settings)
        counts = [int(text.get_text().split()[0]) for text in drawn[4].axes[0].texts]
        return metrics, counts[1] + counts[3]  # of the confusion matrix: called churners

    by_f1, called_by_f1 = evaluated()
    assert by_f1["decision"]["threshold"] == judged.chosen["f1_threshold"]
    assert by_f1["decision"]["threshold_by"] == "f1"
    worth = {"contact_success": 0.5, "kept_customer_value": 10}
    by_profit, called = evaluated(threshold="profit", contact_cost=1, **worth)
    probability = judged.test_predictions.toPandas()["probability"]
    assert by_profit["decision"] == {
        "threshold": 0.2,
        "threshold_by": "profit",
        "contact_cost": 1,
        **worth,
    }
    assert {by_profit[part]["threshold"] for part in ("holdout", "unseen_users", "train")} == {0.2}
    assert called == (probability >= 0.2).sum()
    assert called_by_f1 == (probability >= judged.chosen["f1_threshold"]).sum()
    assert by_profit["holdout"]["recall"] != by_f1["holdout"]["recall"]
    assert by_profit["holdout"]["auc"] == by_f1["holdout"]["auc"]


def test_training_figures_have_no_intervals(judged: Judged) -> None:
    trained, held_out = judged.metrics["train"], judged.metrics["holdout"]
    assert (trained["users"], trained["snapshots"]) == (80, 160)
    figures = [name for name, figure in held_out.items() if isinstance(figure, dict)]
    assert all(set(held_out[name]) == {"value", "ci95"} for name in figures)
    assert all(set(trained[name]) == {"value"} for name in figures)


def test_the_base_rate_of_training_is_a_baseline(judged: Judged) -> None:
    base_rate = judged.metrics["train"]["base_rate"]
    churned = judged.test_predictions.toPandas()["churned"]
    brier = ((churned - base_rate) ** 2).mean()
    assert set(judged.metrics["baselines"]) == {"base_rate", "longest_away", "most_songs"}
    found = judged.metrics["baselines"]["base_rate"]["brier"]["value"]
    assert found == pytest.approx(brier)


def test_figures_are_drawn_without_pyplot(judged: Judged) -> None:
    weighed = weights.feature_weights(judged.model)
    drawn = nodes.holdout_figures(
        judged.test_predictions, weighed, judged.metrics, judged.modelling
    )
    assert len(drawn) == 6
    for figure in drawn:
        assert isinstance(figure, Figure)
        assert figure.get_suptitle()
        (axes,) = figure.axes
        assert axes.get_xlabel()
    churned = judged.metrics["holdout"]["churned"]
    assert drawn[0].axes[0].get_title(loc="left") == (
        f"Hold-out 2018-11-21, 10 days ahead: {churned} of 80 customers cancelled (simulated log)"
    )
