from datetime import date, timedelta
from typing import Any, NamedTuple

import pandas as pd
import pytest
from pyspark.ml import PipelineModel
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.testing import assertDataFrameEqual

from sparkify.errors import TooLittleDataError
from sparkify.pipelines.modelling import nodes
from sparkify.pipelines.modelling.folds import is_trainable
from sparkify.pipelines.modelling.model_card import read_card
from sparkify.pipelines.modelling.parameters import InputParameters, ModellingParameters
from sparkify.schemas import KEYS, MODEL_INPUT, OUT_OF_FOLD_PREDICTIONS

HOLDOUT = date(2018, 11, 21)
CUTOFFS = [HOLDOUT - timedelta(days=7 * week) for week in range(4)]
USERS = [f"u{number}" for number in range(30)]


def create_snapshots(
    spark: SparkSession, churners: list[str], cutoffs: list[date] = CUTOFFS
) -> DataFrame:
    """Return all users at all cutoffs; `churners` churn after each of `cutoffs`."""
    rows = [
        (user, cutoff, user in churners and cutoff in cutoffs)
        for cutoff in CUTOFFS
        for user in USERS
    ]
    return spark.createDataFrame(rows, "user_id string, cutoff date, churned boolean")


def run_split(
    labelled: DataFrame,
    parameters: dict[str, Any],
    missing_pages: dict[str, str] | None = None,
    max_customers: int = 1_000,
) -> tuple[DataFrame, DataFrame, dict[str, Any]]:
    names = parameters["feature_engineering"].feature_columns
    features = labelled.select(*KEYS, *[F.lit(0.0).alias(name) for name in names])
    settings = (parameters["modelling"], parameters["feature_engineering"])
    summary = {"missing_pages": missing_pages or {}}
    return nodes.split_in_time(features, labelled, summary, *settings, max_customers)


def list_users(rows: DataFrame) -> set[str]:
    return {row["user_id"] for row in rows.select("user_id").distinct().collect()}


@pytest.fixture(scope="module")
def trainable(spark: SparkSession, parameters: dict[str, Any]) -> set[str]:
    """Return the users in training."""
    all_users = spark.createDataFrame([(user,) for user in USERS], ["user_id"])
    return list_users(all_users.where(is_trainable(parameters["modelling"])))


def test_no_training_label_overlaps_the_holdout(
    spark: SparkSession, parameters: dict[str, Any]
) -> None:
    train, test, prediction_task = run_split(create_snapshots(spark, USERS[:9]), parameters)
    for rows in (train, test):
        MODEL_INPUT.validate(rows)
    cutoffs = sorted(row["cutoff"] for row in train.select("cutoff").distinct().collect())
    # 2018-11-14 + 10 days reaches beyond the hold-out's cutoff, 2018-11-07 + 10 does not.
    assert cutoffs == [date(2018, 10, 31), date(2018, 11, 7)]
    assert {row["cutoff"] for row in test.collect()} == {HOLDOUT}
    assert prediction_task == {
        "description": "2018-11-21, 10 days ahead",
        "cutoff": "2018-11-21",
        "horizon_days": 10,
        "outcome": "cancellation",
        "outcome_phrase": "cancelled",
        "train_cutoffs": ["2018-10-31", "2018-11-07"],
    }


def test_inactivity_needs_no_outcome_page(spark: SparkSession, parameters: dict[str, Any]) -> None:
    inactivity = parameters["feature_engineering"].model_copy(update={"outcome": "inactivity"})
    *_, prediction_task = run_split(
        create_snapshots(spark, USERS[:9]),
        {**parameters, "feature_engineering": inactivity},
        {"feature_engineering.cancellation_page": "x", "pages.submit_downgrade": "y"},
    )
    assert prediction_task == {
        "description": "2018-11-21, 10 days ahead",
        "cutoff": "2018-11-21",
        "horizon_days": 10,
        "outcome": "inactivity",
        "active_within_days": 30,
        "outcome_phrase": "were not seen",
        "train_cutoffs": ["2018-10-31", "2018-11-07"],
    }


def test_users_held_out_of_training_are_only_in_the_holdout(
    spark: SparkSession, parameters: dict[str, Any], trainable: set[str]
) -> None:
    train, test, _ = run_split(create_snapshots(spark, USERS[:9]), parameters)
    assert 0 < len(trainable) < len(USERS)
    assert list_users(train) == trainable
    assert list_users(test) == set(USERS)
    assert list_users(test.where("is_trainable")) == trainable
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
    with pytest.raises(TooLittleDataError) as error:
        run_split(create_snapshots(spark, some), parameters)
    assert str(error.value) == (
        f"{in_training} churners in {2 * len(trainable)} training snapshots of 2 cutoffs, "
        f"and {churners} among 30 users on the hold-out 2018-11-21: too few to train and "
        f"evaluate a model. At least 10 (modelling.min_train_churned) and 3 "
        f"(modelling.min_holdout_churned) "
        f"are required; use a log of more users or days."
    )


def test_churners_held_out_of_training_do_not_count_as_training_churners(
    spark: SparkSession, parameters: dict[str, Any], trainable: set[str]
) -> None:
    unseen = sorted(set(USERS) - trainable)
    with pytest.raises(TooLittleDataError, match=r"^0 churners in .* and [3-9] among"):
        run_split(create_snapshots(spark, unseen), parameters)


def test_a_holdout_without_enough_churners_is_an_error(
    spark: SparkSession, parameters: dict[str, Any]
) -> None:
    with pytest.raises(TooLittleDataError, match="and 0 among 30 users on the hold-out"):
        run_split(create_snapshots(spark, USERS, CUTOFFS[1:]), parameters)


def test_more_folds_than_churners_are_an_error_before_any_fit(
    spark: SparkSession, parameters: dict[str, Any], trainable: set[str]
) -> None:
    many = parameters["modelling"].model_copy(update={"folds": 50})
    churners = [*sorted(trainable)[:9], *sorted(set(USERS) - trainable)]
    with pytest.raises(TooLittleDataError) as error:
        run_split(create_snapshots(spark, churners), {**parameters, "modelling": many})
    assert str(error.value) == (
        "modelling.folds is 50; allowed: at most 9, the users who churned; or use a log of more "
        "users or days."
    )


def test_a_share_that_holds_out_no_user_is_an_error(
    spark: SparkSession, parameters: dict[str, Any]
) -> None:
    small = parameters["modelling"].model_copy(update={"held_out_user_share": 0.001})
    with pytest.raises(TooLittleDataError) as error:
        run_split(create_snapshots(spark, USERS[:9]), {**parameters, "modelling": small})
    assert str(error.value) == (
        "modelling.held_out_user_share is 0.001; allowed: a share that keeps some, but not "
        "all, of the 30 hold-out users out of training (now 30 of them are in training); or use a "
        "log of more users."
    )


def test_a_large_log_is_sampled_by_user(spark: SparkSession, parameters: dict[str, Any]) -> None:
    snapshots = create_snapshots(spark, USERS[:20])
    few = parameters["modelling"].model_copy(
        update={"max_training_rows": 30, "min_train_churned": 1, "min_holdout_churned": 1}
    )
    whole_train, whole_test, whole_task = run_split(snapshots, parameters)
    results = [
        run_split(rows, {**parameters, "modelling": few}, max_customers=20)
        for rows in (snapshots, snapshots.repartition(3))
    ]
    (train, test, task), again = results
    assert "samples" not in whole_task
    assert task == again[2] == {**whole_task, "samples": task["samples"]}
    for sample, repeated, whole in ((train, again[0], whole_train), (test, again[1], whole_test)):
        rows = set(sample.select(*KEYS).collect())
        assert rows == set(repeated.select(*KEYS).collect())
        users = list_users(sample)
        assert 0 < len(users) < len(list_users(whole))
        of_users = whole.where(F.col("user_id").isin([*users]))
        assert rows == set(of_users.select(*KEYS).collect())
    assert task["samples"] == {
        "training": {"rows": train.count(), "of": whole_train.count()},
        "holdout": {"rows": test.count(), "of": 30},
    }
    assert list_users(test) - list_users(train)


def test_at_the_maximum_of_rows_nothing_is_sampled(
    spark: SparkSession, parameters: dict[str, Any]
) -> None:
    snapshots = create_snapshots(spark, USERS[:9])
    train, test, task = run_split(snapshots, parameters)
    exact = parameters["modelling"].model_copy(update={"max_training_rows": train.count()})
    again = run_split(snapshots, {**parameters, "modelling": exact}, max_customers=test.count())
    assert again[2] == task
    for before, after in ((train, again[0]), (test, again[1])):
        assertDataFrameEqual(before, after)


def test_a_sample_with_too_few_churners_is_an_error(
    spark: SparkSession, parameters: dict[str, Any]
) -> None:
    with pytest.raises(TooLittleDataError, match=r"and 0 among \d users on the hold-out"):
        run_split(create_snapshots(spark, USERS[:9]), parameters, max_customers=1)


class Search(NamedTuple):
    """The search for a challenger among the rows of `train`."""

    out_of_fold: DataFrame
    cv_results: pd.DataFrame
    selected: dict[str, Any]
    calibration: dict[str, Any]
    model: PipelineModel
    description: dict[str, Any]


def run_search(train: DataFrame, inputs: InputParameters, modelling: ModellingParameters) -> Search:
    out_of_fold = nodes.cross_validate(train, inputs, modelling).cache()
    cv_results, selected = nodes.select_candidate(out_of_fold, modelling)
    calibration = nodes.calibrate(out_of_fold, selected, modelling)
    fitted = nodes.fit_selected(train, selected, calibration, inputs, modelling)
    return Search(out_of_fold, cv_results, selected, calibration, *fitted)


@pytest.fixture(scope="module")
def searched(train: DataFrame, inputs: InputParameters, modelling: ModellingParameters) -> Search:
    return run_search(train, inputs, modelling)


def test_every_training_row_is_predicted_out_of_fold(searched: Search, train: DataFrame) -> None:
    OUT_OF_FOLD_PREDICTIONS.validate(searched.out_of_fold)
    rows = searched.out_of_fold.select(*KEYS, "churned").collect()
    assert sorted(rows) == sorted(train.select(*KEYS, "churned").collect())
    trials = searched.out_of_fold.select("trial", "candidate", "repeat").distinct().collect()
    assert trials == [(0, "logistic regression (regParam 0.3, tol 0.0001)", 0)]


def test_the_selected_candidate_is_described(
    searched: Search, modelling: ModellingParameters
) -> None:
    assert list(searched.cv_results["settings"]) == ["regParam=0.3, tol=0.0001"]
    linear = {
        "candidate": "logistic_regression",
        "settings": {"regParam": 0.3, "tol": 0.0001},
        "label": "logistic regression (regParam 0.3, tol 0.0001)",
        "imbalance": "none",
    }
    assert searched.selected == {"trial": 0, **linear}
    assert searched.description == {
        **linear,
        "calibration": searched.calibration["method"],
        "f1_threshold": searched.calibration["f1_threshold"],
    }
    assert searched.calibration["method"] in modelling.calibrations
    assert 0 < searched.calibration["f1_threshold"] < 1


def test_predictions_of_other_candidates_are_an_error(
    searched: Search, modelling: ModellingParameters
) -> None:
    other = {"logistic_regression": {"regParam": [0.1], "tol": [0.0001]}}
    changed = modelling.model_copy(update={"candidates": other})
    with pytest.raises(nodes.CandidatesChangedError, match="Run again from the node cross_val"):
        nodes.select_candidate(searched.out_of_fold, changed)


def test_predictions_of_the_selected_trial_are_sorted_by_fold(searched: Search) -> None:
    rows = nodes.select_trial(searched.out_of_fold.orderBy("probability"), 0)
    expected = rows.sort_values(["repeat", "fold", *KEYS], ignore_index=True)
    pd.testing.assert_frame_equal(rows, expected)


def test_partitions_do_not_change_the_model(
    searched: Search, train: DataFrame, inputs: InputParameters, modelling: ModellingParameters
) -> None:
    again = run_search(train.repartition(3), inputs, modelling)
    threshold = pytest.approx(searched.description["f1_threshold"])
    assert again.description == {**searched.description, "f1_threshold": threshold}
    pd.testing.assert_frame_equal(again.cv_results, searched.cv_results)
    before, after = (
        one.model.transform(train).select(*KEYS, "probability").toPandas().sort_values(KEYS)
        for one in (searched, again)
    )
    change = after["probability"].to_numpy() - before["probability"].to_numpy()
    assert abs(change).max() < 1e-9


def test_a_challenger_has_a_card_that_describes_it_and_its_training(
    searched: Search,
    train: DataFrame,
    inputs: InputParameters,
    modelling: ModellingParameters,
    parameters: dict[str, Any],
) -> None:
    model = nodes.fit_challenger(
        train,
        searched.selected,
        searched.calibration,
        {"cutoff": "2018-11-21"},
        {"horizon_days": 10},
        {"window_days": 14},
        {"source": "simulated", "lines": 9},
        {"python": "3.11.0"},
        inputs,
        modelling,
        parameters["feature_engineering"],
    )
    card = read_card(model)
    assert searched.description.items() <= card.items()
    assert card["features"] == ["next_song", "thumbs_up", "is_paid", "days_since_last_seen"]
    assert card["prediction_task"] == {"cutoff": "2018-11-21"}
    assert card["leaving_curve"] == {"horizon_days": 10}
    assert card["source"] == "simulated"
    assert card["reference"] == {"window_days": 14}
    assert card["packages"] == {"python": "3.11.0"}
    assert card["training"]["snapshots"] == 160
    assert set(card["parameters"]) == {"modelling", "inputs", "feature_engineering"}
    assert card["parameters"]["modelling"]["folds"] == 2
    assert "probability" in model.transform(train).columns
