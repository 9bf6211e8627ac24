from datetime import date

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from sparkify.errors import TooLittleDataError
from sparkify.pipelines.modelling.folds import (
    assign_fold,
    is_trainable,
    require_churners_in_folds,
    require_trainable_and_unseen,
)
from sparkify.pipelines.modelling.parameters import ModellingParameters


def with_settings(modelling: ModellingParameters, **settings: object) -> ModellingParameters:
    return modelling.model_copy(update=settings)


def find_folds(
    train: DataFrame, repeat: int, modelling: ModellingParameters
) -> dict[str, set[int]]:
    """Return the folds of each user's rows."""
    fold = assign_fold(repeat, modelling).alias("fold")
    rows = train.groupBy("user_id").agg(F.collect_set(fold).alias("folds")).collect()
    return {row["user_id"]: set(row["folds"]) for row in rows}


def test_all_rows_of_a_user_are_in_one_fold_and_no_fold_is_empty(
    train: DataFrame, modelling: ModellingParameters
) -> None:
    five = with_settings(modelling, folds=5)
    folds_by_user = find_folds(train, 0, five)
    assert {len(its_folds) for its_folds in folds_by_user.values()} == {1}
    assert set.union(*folds_by_user.values()) == {0, 1, 2, 3, 4}


def test_each_repeat_and_seed_divides_the_users_differently(
    train: DataFrame, modelling: ModellingParameters
) -> None:
    folds_by_user = find_folds(train, 0, modelling)
    assert find_folds(train.repartition(3), 0, modelling) == folds_by_user
    for other in (
        find_folds(train, 1, modelling),
        find_folds(train, 0, with_settings(modelling, seed=modelling.seed + 1)),
    ):
        moved = sum(other[user] != folds_by_user[user] for user in folds_by_user)
        assert len(folds_by_user) / 4 < moved < 3 * len(folds_by_user) / 4


def test_a_share_of_users_is_held_out_of_training(
    spark: SparkSession, modelling: ModellingParameters
) -> None:
    all_users = spark.range(5_000).select(F.col("id").cast("string").alias("user_id"))
    held_out = all_users.where(~is_trainable(modelling)).count()
    assert 0.18 < held_out / 5_000 < 0.22
    half = with_settings(modelling, held_out_user_share=0.5)
    assert 0.48 < all_users.where(is_trainable(half)).count() / 5_000 < 0.52


@pytest.mark.parametrize("trainable", [0, 30])
def test_a_share_that_selects_no_user_or_all_users_is_an_error(
    modelling: ModellingParameters, trainable: int
) -> None:
    with pytest.raises(TooLittleDataError, match=rf"now {trainable} of them are in"):
        require_trainable_and_unseen(30, trainable, modelling)


def test_a_share_of_some_users_is_enough(modelling: ModellingParameters) -> None:
    for trainable in (1, 29):
        require_trainable_and_unseen(30, trainable, modelling)


def create_churners(spark: SparkSession, users: list[str]) -> DataFrame:
    rows = [(user, date(2018, 11, day), True) for user in users for day in (1, 8)]
    return spark.createDataFrame([*rows, ("other", date(2018, 11, 1), False)], SCHEMA)


SCHEMA = "user_id string, cutoff date, churned boolean"


def test_a_user_counts_as_one_churner(
    spark: SparkSession, train: DataFrame, modelling: ModellingParameters
) -> None:
    three = with_settings(modelling, folds=3)
    with pytest.raises(TooLittleDataError) as raised:
        require_churners_in_folds(create_churners(spark, ["u1", "u2"]), three)
    assert str(raised.value) == (
        "modelling.folds is 3; allowed: at most 2, the users who churned; or use a log of more "
        "users or days."
    )
    require_churners_in_folds(train, three)


def test_churners_in_a_single_fold_are_an_error_in_any_repeat(
    spark: SparkSession, train: DataFrame, modelling: ModellingParameters
) -> None:
    first, second = (find_folds(train, repeat, modelling) for repeat in (0, 1))
    same_fold_users = [
        user for user in first if (first[user], second[user]) in (({0}, {0}), ({1}, {0}))
    ]
    snapshots = create_churners(spark, same_fold_users)
    require_churners_in_folds(snapshots, modelling)
    with pytest.raises(TooLittleDataError, match="training users who churned are in the same"):
        require_churners_in_folds(snapshots, with_settings(modelling, fold_repeats=2))
