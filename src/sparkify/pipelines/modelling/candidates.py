"""Candidates: lists of Spark ML stages that predict churn from the vector of inputs."""

from collections.abc import Mapping
from itertools import product
from typing import Any, NamedTuple

from pyspark.errors import IllegalArgumentException
from pyspark.ml import Estimator, Pipeline, PipelineModel, Transformer
from pyspark.ml.classification import (
    GBTClassifier,
    LogisticRegression,
    RandomForestClassifier,
)
from pyspark.ml.feature import Interaction, StandardScaler, VectorAssembler, VectorSlicer
from xgboost import XGBClassifier
from xgboost.core import XGBoostError
from xgboost.spark import SparkXGBClassifier

from sparkify.ml.calibration import UNCALIBRATED, ChurnProbability
from sparkify.pipelines.modelling.inputs import INPUTS, LABEL, WEIGHT
from sparkify.pipelines.modelling.parameters import ModellingParameters, Setting

SCALED = "scaled"  # column with the vector of scaled inputs, of a linear candidate
Stages = list[Estimator[Any] | Transformer]


class Trial(NamedTuple):
    """A candidate with one combination of its settings."""

    candidate: str
    settings: dict[str, Setting]

    @classmethod
    def from_description(cls, champion: Mapping[str, Any]) -> "Trial":
        """Return the trial that a champion's description names."""
        return cls(champion["candidate"], champion["settings"])

    @property
    def label(self) -> str:
        """Candidate and settings as text."""
        return str(self).replace("_", " ")

    @property
    def description(self) -> dict[str, Any]:
        """Candidate, settings and label, for JSON."""
        return {**self._asdict(), "label": self.label}

    def __str__(self) -> str:
        settings = ", ".join(f"{name} {value:g}" for name, value in self.settings.items())
        return f"{self.candidate} ({settings})"


def list_trials(parameters: ModellingParameters) -> list[Trial]:
    """List every combination of settings of every candidate."""
    return [
        Trial(candidate, dict(zip(grid, values, strict=True)))
        for candidate, grid in parameters.candidates.items()
        if grid is not None
        for values in product(*grid.values())
    ]


def build_pipeline(trial: Trial, moderator: int | None, seed: int, partitions: int) -> Pipeline:
    """Build the unfitted pipeline of a trial.

    Fitted on rows with `inputs`, a `label` of 0.0 or 1.0 and a `weight`, it adds `uncalibrated`, a
    probability. `moderator` is the position of the input that a linear model multiplies all inputs
    with; `partitions` is the number of partitions of the training rows.
    """
    stages = _build_stages(trial, moderator, seed, partitions)
    vector = _name_columns(trial.candidate)["probabilityCol"]
    return Pipeline(stages=[*stages, ChurnProbability(vector, UNCALIBRATED)])


def find_settings_error(trial: Trial) -> str | None:
    """Return why a library rejects a trial's settings; None if it accepts them.

    Needs a running Spark session, and fits at most one tree to two rows.
    """
    try:
        if trial.candidate == "xgboost":
            one_tree = {**trial.settings, "n_estimators": 1, "n_jobs": 1}
            XGBClassifier(**one_tree).fit([[0.0], [1.0]], [0, 1])
        else:
            # Spark ML validates settings only when they reach Java; creating a writer sends them.
            estimator: Any = _build_stages(trial, None, 0, 1)[-1]
            estimator.write()
    except XGBoostError as error:
        return str(error).partition("\n")[0]
    except IllegalArgumentException as error:
        # "GBTClassifier_488b7a70d17e parameter stepSize given invalid value 2.0."
        return str(error).partition(" ")[2].rstrip(".")
    return None


def get_classifier(model: PipelineModel) -> Any:
    """Return the classifier stage of a fitted pipeline."""
    (stage,) = [stage for stage in model.stages if stage.hasParam("probabilityCol")]
    return stage


def _name_columns(candidate: str) -> dict[str, Any]:
    """Return a classifier's columns by parameter; those it adds start with the candidate's name."""
    return {
        "labelCol": LABEL,
        "weightCol": WEIGHT,
        "probabilityCol": f"{candidate}_probability",
        "rawPredictionCol": f"{candidate}_margin",
        "predictionCol": f"{candidate}_prediction",
    }


def _build_stages(trial: Trial, moderator: int | None, seed: int, partitions: int) -> Stages:
    columns, settings = _name_columns(trial.candidate), dict[str, Any](trial.settings)
    if trial.candidate == "logistic_regression":
        return _build_linear_stages(columns, settings, moderator)
    if trial.candidate == "random_forest":
        return [RandomForestClassifier(featuresCol=INPUTS, seed=seed, **columns, **settings)]
    if trial.candidate == "gradient_boosted_trees":
        trees = GBTClassifier(featuresCol=INPUTS, seed=seed, **settings)
        # The constructor does not accept all of these parameters.
        for name, column in columns.items():
            trees.set(trees.getParam(name), column)
        return [trees]
    return [
        SparkXGBClassifier(
            features_col=INPUTS,
            label_col=columns["labelCol"],
            weight_col=columns["weightCol"],
            probability_col=columns["probabilityCol"],
            raw_prediction_col=columns["rawPredictionCol"],
            prediction_col=columns["predictionCol"],
            num_workers=partitions,  # one per partition, which keeps the order of the rows
            random_state=seed,
            verbose=False,
            verbosity=0,
            **settings,
        )
    ]


def _build_linear_stages(
    columns: dict[str, Any], settings: Mapping[str, Any], moderator: int | None
) -> Stages:
    """Return a linear model of standardised inputs and their products with the moderator."""
    products: Stages = []
    vectors = [INPUTS]
    if moderator is not None:
        products = [
            VectorSlicer(inputCol=INPUTS, outputCol="moderator", indices=[moderator]),
            Interaction(inputCols=["moderator", INPUTS], outputCol="moderated"),
        ]
        vectors.append("moderated")
    return [
        *products,
        VectorAssembler(inputCols=vectors, outputCol="unscaled"),
        StandardScaler(inputCol="unscaled", outputCol=SCALED, withMean=True),
        LogisticRegression(**{**columns, **settings}, featuresCol=SCALED, standardization=False),
    ]
