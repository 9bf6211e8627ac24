"""The candidates: each a list of Spark ML stages that follow the vector of inputs."""

from collections.abc import Callable, Mapping
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

from sparkify.ml.churn_probability import UNCALIBRATED, ChurnProbability
from sparkify.pipelines.modelling.inputs import INPUTS, LABEL, WEIGHT
from sparkify.pipelines.modelling.parameters import ModellingParameters, Setting

WEIGHED = "weighed"  # the vector that a linear candidate has coefficients for


class Trial(NamedTuple):
    """A candidate with one combination of its settings."""

    candidate: str
    settings: dict[str, Setting]

    @classmethod
    def of(cls, champion: Mapping[str, Any]) -> "Trial":
        """Return the trial that a model's description names."""
        return cls(champion["candidate"], champion["settings"])

    @property
    def label(self) -> str:
        """Candidate and settings as text."""
        settings = ", ".join(f"{name} {value:g}" for name, value in self.settings.items())
        return f"{self.candidate} ({settings})".replace("_", " ")

    @property
    def description(self) -> dict[str, Any]:
        """Candidate, settings and label, as saved in JSON."""
        return {**self._asdict(), "label": self.label}


def list_trials(parameters: ModellingParameters) -> list[Trial]:
    """List every combination of settings of every candidate."""
    return [
        Trial(candidate, dict(zip(grid, values, strict=True)))
        for candidate, grid in parameters.candidates.items()
        if grid is not None
        for values in product(*grid.values())
    ]


def build_pipeline(trial: Trial, moderator: int | None, seed: int, partitions: int) -> Pipeline:
    """Return the unfitted pipeline of a trial.

    Fitted on rows with `inputs`, a `label` of 0.0 or 1.0 and a `weight`, it adds
    `uncalibrated`, a probability.

    Args:
        trial: the candidate and its settings.
        moderator: the position among the inputs of the one that changes the weight of the others
            in a linear model; None without one.
        seed: of the candidate's random numbers.
        partitions: the number of partitions of the training rows.
    """
    stages = CANDIDATES[trial.candidate](trial.settings, moderator, seed, partitions)
    vector = _columns(trial.candidate)["probabilityCol"]
    return Pipeline(stages=[*stages, ChurnProbability(vector, UNCALIBRATED)])


def find_settings_error(trial: Trial) -> str | None:
    """Return the error of the library that fits a trial about its settings, or None.

    Needs a running Spark session, and fits at most one tree to two rows.
    """
    try:
        if trial.candidate == "xgboost":
            one_tree = {**trial.settings, "n_estimators": 1, "n_jobs": 1}
            XGBClassifier(**one_tree).fit([[0.0], [1.0]], [0, 1])
        else:
            # Spark ML checks settings when they reach Java, which creating a writer does.
            estimator: Any = CANDIDATES[trial.candidate](trial.settings, None, 0, 1)[-1]
            estimator.write()
    except XGBoostError as error:
        return str(error).partition("\n")[0]
    except IllegalArgumentException as error:
        # "GBTClassifier_488b7a70d17e parameter stepSize given invalid value 2.0."
        return str(error).partition(" ")[2].rstrip(".")
    return None


def classifier(model: PipelineModel) -> Any:
    """Return the stage of a fitted pipeline that classifies."""
    (stage,) = [stage for stage in model.stages if stage.hasParam("probabilityCol")]
    return stage


Stages = list[Estimator[Any] | Transformer]
Settings = Mapping[str, Any]


def _columns(candidate: str) -> dict[str, Any]:
    """Return the columns that a classifier reads and writes, other than the model's."""
    return {
        "labelCol": LABEL,
        "weightCol": WEIGHT,
        "probabilityCol": f"{candidate}_probability",
        "rawPredictionCol": f"{candidate}_margin",
        "predictionCol": f"{candidate}_prediction",
    }


def _logistic_regression(
    settings: Settings,
    moderator: int | None,
    seed: int,  # noqa: ARG001
    partitions: int,  # noqa: ARG001
) -> Stages:
    """Return a linear model on standardised inputs and their products with the moderator."""
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
        StandardScaler(inputCol="unscaled", outputCol=WEIGHED, withMean=True),
        LogisticRegression(
            **{**_columns("logistic_regression"), **settings},
            featuresCol=WEIGHED,
            standardization=False,
        ),
    ]


def _random_forest(
    settings: Settings,
    moderator: int | None,  # noqa: ARG001
    seed: int,
    partitions: int,  # noqa: ARG001
) -> Stages:
    columns = _columns("random_forest")
    return [RandomForestClassifier(featuresCol=INPUTS, seed=seed, **columns, **settings)]


def _gradient_boosted_trees(
    settings: Settings,
    moderator: int | None,  # noqa: ARG001
    seed: int,
    partitions: int,  # noqa: ARG001
) -> Stages:
    trees = GBTClassifier(featuresCol=INPUTS, seed=seed, **settings)
    # Its constructor does not take all of these columns.
    for name, column in _columns("gradient_boosted_trees").items():
        trees.set(trees.getParam(name), column)
    return [trees]


def _xgboost(
    settings: Settings,
    moderator: int | None,  # noqa: ARG001
    seed: int,
    partitions: int,
) -> Stages:
    """Return XGBoost's trees. As many workers as partitions keep the order of the rows."""
    columns = _columns("xgboost")
    return [
        SparkXGBClassifier(
            features_col=INPUTS,
            label_col=columns["labelCol"],
            weight_col=columns["weightCol"],
            probability_col=columns["probabilityCol"],
            raw_prediction_col=columns["rawPredictionCol"],
            prediction_col=columns["predictionCol"],
            num_workers=partitions,
            random_state=seed,
            verbose=False,
            verbosity=0,
            **settings,
        )
    ]


CANDIDATES: dict[str, Callable[[Settings, int | None, int, int], Stages]] = {
    "logistic_regression": _logistic_regression,
    "random_forest": _random_forest,
    "gradient_boosted_trees": _gradient_boosted_trees,
    "xgboost": _xgboost,
}
