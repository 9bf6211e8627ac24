"""What a fitted model looks at, read from the model itself."""

from typing import Any

import pandas as pd
from pyspark.ml import PipelineModel
from pyspark.ml.feature import VectorSlicer

from sparkify.pipelines.modelling.candidates import get_classifier
from sparkify.pipelines.modelling.inputs import list_inputs


def moderator_of(model: PipelineModel) -> str | None:
    """Name the input that changes the weight of the others in a linear model; None for none."""
    slicers = [stage for stage in model.stages if isinstance(stage, VectorSlicer)]
    return list_inputs(model)[slicers[0].getIndices()[0]] if slicers else None


def feature_weights(churn_model: PipelineModel) -> pd.DataFrame:
    """List how much each input weighs in the champion, the heaviest first.

    One row per input: `weight` is a `coefficient` of the standardised input in a linear model,
    and an `importance` in an ensemble of trees.
    """
    names, moderator = list_inputs(churn_model), moderator_of(churn_model)
    kind, weights = _weights(get_classifier(churn_model), names, moderator)
    table = weights.rename("weight").rename_axis("feature").reset_index().assign(kind=kind)
    return table.sort_values("weight", key=abs, ascending=False, kind="stable", ignore_index=True)


def _weights(model: Any, names: list[str], moderator: str | None) -> tuple[str, pd.Series]:
    """Return what a classifier's weights are, and those of its inputs."""
    if hasattr(model, "coefficients"):
        coefficients = model.coefficients.toArray()
        products = [f"{name}, {moderator}" for name in names][: len(coefficients) - len(names)]
        return "coefficient", pd.Series(coefficients, [*names, *products])
    if hasattr(model, "featureImportances"):
        return "importance", pd.Series(model.featureImportances.toArray(), names)
    gains = model.get_feature_importances("total_gain")
    of_input = pd.Series([gains.get(f"f{place}", 0.0) for place in range(len(names))], names)
    return "importance", of_input / (of_input.sum() or 1.0)
