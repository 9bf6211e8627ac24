from math import log
from typing import Any

import pytest
from pydantic import ValidationError
from pyspark.sql import DataFrame, SparkSession

from sparkify.ml.shrunken_rates import Rate as LearntRate
from sparkify.pipelines.modelling.cross_validation import prepare_rows
from sparkify.pipelines.modelling.input_definitions import Rate
from sparkify.pipelines.modelling.inputs import (
    InputError,
    PlainInput,
    describe_inputs,
    fit_inputs,
    list_features,
    list_inputs,
)
from sparkify.pipelines.modelling.parameters import InputParameters, ModellingParameters

Customers = list[tuple[float, ...]]
# 4 thumbs up for 200 songs: an overall rate of 0.02.
TRAINED: Customers = [(3.0, 100.0, 1.0, 6.0), (1.0, 100.0, 0.0, 0.0)]


def create_table(spark: SparkSession, customers: Customers) -> DataFrame:
    columns = "thumbs_up double, next_song double, is_paid double, days_away double"
    return spark.createDataFrame(customers, columns)


def create_parameters(
    prior: float = 100, plain: Any = (), moderator: str | None = None
) -> InputParameters:
    rate = {"count": "thumbs_up", "per": "next_song", "prior": prior, "group": "thumbs"}
    if plain is not None:
        plain = {name: {"group": "other", "log": name == "days_away"} for name in plain}
    return InputParameters.model_validate(
        {"rates": {"thumbs_up_per_song": rate}, "plain": plain, "moderator": moderator}
    )


def compute_inputs(
    spark: SparkSession, customers: Customers, parameters: InputParameters
) -> list[list[float]]:
    """Compute customers' inputs with a model fitted to TRAINED."""
    model = fit_inputs(create_table(spark, TRAINED), parameters)
    rows = model.transform(create_table(spark, customers)).select("inputs").collect()
    return [row["inputs"].toArray().tolist() for row in rows]


def test_a_rate_is_the_logarithm_of_the_shrunken_rate_over_the_average(spark: SparkSession) -> None:
    rates = {
        (2.0, 100.0): 0.0,  # average
        (0.0, 0.0): 0.0,  # without history
        (3.0, 100.0): log(1.25),  # (3 + 2) / (100 + 100) against 2 in 100
        (1.0, 100.0): log(0.75),
        (0.0, 100.0): log(0.5),
        (300.0, 9_900.0): log(1.51),  # long history: hardly shrunken from log(1.515)
    }
    inputs = compute_inputs(
        spark, [(*customer, 0.0, 0.0) for customer in rates], create_parameters()
    )
    assert [rate for (rate,) in inputs] == pytest.approx(list(rates.values()), abs=1e-12)


@pytest.mark.parametrize(("prior", "rate"), [(0.01, log(1.9999)), (900, log(1.1))])
def test_a_rate_is_shrunken_by_the_prior(spark: SparkSession, prior: float, rate: float) -> None:
    (inputs,) = compute_inputs(spark, [(4.0, 100.0, 0.0, 0.0)], create_parameters(prior))
    assert inputs == pytest.approx([rate], abs=1e-7)


def test_a_rate_is_learnt_from_training_rows_alone(spark: SparkSession) -> None:
    expected = compute_inputs(spark, TRAINED, create_parameters())
    assert expected == [pytest.approx([log(1.25)]), pytest.approx([log(0.75)])]
    held_out = (5_000.0, 6_000.0, 1.0, 9.0)
    assert compute_inputs(spark, [*TRAINED, held_out], create_parameters())[:2] == expected


def test_the_overall_rate_does_not_depend_on_the_order_of_rows(spark: SparkSession) -> None:
    # 0.1 + 0.2 + 0.3 is not 0.3 + 0.2 + 0.1 in doubles.
    days = [(1.0, 0.1, 0.0, 0.0), (1.0, 0.2, 0.0, 0.0), (1.0, 0.3, 0.0, 0.0)]
    learnt = [
        fit_inputs(create_table(spark, rows), create_parameters()).stages[0].rates
        for rows in (days, days[::-1])
    ]
    assert learnt[0] == learnt[1]


@pytest.mark.parametrize("songs", [0.0, 50.0])
def test_a_rate_without_counts_in_training_is_always_0(spark: SparkSession, songs: float) -> None:
    model = fit_inputs(create_table(spark, [(0.0, songs, 0.0, 0.0)]), create_parameters())
    rows = model.transform(create_table(spark, [(3.0, 10.0, 0.0, 0.0)])).collect()
    assert [row["inputs"].toArray().tolist() for row in rows] == [[0.0]]


def test_features_and_their_logarithms_follow_the_rates(spark: SparkSession) -> None:
    parameters = create_parameters(plain=["is_paid", "days_away"])
    inputs = compute_inputs(spark, [(2.0, 100.0, 1.0, 6.0), (0.0, 0.0, 0.0, 0.0)], parameters)
    assert inputs == [pytest.approx([0, 1, log(7)]), pytest.approx([0, 0, 0])]
    model = fit_inputs(create_table(spark, TRAINED), parameters)
    assert list_inputs(model) == ["thumbs_up_per_song", "is_paid", "log_days_away"]
    assert list_features(model) == {"thumbs_up", "next_song", "is_paid", "days_away"}


def test_without_plain_exactly_the_features_are_inputs(spark: SparkSession) -> None:
    key_columns = "'u1' user_id", "date '2018-11-07' cutoff", "true churned", "true is_trainable"
    train = create_table(spark, TRAINED).selectExpr(*key_columns, "*", "1.0D label", "1.0D weight")
    parameters = create_parameters(plain=None)
    row = fit_inputs(train, parameters).transform(train).first()
    assert row is not None
    expected = [log(1.25), log(4), log(101), log(2), log(7)]
    assert row["inputs"].toArray() == pytest.approx(expected)


@pytest.mark.parametrize(
    ("columns", "missing"),
    [
        (["next_song", "is_paid", "days_away"], "thumbs_up"),
        (["thumbs_up", "is_paid", "days_away"], "next_song"),
        (["thumbs_up", "next_song"], "days_away, is_paid"),
    ],
)
def test_an_input_of_a_missing_feature_is_an_error_with_its_name(
    spark: SparkSession, columns: list[str], missing: str
) -> None:
    with pytest.raises(InputError) as error:
        fit_inputs(
            create_table(spark, TRAINED).select(*columns),
            create_parameters(plain=["is_paid", "days_away"]),
        )
    assert str(error.value) == f"inputs name features that the table does not have: {missing}."


def test_a_logarithm_can_be_the_moderator(
    spark: SparkSession, modelling: ModellingParameters
) -> None:
    parameters = create_parameters(plain=["is_paid", "days_away"], moderator="days_away")
    customers = "'u1' user_id", "date '2018-11-07' cutoff", "is_paid = 1 churned"
    train = create_table(spark, TRAINED).selectExpr(*customers, "*")
    assert prepare_rows(train, parameters, modelling).moderator == 2


def test_a_moderator_that_is_not_an_input_is_an_error() -> None:
    with pytest.raises(ValidationError, match="moderator is age; allowed: null, or one of"):
        create_parameters(plain=["is_paid"], moderator="age")


def test_a_rate_with_the_name_of_a_feature_is_an_error(spark: SparkSession) -> None:
    rate = {"count": "thumbs_up", "per": "next_song", "prior": 1, "group": "thumbs"}
    duplicate = InputParameters.model_validate(
        {"rates": {"thumbs_up": rate}, "plain": {}, "moderator": None}
    )
    with pytest.raises(InputError, match="thumbs_up is the name of a feature already"):
        fit_inputs(create_table(spark, TRAINED), duplicate)


def test_a_fitted_model_describes_its_inputs(spark: SparkSession) -> None:
    unseen = {"count": "is_paid", "per": "days_away", "prior": 5, "group": "other"}
    parameters = create_parameters(plain=["is_paid", "days_away"])
    rates = {**parameters.rates, "never": Rate.model_validate(unseen)}
    trained = create_table(spark, [(2.0, 100.0, 0.0, 6.0)])
    model = fit_inputs(trained, parameters.model_copy(update={"rates": rates}))
    assert describe_inputs(model) == [
        LearntRate("thumbs_up_per_song", "thumbs_up", "next_song", 100.0, 0.02),
        LearntRate("never", "is_paid", "days_away", 5.0, 0.0),
        PlainInput("is_paid", "is_paid"),
        PlainInput("log_days_away", "days_away"),
    ]


@pytest.mark.parametrize(
    "entry", [{"text": "{rate:.1%} of {songs}"}, {"text": "{"}, {"text": "{} songs"}]
)
def test_a_template_with_other_fields_is_an_error(entry: dict[str, str]) -> None:
    rate = {"count": "thumbs_up", "per": "next_song", "prior": 100, "group": "thumbs"}
    with pytest.raises(
        ValidationError, match=r"a text whose only fields are \{rate\}, \{average\}"
    ):
        Rate.model_validate({**rate, **entry})
