from datetime import date

import pytest
from pyspark.ml.linalg import Vectors
from pyspark.sql import DataFrame, SparkSession

from sparkify.pipelines.modelling.candidates import Trial, build_pipeline
from sparkify.pipelines.modelling.cross_validation import predict_out_of_fold, prepare_rows
from sparkify.pipelines.modelling.inputs import INPUTS
from sparkify.pipelines.modelling.parameters import InputParameters, ModellingParameters
from sparkify.pipelines.modelling.resampling import TooManyRowsError, balance_classes

NAMES = ["x", "y"]
# Churners are on the line from (0, 0) to (4, 8), the other customers far from it.
CHURNERS = [(0.0, 0.0), (1.0, 2.0), (4.0, 8.0)]
STAYERS = [(9.0, float(-place)) for place in range(7)]


def create_rows(
    spark: SparkSession, churners: list[tuple[float, float]], stayers: list[tuple[float, float]]
) -> DataFrame:
    labelled = [(at, 1.0) for at in churners] + [(at, 0.0) for at in stayers]
    rows = [
        (f"u{number}", date(2018, 11, 7), label, Vectors.dense(at))
        for number, (at, label) in enumerate(labelled)
    ]
    return spark.createDataFrame(rows, ["user_id", "cutoff", "label", INPUTS])


def with_imbalance(modelling: ModellingParameters, imbalance: str) -> ModellingParameters:
    return modelling.model_copy(update={"imbalance": imbalance})


def list_weights(rows: DataFrame) -> list[tuple[float, float]]:
    return [(row["label"], row["weight"]) for row in rows.select("label", "weight").collect()]


def list_points(rows: DataFrame, label: float) -> list[tuple[float, float]]:
    points = rows.where(rows["label"] == label).select(INPUTS).collect()
    return [tuple(row[INPUTS].toArray().tolist()) for row in points]


def test_without_a_remedy_all_rows_have_the_same_weight(
    spark: SparkSession, modelling: ModellingParameters
) -> None:
    rows = balance_classes(
        create_rows(spark, CHURNERS[:1], STAYERS[:3]), NAMES, with_imbalance(modelling, "none")
    )
    assert list_weights(rows) == [(1, 1), (0, 1), (0, 1), (0, 1)]


def test_class_weights_give_both_classes_the_same_total_weight(
    spark: SparkSession, modelling: ModellingParameters
) -> None:
    train = create_rows(spark, CHURNERS[:1], STAYERS[:3])
    result = list_weights(balance_classes(train, NAMES, with_imbalance(modelling, "weights")))
    assert result == [(1, 2.0), *[(0, pytest.approx(2 / 3))] * 3]


@pytest.mark.parametrize("imbalance", ["weights", "smote"])
@pytest.mark.parametrize(("churners", "stayers"), [(3, 0), (0, 3)])
def test_rows_of_a_single_class_are_not_changed(
    spark: SparkSession, modelling: ModellingParameters, imbalance: str, churners: int, stayers: int
) -> None:
    train = create_rows(spark, CHURNERS[:churners], STAYERS[:stayers])
    rows = balance_classes(train, NAMES, with_imbalance(modelling, imbalance))
    assert list_weights(rows) == [(1, 1)] * churners + [(0, 1)] * stayers


def test_smote_adds_churners_between_churners_until_classes_are_equal(
    spark: SparkSession, modelling: ModellingParameters
) -> None:
    rows = balance_classes(
        create_rows(spark, CHURNERS, STAYERS), NAMES, with_imbalance(modelling, "smote")
    )
    assert list_points(rows, 0.0) == STAYERS
    churners = list_points(rows, 1.0)
    assert churners[:3] == CHURNERS
    added = churners[3:]
    assert len(added) == 4
    assert all(0 <= x <= 4 and y == pytest.approx(2 * x) for x, y in added)
    assert not set(added) & set(CHURNERS)
    assert {weight for _, weight in list_weights(rows)} == {1.0}


def test_partitions_do_not_change_what_smote_adds(
    spark: SparkSession, modelling: ModellingParameters
) -> None:
    train, smote = create_rows(spark, CHURNERS, STAYERS), with_imbalance(modelling, "smote")
    shuffled = train.repartition(3, INPUTS)
    assert (
        balance_classes(shuffled, NAMES, smote).collect()
        == balance_classes(train, NAMES, smote).collect()
    )


def test_xgboost_fits_rows_from_smote(spark: SparkSession, modelling: ModellingParameters) -> None:
    smote = with_imbalance(modelling, "smote")
    rows = balance_classes(create_rows(spark, CHURNERS, STAYERS), NAMES, smote).cache()
    settings = {"n_estimators": 2, "min_child_weight": 0}
    model = build_pipeline(Trial("xgboost", settings), None, seed=7, partitions=1).fit(rows)
    forecast = model.transform(rows).select("label", "xgboost_prediction").collect()
    assert all(row["label"] == row["xgboost_prediction"] for row in forecast)
    two = smote.model_copy(update={"partitions": 2})
    spread = balance_classes(create_rows(spark, CHURNERS, STAYERS), NAMES, two)
    assert spread.rdd.getNumPartitions() == 2


def test_smote_adds_nothing_to_a_single_churner(
    spark: SparkSession, modelling: ModellingParameters
) -> None:
    train = create_rows(spark, CHURNERS[:1], STAYERS)
    rows = balance_classes(train, NAMES, with_imbalance(modelling, "smote"))
    assert list_weights(rows) == [(1, 1), *[(0, 1)] * 7]


def test_smote_adds_nothing_if_churners_are_the_majority(
    spark: SparkSession, modelling: ModellingParameters
) -> None:
    train = create_rows(spark, CHURNERS, STAYERS[:2])
    rows = balance_classes(train, NAMES, with_imbalance(modelling, "smote"))
    assert list_weights(rows) == [*[(1, 1)] * 3, *[(0, 1)] * 2]


def test_smote_of_more_rows_than_the_limit_is_an_error(
    spark: SparkSession, modelling: ModellingParameters
) -> None:
    smote = with_imbalance(modelling, "smote").model_copy(update={"smote_max_rows": 9})
    with pytest.raises(TooManyRowsError) as error:
        balance_classes(create_rows(spark, CHURNERS, STAYERS), NAMES, smote)
    assert str(error.value) == (
        "modelling.imbalance smote: 10 training rows are more than the 9 of "
        "modelling.smote_max_rows; SMOTE works on one machine. Set `weights` or `none`, or "
        "raise the limit."
    )
    at_limit = smote.model_copy(update={"smote_max_rows": 10})
    assert balance_classes(create_rows(spark, CHURNERS, STAYERS), NAMES, at_limit).count() == 14


def test_smote_adds_training_rows_but_no_held_out_rows(
    train: DataFrame, inputs: InputParameters, modelling: ModellingParameters
) -> None:
    smote = with_imbalance(modelling, "smote")
    balanced = prepare_rows(train, inputs, smote).rows
    stayers = train.where("not churned").count()
    assert balanced.count() == 2 * stayers > train.count()
    held_out = predict_out_of_fold(train, inputs, smote).toPandas()
    expected = train.select("user_id", "cutoff", "churned").toPandas()
    keys = ["user_id", "cutoff"]
    assert (
        held_out[[*keys, "churned"]]
        .sort_values(keys, ignore_index=True)
        .equals(expected.sort_values(keys, ignore_index=True))
    )
