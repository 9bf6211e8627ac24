from datetime import date, timedelta
from typing import Any

import pytest
from matplotlib.figure import Figure
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from sparkify.pipelines.modelling import nodes
from sparkify.schemas import Features, ModelInput

CUTOFFS = [date(2018, 11, 21) - timedelta(days=7 * week) for week in range(4)]


def snapshots(spark: SparkSession, churners: int, users: int = 30) -> DataFrame:
    rows = [(f"u{user}", cutoff, user < churners) for cutoff in CUTOFFS for user in range(users)]
    return spark.createDataFrame(rows, "user_id string, cutoff date, churned boolean")


def features(taken: DataFrame, parameters: dict[str, Any]) -> DataFrame:
    settings = parameters["feature_engineering"]
    columns = Features(settings.pages, settings.windows_days).columns[2:]
    return taken.select("user_id", "cutoff", *[F.lit(0.0).alias(name) for name in columns])


def split(taken: DataFrame, parameters: dict[str, Any]) -> tuple[DataFrame, DataFrame]:
    settings = (parameters["modelling"], parameters["feature_engineering"])
    return nodes.train_test(features(taken, parameters), taken, *settings)


def test_no_training_label_overlaps_the_holdout(
    spark: SparkSession, parameters: dict[str, Any]
) -> None:
    train, test = split(snapshots(spark, 9), parameters)
    settings = parameters["feature_engineering"]
    ModelInput(settings.pages, settings.windows_days).validate(train)
    cutoffs = sorted(row["cutoff"] for row in train.select("cutoff").distinct().collect())
    # 2018-11-14 + 10 days reaches beyond the hold-out's cutoff, 2018-11-07 + 10 does not.
    assert cutoffs == [date(2018, 10, 31), date(2018, 11, 7)]
    assert {row["cutoff"] for row in test.collect()} == {date(2018, 11, 21)}


def test_folds_are_by_user_and_the_same_at_every_cutoff(
    spark: SparkSession, parameters: dict[str, Any]
) -> None:
    train, _ = split(snapshots(spark, 9), parameters)
    folds = train.groupBy("user_id").agg(F.count_distinct("fold").alias("folds"))
    assert folds.where("folds > 1").count() == 0
    assert train.agg(F.count_distinct("fold")).first()[0] == parameters["modelling"].folds


@pytest.mark.parametrize(("churners", "counts"), [(0, "0 cancellations"), (2, "4 cancellations")])
def test_too_few_cancellations_are_an_error_with_the_counts(
    spark: SparkSession, parameters: dict[str, Any], churners: int, counts: str
) -> None:
    with pytest.raises(nodes.TooLittleDataError, match=f"^{counts} in 60 training snapshots"):
        split(snapshots(spark, churners), parameters)


def test_predictions_follow_the_threshold(finished: Any) -> None:
    catalog = finished.catalog()
    threshold = catalog.load("champion")["threshold"]
    predictions = catalog.load("test_predictions").toPandas()
    assert (predictions["predicted"] == (predictions["probability"] > threshold)).all()
    assert predictions["probability"].between(0, 1).all()


def test_the_same_data_give_the_same_champion(finished: Any, parameters: dict[str, Any]) -> None:
    catalog = finished.catalog()
    metrics = catalog.load("metrics")
    modelling = parameters["modelling"].model_copy(
        update={
            "candidates": {"logistic_regression": {"regParam": [0.3], "tol": [0.0001]}},
            "folds": 2,
        }
    )
    if metrics["champion"]["candidate"] != "logistic_regression":
        pytest.skip("the small log's champion is not the one refitted here")
    train = catalog.load("train").repartition(3, "user_id")
    _, chosen, model = nodes.champion(train, modelling)
    again = nodes.predictions(catalog.load("test"), model).toPandas().set_index("user_id")
    before = catalog.load("test_predictions").toPandas().set_index("user_id")
    assert chosen["threshold"] == pytest.approx(metrics["champion"]["threshold"], abs=1e-4)
    difference = (again["probability"] - before["probability"]).abs().max()
    assert difference < 1e-4


def test_every_feature_weighs_something_or_nothing(finished: Any) -> None:
    catalog = finished.catalog()
    weights = nodes.feature_weights(catalog.load("train"), catalog.load("churn_model"))
    assert set(weights["feature"]) == set(catalog.load("features").columns) - {"user_id", "cutoff"}
    assert weights["weight"].abs().is_monotonic_decreasing


def test_figures_are_drawn_without_pyplot(finished: Any, parameters: dict[str, Any]) -> None:
    catalog = finished.catalog()
    drawn = nodes.holdout_figures(
        catalog.load("test_predictions"),
        catalog.load("feature_weights"),
        catalog.load("metrics"),
        parameters["modelling"],
    )
    assert len(drawn) == 6
    for figure in drawn:
        assert isinstance(figure, Figure)
        assert figure.get_suptitle()
        (axes,) = figure.axes
        assert axes.get_xlabel()
