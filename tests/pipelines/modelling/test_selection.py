from collections.abc import Callable
from math import log

import pandas as pd
import pytest
from pyspark.ml import PipelineModel
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from sparkify.pipelines.modelling import selection
from sparkify.pipelines.modelling.candidates import Trial, classifier
from sparkify.pipelines.modelling.parameters import InputParameters, ModellingParameters

KEYS = ["user_id", "cutoff"]


def with_settings(modelling: ModellingParameters, **settings: object) -> ModellingParameters:
    return modelling.model_copy(update=settings)


def folds(train: DataFrame, repeat: int, modelling: ModellingParameters) -> dict[str, set[int]]:
    """Return the folds of each user's rows."""
    fold = selection.fold_of(repeat, modelling).alias("fold")
    rows = train.groupBy("user_id").agg(F.collect_set(fold).alias("folds")).collect()
    return {row["user_id"]: set(row["folds"]) for row in rows}


def test_a_user_s_rows_are_all_in_one_fold_and_no_fold_is_empty(
    train: DataFrame, modelling: ModellingParameters
) -> None:
    five = with_settings(modelling, folds=5)
    found = folds(train, 0, five)
    assert {len(its_folds) for its_folds in found.values()} == {1}
    assert set.union(*found.values()) == {0, 1, 2, 3, 4}


def test_another_repeat_or_seed_is_another_partition_of_users(
    train: DataFrame, modelling: ModellingParameters
) -> None:
    found = folds(train, 0, modelling)
    assert folds(train.repartition(3), 0, modelling) == found
    for other in (
        folds(train, 1, modelling),
        folds(train, 0, with_settings(modelling, seed=modelling.seed + 1)),
    ):
        moved = sum(other[user] != found[user] for user in found)
        assert len(found) / 4 < moved < 3 * len(found) / 4


@pytest.fixture(scope="module")
def twice(
    train: DataFrame, inputs: InputParameters, modelling: ModellingParameters
) -> pd.DataFrame:
    """Return what is forecast out of fold, in two repeats."""
    return selection.cross_validated(train, inputs, with_settings(modelling, fold_repeats=2))


def test_every_row_is_forecast_once_per_trial_and_repeat(
    twice: pd.DataFrame, train: DataFrame, modelling: ModellingParameters
) -> None:
    known = train.select(*KEYS, "churned").toPandas().sort_values(KEYS, ignore_index=True)
    for repeat in (0, 1):
        own = twice[twice["repeat"] == repeat].sort_values(KEYS, ignore_index=True)
        assert own[[*KEYS, "churned"]].equals(known)
        expected = folds(train, repeat, modelling)
        found = zip(own["user_id"], own["fold"], strict=True)
        assert all(expected[user] == {fold} for user, fold in found)
    assert set(twice["trial"]) == {0}
    assert (twice["fit_seconds"] > 0).all()


def test_what_is_forecast_has_taught_its_model_nothing(
    twice: pd.DataFrame,
    train: DataFrame,
    inputs: InputParameters,
    modelling: ModellingParameters,
) -> None:
    is_first = selection.fold_of(0, modelling) == 0
    others = train.where(~is_first)
    turned = train.where(is_first).withColumn("churned", ~F.col("churned"))
    more = turned.withColumn("user_id", F.explode(F.array("user_id", "user_id")))
    altered = selection.cross_validated(others.unionAll(more), inputs, modelling)

    def forecasts(rows: pd.DataFrame) -> pd.DataFrame:
        """Return one forecast of each row."""
        own = rows[rows["repeat"] == 0].drop_duplicates(KEYS).set_index(KEYS)
        return own.sort_index()[["fold", "probability"]]

    before, after = forecasts(twice), forecasts(altered)
    change = (after["probability"] - before["probability"]).abs().groupby(before["fold"]).max()
    assert change[0] < 1e-9  # forecast by what the second fold taught
    assert change[1] > 0.01  # forecast by what the altered one taught


def test_partitions_and_order_of_the_rows_change_no_forecast_of_xgboost(
    fitted: Callable[[str], PipelineModel],
    train: DataFrame,
    inputs: InputParameters,
    modelling: ModellingParameters,
) -> None:
    shuffled = train.repartition(3, "thumbs_up").sortWithinPartitions("next_song")
    assert shuffled.rdd.getNumPartitions() == 3
    model = fitted("xgboost")
    settings = {
        name: classifier(model).getOrDefault(name)
        for name in ("n_estimators", "max_depth", "learning_rate")
    }
    ready = selection.prepared(shuffled, inputs, modelling)
    assert ready.rows.rdd.getNumPartitions() == modelling.partitions == 1
    again = selection.fitted(ready, Trial("xgboost", settings), modelling)
    ready.rows.unpersist()
    before = selection.probabilities(model, train)
    after = selection.probabilities(again, shuffled)
    assert after[KEYS].equals(before[KEYS])
    assert (after["probability"] - before["probability"]).abs().max() < 1e-9


def predictions(*rows: tuple[int, int, bool, float]) -> pd.DataFrame:
    """Return predictions by trial, fold, label and probability."""
    table = pd.DataFrame(rows, columns=["trial", "fold", "churned", "probability"])
    return table.assign(repeat=0, fit_seconds=table["trial"] + 1.0)


# Of two folds, trial 1 ranks the churner of both first; trial 0 that of the first fold second.
TWO_TRIALS = predictions(
    *[(0, 0, True, 0.5), (0, 0, False, 0.6), (0, 0, False, 0.1)],
    *[(0, 1, True, 0.8), (0, 1, False, 0.4), (0, 1, False, 0.1)],
    *[(1, 0, True, 0.5), (1, 0, False, 0.4), (1, 0, False, 0.1)],
    *[(1, 1, True, 0.5), (1, 1, False, 0.4), (1, 1, False, 0.1)],
)


def test_a_fold_s_score_is_its_average_precision_or_its_log_loss_turned() -> None:
    scores = selection.fold_scores(TWO_TRIALS, "average_precision")
    assert scores.to_dict() == {(0, 0, 0): 0.5, (0, 0, 1): 1, (1, 0, 0): 1, (1, 0, 1): 1}
    losses = selection.fold_scores(TWO_TRIALS, "log_loss")
    assert losses[0, 0, 0] == pytest.approx((log(0.5) + log(0.4) + log(0.9)) / 3)
    assert losses[1, 0, 1] == pytest.approx((log(0.5) + log(0.6) + log(0.9)) / 3)


def test_a_fold_without_a_churner_is_left_out() -> None:
    nobody = predictions((0, 2, False, 0.4), (0, 2, False, 0.1))
    scores = selection.fold_scores(pd.concat([TWO_TRIALS, nobody]), "average_precision")
    assert list(scores.index) == [(0, 0, 0), (0, 0, 1), (1, 0, 0), (1, 0, 1)]


def test_trials_are_compared_fold_by_fold_with_the_best(modelling: ModellingParameters) -> None:
    two = {"logistic_regression": {"regParam": [0.3, 0.03]}}
    table = selection.compared(TWO_TRIALS, with_settings(modelling, candidates=two))
    assert table["trial"].tolist() == [1, 0]
    assert table["candidate"].tolist() == ["logistic_regression"] * 2
    assert table["settings"].tolist() == ["regParam=0.03", "regParam=0.3"]
    assert table["average_precision"].tolist() == [1, 0.75]
    # Behind by 0.5 in one fold and by nothing in the other.
    assert table["behind"].tolist() == [0, 0.25]
    assert table["behind_error"].tolist() == [0, pytest.approx(0.25)]
    assert table["folds"].tolist() == [2, 2]
    assert table["fit_seconds"].tolist() == [2, 1]
    losses = -selection.fold_scores(TWO_TRIALS, "log_loss").groupby("trial").mean()
    assert table.set_index("trial")["log_loss"].to_dict() == pytest.approx(losses.to_dict())


def test_trials_are_compared_by_what_selects(modelling: ModellingParameters) -> None:
    two = {"logistic_regression": {"regParam": [0.3, 0.03]}}
    by_loss = with_settings(modelling, candidates=two, selection="log_loss")
    sure = TWO_TRIALS.assign(
        probability=TWO_TRIALS["probability"].where(TWO_TRIALS["trial"] == 0, 0.01)
    )
    table = selection.compared(sure, by_loss)
    assert table["trial"].tolist() == [0, 1]
    losses = table.set_index("trial")["log_loss"]
    assert table["behind"].tolist() == pytest.approx([0, losses[1] - losses[0]])


@pytest.mark.parametrize(
    ("trials", "chosen"),
    [
        ([(2, 0.0, 0.0), (1, 0.03, 0.05), (0, 0.04, 0.03)], 1),  # trial 0 is measurably behind
        ([(2, 0.0, 0.0), (1, 0.03, 0.05), (0, 0.04, 0.04)], 0),  # by just one standard error
        ([(2, 0.0, 0.0), (1, 0.03, 0.02), (0, 0.04, 0.03)], 2),
        ([(0, 0.0, 0.0), (1, 0.0, 0.0)], 0),
        ([(1, 0.0, 0.0), (0, 0.01, 0.0)], 1),  # a single fold knows no error
    ],
)
def test_the_simplest_trial_that_is_not_measurably_behind_wins(
    trials: list[tuple[int, float, float]], chosen: int
) -> None:
    compared = pd.DataFrame(trials, columns=["trial", "behind", "behind_error"])
    assert selection.simplest_of_the_best(compared) == chosen
