"""From a fitted model to what explains its forecasts, by the model's own inputs."""

import json
from typing import Any

from pyspark.ml import PipelineModel
from pyspark.ml.classification import GBTClassificationModel, RandomForestClassificationModel
from pyspark.ml.feature import StandardScalerModel

from sparkify.ml.contributions import Boosted, Classifier, Linear, Trees
from sparkify.ml.segments import LearntRate, segments_of
from sparkify.pipelines.evaluation.feature_weights import moderator_of
from sparkify.pipelines.modelling.candidates import classifier
from sparkify.pipelines.modelling.input_definitions import Plain, Rate
from sparkify.pipelines.modelling.inputs import LearntInput, inputs_of, learnt_inputs
from sparkify.pipelines.modelling.parameters import InputParameters
from sparkify.pipelines.scoring.parameters import ScoringParameters
from sparkify.pipelines.scoring.reasons import (
    Explanation,
    PlainWords,
    RateWords,
    SegmentWords,
    Words,
)

TREE_ARRAYS = (
    *("children_left", "children_right", "children_default", "features"),
    *("thresholds", "values", "node_sample_weight"),
)
CHURNING = -1  # the last column of a tree's values: of the churners, or of the margin alone


def explanation(
    model: PipelineModel, inputs: InputParameters, scoring: ScoringParameters
) -> Explanation:
    """Return what explains a model's forecasts: its classifier, and words for its inputs."""
    of_segments = _segment_words(model, inputs, scoring.least_of_prior)
    words = [
        of_segments.get(learnt.name) or _words(learnt, inputs, scoring.least_of_prior)
        for learnt in learnt_inputs(model)
    ]
    return Explanation(explained(model), words, scoring.reasons, scoring.least_of_strongest)


def explained(model: PipelineModel) -> Classifier:
    """Return a fitted model's classifier as Spark's Python workers take it."""
    fitted = classifier(model)
    if hasattr(fitted, "coefficients"):
        return _linear(model, fitted)
    if isinstance(fitted, RandomForestClassificationModel):
        return Trees(_trees(fitted), 1.0)  # a forest adds up in probability
    if isinstance(fitted, GBTClassificationModel):
        return Trees(_trees(fitted), 2.0)  # Spark's log-odds are twice the sum of its trees
    return Boosted(fitted.get_booster().save_raw("json").decode())


def _linear(model: PipelineModel, fitted: Any) -> Linear:
    weighed = fitted.getFeaturesCol()
    (scaler,) = [
        stage
        for stage in model.stages
        if isinstance(stage, StandardScalerModel) and stage.getOutputCol() == weighed
    ]
    moderator = moderator_of(model)
    return Linear(
        float(fitted.intercept),
        fitted.coefficients.toArray().tolist(),
        scaler.mean.toArray().tolist(),
        scaler.std.toArray().tolist(),
        None if moderator is None else inputs_of(model).index(moderator),
    )


def _trees(fitted: Any) -> str:
    """Read Spark's trees by the shap library; JSON text of what its explainer takes."""
    import shap  # noqa: PLC0415 -- three seconds that only a model of Spark's trees is worth

    read = shap.TreeExplainer(fitted).model.trees
    trees = [{name: getattr(tree, name).tolist() for name in TREE_ARRAYS} for tree in read]
    for tree in trees:
        tree["values"] = [[value[CHURNING]] for value in tree["values"]]
    return json.dumps(trees)


def _words(
    learnt: LearntInput | LearntRate, inputs: InputParameters, least_of_prior: float
) -> Words:
    """Return how to say an input; by its name where the parameters have no words for it."""
    if isinstance(learnt, LearntRate):
        return _rate_words(learnt, inputs, least_of_prior)
    feature = learnt.feature or learnt.name
    plain = (inputs.plain or {}).get(feature)
    words = _given(plain, "words") or f"{feature.replace('_', ' ')}: {{value:.4g}}"
    return PlainWords(learnt.name, feature, words, _given(plain, "at_zero") or words)


def _rate_words(learnt: LearntRate, inputs: InputParameters, least_of_prior: float) -> RateWords:
    """Return how to say a rate as the model learnt it, in the parameters' words for it.

    By its name where the parameters now have another rate of that name than the model learnt.
    """
    rate = inputs.every_rate.get(learnt.name)
    if rate is not None and (rate.count, rate.per) != (learnt.count, learnt.per):
        rate, inputs = None, inputs.model_copy(update={"rates": {}, "segments": None})
    return RateWords(
        learnt.name,
        learnt.count,
        learnt.per,
        learnt.overall,
        inputs.rate_words(learnt.name),
        _given(rate, "of") or learnt.per.replace("_", " "),
        learnt.prior * least_of_prior,
    )


def _segment_words(
    model: PipelineModel, inputs: InputParameters, least_of_prior: float
) -> dict[str, SegmentWords]:
    """Return, by each of the segments' inputs, how to say of which segment a customer is."""
    segments = segments_of(model)
    if segments is None:
        return {}
    rates = [_rate_words(rate, inputs, least_of_prior) for rate in segments.learnt_rates]
    shares, of_segments = (segments.getOrDefault(name) for name in ("shares", "rates"))
    told = segments.getOutputCols()
    return dict.fromkeys(told, SegmentWords(rates, told, shares, of_segments))


def _given(how: Rate | Plain | None, name: str) -> str | None:
    return getattr(how, name, None)
