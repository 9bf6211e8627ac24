"""The settings of each candidate, read from the classes that fit it."""

import inspect
from collections.abc import Mapping, Sequence
from typing import Any, get_type_hints

from pyspark.ml.classification import (
    GBTClassifier,
    LogisticRegression,
    RandomForestClassifier,
)
from pyspark.ml.param import Param, TypeConverters
from xgboost import XGBModel

from sparkify.schemas.parameters import unknown_name, wrong_value

ESTIMATORS: dict[str, type[Any]] = {
    "logistic_regression": LogisticRegression,
    "random_forest": RandomForestClassifier,
    "gradient_boosted_trees": GBTClassifier,
    "xgboost": XGBModel,
}
KINDS: dict[object, type[int] | type[float]] = {
    TypeConverters.toInt: int,
    TypeConverters.toFloat: float,
    int | None: int,
    float | None: float,
}
# Set by the project, or without effect on the model.
NOT_SETTINGS = {"seed", "n_jobs", "verbosity", "early_stopping_rounds"}


def list_hyperparameters(candidate: str) -> dict[str, type[int] | type[float]]:
    """Return the type of each numeric setting of a candidate, by name."""
    estimator = ESTIMATORS[candidate]
    if candidate == "xgboost":
        kinds: Mapping[str, object] = get_type_hints(estimator.__init__)
    else:
        params = dict(inspect.getmembers(estimator, lambda value: isinstance(value, Param)))
        kinds = {name: param.typeConverter for name, param in params.items()}
    return {
        name: KINDS[kind]
        for name, kind in kinds.items()
        if name not in NOT_SETTINGS and kind in KINDS
    }


def require_known_settings(candidates: Mapping[str, Mapping[str, Sequence[float]] | None]) -> None:
    """Raise a PydanticCustomError without a candidate, or for a wrong setting or type."""
    for candidate, grid in candidates.items():
        if candidate not in ESTIMATORS:
            raise unknown_name(f"candidates.{candidate}", list(ESTIMATORS))
        kinds_by_name = list_hyperparameters(candidate)
        for name, values in (grid or {}).items():
            if name not in kinds_by_name:
                raise unknown_name(f"candidates.{candidate}.{name}", list(kinds_by_name))
            if kinds_by_name[name] is int and not all(isinstance(value, int) for value in values):
                raise wrong_value(f"candidates.{candidate}.{name}", values, "a list of integers")
    if all(grid is None for grid in candidates.values()):
        raise wrong_value(
            "candidates", candidates, f"settings for at least one of {', '.join(ESTIMATORS)}"
        )
