"""Weights of a model's inputs, read from its fitted classifier."""

import numpy as np
import pandas as pd
from pyspark.ml import PipelineModel
from pyspark.ml.feature import VectorSlicer

from sparkify.pipelines.modelling.candidates import get_classifier
from sparkify.pipelines.modelling.inputs import list_inputs


def get_moderator(model: PipelineModel) -> str | None:
    """Return the input that a linear model multiplies all inputs with, or None."""
    slicers = [stage for stage in model.stages if isinstance(stage, VectorSlicer)]
    return list_inputs(model)[slicers[0].getIndices()[0]] if slicers else None


def read_weights(model: PipelineModel, names: list[str]) -> tuple[str, pd.Series]:
    """Return the kind of a model's weights, and the weight of each input.

    Products with the moderator are named "input, moderator". A moderator of 0 and 1 equals its
    square: both are one input with equal weights, which are added.
    """
    classifier = get_classifier(model)
    if hasattr(classifier, "coefficients"):
        coefficients, moderator = classifier.coefficients.toArray(), get_moderator(model)
        products = [f"{name}, {moderator}" for name in names][: len(coefficients) - len(names)]
        weights = pd.Series(coefficients, [*names, *products])
        square = f"{moderator}, {moderator}"
        if moderator and np.isclose(weights[square], weights[moderator]):
            weights[moderator] += weights.pop(square)
        return "coefficient", weights
    if hasattr(classifier, "featureImportances"):
        return "importance", pd.Series(classifier.featureImportances.toArray(), names)
    gains = classifier.get_feature_importances("total_gain")
    weights = pd.Series([gains.get(f"f{number}", 0.0) for number in range(len(names))], names)
    return "importance", weights / (weights.sum() or 1.0)
