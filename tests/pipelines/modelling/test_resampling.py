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
# Churners lie on the line from (0, 0) to (4, 8), the others far from it.
CHURNERS = [(0.0, 0.0), (1.0, 2.0), (4.0, 8.0)]
OTHERS = [(9.0, float(-place)) for place in range(7)]


def training(
    spark: SparkSession, churners: list[tuple[float, float]], others: list[tuple[float, float]]
) -> DataFrame:
    labelled = [(at, 1.0) for at in churners] + [(at, 0.0) for at in others]
    rows = [
        (f"u{number}", date(2018, 11, 7), label, Vectors.dense(at))
        for number, (at, label) in enumerate(labelled)
    ]
    return spark.createDataFrame(rows, ["user_id", "cutoff", "label", INPUTS])


def with_imbalance(modelling: ModellingParameters, imbalance: str) -> ModellingParameters:
    return modelling.model_copy(update={"imbalance": imbalance})


def weights(rows: DataFrame) -> list[tuple[float, float]]:
    return [(row["label"], row["weight"]) for row in rows.select("label", "weight").collect()]


def places(rows: DataFrame, label: float) -> list[tuple[float, float]]:
    found = rows.where(rows["label"] == label).select(INPUTS).collect()
    return [tuple(row[INPUTS].toArray().tolist()) for row in found]


def test_without_balancing_all_rows_weigh_alike(
    spark: SparkSession, modelling: ModellingParameters
) -> None:
    rows = balance_classes(
        training(spark, CHURNERS[:1], OTHERS[:3]), NAMES, with_imbalance(modelling, "none")
    )
    assert weights(rows) == [(1, 1), (0, 1), (0, 1), (0, 1)]


def test_class_weights_make_churners_and_others_weigh_alike_and_as_much_as_before(
    spark: SparkSession, modelling: ModellingParameters
) -> None:
    train = training(spark, CHURNERS[:1], OTHERS[:3])
    found = weights(balance_classes(train, NAMES, with_imbalance(modelling, "weights")))
    assert found == [(1, 2.0), *[(0, pytest.approx(2 / 3))] * 3]


@pytest.mark.parametrize("imbalance", ["weights", "smote"])
@pytest.mark.parametrize(("churners", "others"), [(3, 0), (0, 3)])
def test_rows_of_one_kind_are_left_as_they_are(
    spark: SparkSession, modelling: ModellingParameters, imbalance: str, churners: int, others: int
) -> None:
    train = training(spark, CHURNERS[:churners], OTHERS[:others])
    rows = balance_classes(train, NAMES, with_imbalance(modelling, imbalance))
    assert weights(rows) == [(1, 1)] * churners + [(0, 1)] * others


def test_smote_invents_churners_between_churners_until_there_are_as_many(
    spark: SparkSession, modelling: ModellingParameters
) -> None:
    rows = balance_classes(
        training(spark, CHURNERS, OTHERS), NAMES, with_imbalance(modelling, "smote")
    )
    assert places(rows, 0.0) == OTHERS
    churners = places(rows, 1.0)
    assert churners[:3] == CHURNERS
    invented = churners[3:]
    assert len(invented) == 4
    assert all(0 <= x <= 4 and y == pytest.approx(2 * x) for x, y in invented)
    assert not set(invented) & set(CHURNERS)
    assert {weight for _, weight in weights(rows)} == {1.0}


def test_smote_invents_the_same_whatever_the_partitions(
    spark: SparkSession, modelling: ModellingParameters
) -> None:
    train, smote = training(spark, CHURNERS, OTHERS), with_imbalance(modelling, "smote")
    shuffled = train.repartition(3, INPUTS)
    assert (
        balance_classes(shuffled, NAMES, smote).collect()
        == balance_classes(train, NAMES, smote).collect()
    )


def test_xgboost_fits_what_smote_invents(
    spark: SparkSession, modelling: ModellingParameters
) -> None:
    smote = with_imbalance(modelling, "smote")
    rows = balance_classes(training(spark, CHURNERS, OTHERS), NAMES, smote).cache()
    settings = {"n_estimators": 2, "min_child_weight": 0}
    model = build_pipeline(Trial("xgboost", settings), None, seed=7, partitions=1).fit(rows)
    forecast = model.transform(rows).select("label", "xgboost_prediction").collect()
    assert all(row["label"] == row["xgboost_prediction"] for row in forecast)
    two = smote.model_copy(update={"partitions": 2})
    spread = balance_classes(training(spark, CHURNERS, OTHERS), NAMES, two)
    assert spread.rdd.getNumPartitions() == 2


def test_smote_has_nothing_to_put_beside_a_single_churner(
    spark: SparkSession, modelling: ModellingParameters
) -> None:
    train = training(spark, CHURNERS[:1], OTHERS)
    rows = balance_classes(train, NAMES, with_imbalance(modelling, "smote"))
    assert weights(rows) == [(1, 1), *[(0, 1)] * 7]


def test_smote_invents_nothing_where_churners_are_the_majority(
    spark: SparkSession, modelling: ModellingParameters
) -> None:
    train = training(spark, CHURNERS, OTHERS[:2])
    rows = balance_classes(train, NAMES, with_imbalance(modelling, "smote"))
    assert weights(rows) == [*[(1, 1)] * 3, *[(0, 1)] * 2]


def test_smote_of_more_rows_than_a_machine_takes_is_refused(
    spark: SparkSession, modelling: ModellingParameters
) -> None:
    smote = with_imbalance(modelling, "smote").model_copy(update={"smote_most_rows": 9})
    with pytest.raises(TooManyRowsError) as told:
        balance_classes(training(spark, CHURNERS, OTHERS), NAMES, smote)
    assert str(told.value) == (
        "modelling.imbalance smote: 10 training rows are more than the 9 of "
        "modelling.smote_most_rows; SMOTE works on one machine. Set `weights` or `none`, or "
        "raise the limit."
    )
    at_limit = smote.model_copy(update={"smote_most_rows": 10})
    assert balance_classes(training(spark, CHURNERS, OTHERS), NAMES, at_limit).count() == 14


def test_smote_invents_customers_to_learn_from_and_none_to_be_judged_on(
    train: DataFrame, inputs: InputParameters, modelling: ModellingParameters
) -> None:
    smote = with_imbalance(modelling, "smote")
    learnt_from = prepare_rows(train, inputs, smote).rows
    others = train.where("not churned").count()
    assert learnt_from.count() == 2 * others > train.count()
    judged = predict_out_of_fold(train, inputs, smote)
    known = train.select("user_id", "cutoff", "churned").toPandas()
    keys = ["user_id", "cutoff"]
    assert (
        judged[[*keys, "churned"]]
        .sort_values(keys, ignore_index=True)
        .equals(known.sort_values(keys, ignore_index=True))
    )
