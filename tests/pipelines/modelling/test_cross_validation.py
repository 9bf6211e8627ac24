from collections.abc import Callable

import pandas as pd
import pytest
from py4j.protocol import Py4JJavaError
from pyspark.ml import PipelineModel
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from sparkify.pipelines.modelling import cross_validation as fitting
from sparkify.pipelines.modelling.candidates import Trial, get_classifier
from sparkify.pipelines.modelling.folds import assign_fold
from sparkify.pipelines.modelling.parameters import InputParameters, ModellingParameters
from sparkify.schemas import KEYS
from sparkify.spark.functions import to_sorted_pandas


def with_settings(modelling: ModellingParameters, **settings: object) -> ModellingParameters:
    return modelling.model_copy(update=settings)


@pytest.fixture(scope="module")
def two_repeats(
    train: DataFrame, inputs: InputParameters, modelling: ModellingParameters
) -> pd.DataFrame:
    """Return out-of-fold predictions of two repeats."""
    settings = with_settings(modelling, fold_repeats=2)
    return fitting.predict_out_of_fold(train, inputs, settings).toPandas()


def test_every_row_is_predicted_once_per_trial_and_repeat(
    two_repeats: pd.DataFrame, train: DataFrame, modelling: ModellingParameters
) -> None:
    expected_rows = train.select(*KEYS, "churned").toPandas().sort_values(KEYS, ignore_index=True)
    for repeat in (0, 1):
        rows = two_repeats[two_repeats["repeat"] == repeat].sort_values(KEYS, ignore_index=True)
        assert rows[[*KEYS, "churned"]].equals(expected_rows)
        users = train.select("user_id", assign_fold(repeat, modelling).alias("fold")).distinct()
        expected = {row["user_id"]: row["fold"] for row in users.collect()}
        folds_by_user = zip(rows["user_id"], rows["fold"], strict=True)
        assert all(expected[user] == fold for user, fold in folds_by_user)
    assert set(two_repeats["trial"]) == {0}


def test_held_out_rows_do_not_affect_their_own_predictions(
    two_repeats: pd.DataFrame,
    train: DataFrame,
    inputs: InputParameters,
    modelling: ModellingParameters,
) -> None:
    is_first = assign_fold(0, modelling) == 0
    others = train.where(~is_first)
    flipped = train.where(is_first).withColumn("churned", ~F.col("churned"))
    repeated = flipped.withColumn("user_id", F.explode(F.array("user_id", "user_id")))
    changed = others.unionAll(repeated)
    altered = fitting.predict_out_of_fold(changed, inputs, modelling).toPandas()

    def forecasts(rows: pd.DataFrame) -> pd.DataFrame:
        """Return one prediction of each row."""
        once = rows[rows["repeat"] == 0].drop_duplicates(KEYS).set_index(KEYS)
        return once.sort_index()[["fold", "probability"]]

    before, after = forecasts(two_repeats), forecasts(altered)
    change = (after["probability"] - before["probability"]).abs().groupby(before["fold"]).max()
    assert change[0] < 1e-9  # predicted by a model of the second fold
    assert change[1] > 0.01  # predicted by a model of the altered fold


def test_xgboost_predicts_the_same_for_any_partitions_and_order(
    fitted: Callable[[str], PipelineModel],
    train: DataFrame,
    inputs: InputParameters,
    modelling: ModellingParameters,
) -> None:
    shuffled = train.repartition(3, "thumbs_up").sortWithinPartitions("next_song")
    assert shuffled.rdd.getNumPartitions() == 3
    model = fitted("xgboost")
    settings = {
        name: get_classifier(model).getOrDefault(name)
        for name in ("n_estimators", "max_depth", "learning_rate")
    }
    prepared = fitting.prepare_rows(shuffled, inputs, modelling)
    assert prepared.rows.rdd.getNumPartitions() == modelling.partitions == 1
    again = fitting.fit_trial(prepared, Trial("xgboost", settings), modelling)
    prepared.rows.unpersist()
    before = to_sorted_pandas(fitting.predict_uncalibrated(model, train), *KEYS)
    after = to_sorted_pandas(fitting.predict_uncalibrated(again, shuffled), *KEYS)
    assert after[KEYS].equals(before[KEYS])
    assert (after["probability"] - before["probability"]).abs().max() < 1e-9


class WorkerError(Py4JJavaError):  # type: ignore[misc]
    """An error from Spark, without a Java object behind it."""

    def __init__(self, message: str) -> None:
        Exception.__init__(self, message)
        self.message = message

    def __str__(self) -> str:
        return self.message


class FailingPipeline:
    """A pipeline whose first fits fail."""

    def __init__(self, times: int, message: str) -> None:
        self.times, self.message, self.fits = times, message, 0

    def fit(self, rows: DataFrame) -> PipelineModel:
        self.fits += 1
        if self.fits <= self.times:
            raise WorkerError(self.message)
        return PipelineModel([])


@pytest.mark.parametrize(
    ("times", "message", "fits"),
    [
        (1, "Could not recover from a failed barrier ResultStage.", 2),
        (3, "Could not recover from a failed barrier ResultStage.", 3),
        (1, "Job aborted due to stage failure: out of memory", 1),
    ],
)
def test_only_a_fit_that_loses_a_worker_is_repeated(
    modelling: ModellingParameters,
    monkeypatch: pytest.MonkeyPatch,
    times: int,
    message: str,
    fits: int,
) -> None:
    pipeline = FailingPipeline(times, message)
    monkeypatch.setattr(fitting, "build_pipeline", lambda *_: pipeline)
    prepared = fitting.Prepared(PipelineModel([]), None, None)  # type: ignore[arg-type]
    if fits > times:
        fitting.fit_trial(prepared, Trial("xgboost", {}), modelling)
    else:
        with pytest.raises(WorkerError, match=message.split(":", maxsplit=1)[0]):
            fitting.fit_trial(prepared, Trial("xgboost", {}), modelling)
    assert pipeline.fits == fits
