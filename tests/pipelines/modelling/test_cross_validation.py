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


def with_settings(modelling: ModellingParameters, **settings: object) -> ModellingParameters:
    return modelling.model_copy(update=settings)


@pytest.fixture(scope="module")
def twice(
    train: DataFrame, inputs: InputParameters, modelling: ModellingParameters
) -> pd.DataFrame:
    """Return what is forecast out of fold, in two repeats."""
    return fitting.predict_out_of_fold(train, inputs, with_settings(modelling, fold_repeats=2))


def test_every_row_is_forecast_once_per_trial_and_repeat(
    twice: pd.DataFrame, train: DataFrame, modelling: ModellingParameters
) -> None:
    known = train.select(*KEYS, "churned").toPandas().sort_values(KEYS, ignore_index=True)
    for repeat in (0, 1):
        own = twice[twice["repeat"] == repeat].sort_values(KEYS, ignore_index=True)
        assert own[[*KEYS, "churned"]].equals(known)
        users = train.select("user_id", assign_fold(repeat, modelling).alias("fold")).distinct()
        expected = {row["user_id"]: row["fold"] for row in users.collect()}
        found = zip(own["user_id"], own["fold"], strict=True)
        assert all(expected[user] == fold for user, fold in found)
    assert set(twice["trial"]) == {0}


def test_what_is_forecast_has_taught_its_model_nothing(
    twice: pd.DataFrame,
    train: DataFrame,
    inputs: InputParameters,
    modelling: ModellingParameters,
) -> None:
    is_first = assign_fold(0, modelling) == 0
    others = train.where(~is_first)
    turned = train.where(is_first).withColumn("churned", ~F.col("churned"))
    more = turned.withColumn("user_id", F.explode(F.array("user_id", "user_id")))
    altered = fitting.predict_out_of_fold(others.unionAll(more), inputs, modelling)

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
        name: get_classifier(model).getOrDefault(name)
        for name in ("n_estimators", "max_depth", "learning_rate")
    }
    ready = fitting.prepare_rows(shuffled, inputs, modelling)
    assert ready.rows.rdd.getNumPartitions() == modelling.partitions == 1
    again = fitting.fit_trial(ready, Trial("xgboost", settings), modelling)
    ready.rows.unpersist()
    before = fitting.predict_uncalibrated(model, train)
    after = fitting.predict_uncalibrated(again, shuffled)
    assert after[KEYS].equals(before[KEYS])
    assert (after["probability"] - before["probability"]).abs().max() < 1e-9


class LostError(Py4JJavaError):  # type: ignore[misc]
    """What Spark says, without a Java that says it."""

    def __init__(self, said: str) -> None:
        Exception.__init__(self, said)
        self.said = said

    def __str__(self) -> str:
        return self.said


class Failing:
    """A pipeline that fails some times before it is fitted."""

    def __init__(self, times: int, said: str) -> None:
        self.times, self.said, self.fits = times, said, 0

    def fit(self, rows: DataFrame) -> PipelineModel:
        self.fits += 1
        if self.fits <= self.times:
            raise LostError(self.said)
        return PipelineModel([])


@pytest.mark.parametrize(
    ("times", "said", "fits"),
    [
        (1, "Could not recover from a failed barrier ResultStage.", 2),
        (3, "Could not recover from a failed barrier ResultStage.", 3),
        (1, "Job aborted due to stage failure: out of memory", 1),
    ],
)
def test_a_fit_that_loses_a_worker_is_made_again_and_no_other(
    modelling: ModellingParameters,
    monkeypatch: pytest.MonkeyPatch,
    times: int,
    said: str,
    fits: int,
) -> None:
    pipeline = Failing(times, said)
    monkeypatch.setattr(fitting, "build_pipeline", lambda *_: pipeline)
    ready = fitting.Prepared(PipelineModel([]), None, None)  # type: ignore[arg-type]
    if fits > times:
        fitting.fit_trial(ready, Trial("xgboost", {}), modelling)
    else:
        with pytest.raises(LostError, match=said.split(":", maxsplit=1)[0]):
            fitting.fit_trial(ready, Trial("xgboost", {}), modelling)
    assert pipeline.fits == fits
