"""The models that compete, each a Spark ML Pipeline with its preprocessing inside."""

from collections.abc import Callable, Mapping, Sequence
from itertools import product
from typing import Any, NamedTuple

from pyspark.ml import Pipeline
from pyspark.ml.classification import (
    GBTClassifier,
    LogisticRegression,
    RandomForestClassifier,
)
from pyspark.ml.feature import SQLTransformer, StandardScaler, VectorAssembler

from sparkify.pipelines.modelling.parameters import ModellingParameters, Setting

FEATURES, LABEL = "features", "label"
LOG = "log_"  # prefix of the logarithm of a feature


class Trial(NamedTuple):
    """A candidate with one combination of its settings."""

    candidate: str
    settings: dict[str, Setting]

    def __str__(self) -> str:
        settings = ", ".join(f"{name} {value:g}" for name, value in self.settings.items())
        return f"{self.candidate} ({settings})"


def trials(parameters: ModellingParameters) -> list[Trial]:
    """List every combination of settings of every candidate.

    Raises:
        ValueError: if a candidate is not known.
    """
    for candidate in parameters.candidates:
        if candidate not in CANDIDATES:
            known = ", ".join(CANDIDATES)
            raise ValueError(f"modelling.candidates: '{candidate}' is not one of {known}.")
    return [
        Trial(candidate, dict(zip(grid, values, strict=True)))
        for candidate, grid in parameters.candidates.items()
        if grid is not None
        for values in product(*grid.values())
    ]


def pipeline(trial: Trial, inputs: Sequence[str], seed: int) -> Pipeline:
    """Build the unfitted pipeline of a trial.

    Fitted on rows with the `inputs` and a `label` of 0.0 or 1.0, it adds `probability` to rows
    with the `inputs` alone.
    """
    return CANDIDATES[trial.candidate](inputs, trial.settings, seed)


def _logistic_regression(
    inputs: Sequence[str],
    settings: Mapping[str, Any],
    seed: int,  # noqa: ARG001
) -> Pipeline:
    """Logarithms of the heavy-tailed counts, standardised, in a linear model."""
    logs = ", ".join(f"log1p({name}) AS {LOG}{name}" for name in inputs)
    return Pipeline(
        stages=[
            SQLTransformer(statement=f"SELECT *, {logs} FROM __THIS__"),  # noqa: S608
            VectorAssembler(inputCols=[LOG + name for name in inputs], outputCol="logs"),
            StandardScaler(inputCol="logs", outputCol=FEATURES, withMean=True),
            LogisticRegression(labelCol=LABEL, standardization=False, **settings),
        ]
    )


def _random_forest(inputs: Sequence[str], settings: Mapping[str, Any], seed: int) -> Pipeline:
    forest = RandomForestClassifier(labelCol=LABEL, seed=seed, **settings)
    return Pipeline(stages=[VectorAssembler(inputCols=list(inputs), outputCol=FEATURES), forest])


def _gradient_boosted_trees(
    inputs: Sequence[str], settings: Mapping[str, Any], seed: int
) -> Pipeline:
    trees = GBTClassifier(labelCol=LABEL, seed=seed, **settings)
    return Pipeline(stages=[VectorAssembler(inputCols=list(inputs), outputCol=FEATURES), trees])


CANDIDATES: dict[str, Callable[[Sequence[str], Mapping[str, Any], int], Pipeline]] = {
    "logistic_regression": _logistic_regression,
    "random_forest": _random_forest,
    "gradient_boosted_trees": _gradient_boosted_trees,
}
