"""Explanation of a model's predictions by its inputs."""

import json
from typing import Any

from pyspark.ml import PipelineModel
from pyspark.ml.classification import GBTClassificationModel, RandomForestClassificationModel
from pyspark.ml.feature import StandardScalerModel

from sparkify.ml.contributions import (
    Contributions,
    LinearContributions,
    TreeContributions,
    XGBoostContributions,
)
from sparkify.ml.reasons import (
    Explanation,
    FeatureText,
    InputText,
    RateText,
    SegmentText,
    find_level,
)
from sparkify.ml.segments import get_segments
from sparkify.ml.shrunken_rates import Rate
from sparkify.pipelines.evaluation.feature_weights import get_moderator
from sparkify.pipelines.modelling.candidates import get_classifier
from sparkify.pipelines.modelling.input_definitions import Plain
from sparkify.pipelines.modelling.inputs import PlainInput, describe_inputs, list_inputs
from sparkify.pipelines.modelling.parameters import InputParameters
from sparkify.pipelines.scoring.parameters import ScoringParameters

TREE_ARRAYS = (
    *("children_left", "children_right", "children_default", "features"),
    *("thresholds", "values", "node_sample_weight"),
)
LAST = -1  # column of a tree's values: share of churners (forest) or margin (boosted trees)


def explain_model(
    model: PipelineModel, inputs: InputParameters, scoring: ScoringParameters
) -> Explanation:
    """Create the explanation of a model's predictions: contributions, and a text per input."""
    segments = _create_segment_texts(model, inputs, scoring.min_exposure)
    texts = [
        segments.get(item.name) or _create_input_text(item, inputs, scoring.min_exposure)
        for item in describe_inputs(model)
    ]
    unstated = {
        item.name
        for item in describe_inputs(model)
        if isinstance(item, PlainInput) and not _get_definition(item, inputs).is_reason
    }
    return Explanation(
        get_contributions(model), texts, scoring.reasons, scoring.min_contribution_share, unstated
    )


def get_contributions(model: PipelineModel) -> Contributions:
    """Return the object that computes a model's contributions in Spark's Python workers."""
    classifier = get_classifier(model)
    if hasattr(classifier, "coefficients"):
        return _create_linear_contributions(model, classifier)
    if isinstance(classifier, RandomForestClassificationModel):
        return TreeContributions(_read_trees(classifier), 1.0)  # a forest's sum is a probability
    if isinstance(classifier, GBTClassificationModel):
        # Spark's log-odds are twice the sum of its trees.
        return TreeContributions(_read_trees(classifier), 2.0)
    return XGBoostContributions(classifier.get_booster().save_raw("json").decode())


def _create_linear_contributions(model: PipelineModel, classifier: Any) -> LinearContributions:
    vector = classifier.getFeaturesCol()
    (scaler,) = [
        stage
        for stage in model.stages
        if isinstance(stage, StandardScalerModel) and stage.getOutputCol() == vector
    ]
    moderator = get_moderator(model)
    return LinearContributions(
        float(classifier.intercept),
        classifier.coefficients.toArray().tolist(),
        scaler.mean.toArray().tolist(),
        scaler.std.toArray().tolist(),
        None if moderator is None else list_inputs(model).index(moderator),
    )


def _read_trees(classifier: Any) -> str:
    """Return Spark's trees as JSON text, in the arrays that shap's explainer reads."""
    import shap  # noqa: PLC0415 -- three seconds that only Spark's trees need

    explained = shap.TreeExplainer(classifier).model.trees
    trees = [{name: getattr(tree, name).tolist() for name in TREE_ARRAYS} for tree in explained]
    for tree in trees:
        tree["values"] = [[value[LAST]] for value in tree["values"]]
    return json.dumps(trees)


def _create_input_text(
    item: PlainInput | Rate, inputs: InputParameters, min_exposure: float
) -> InputText:
    """Return the text for an input, by default with its name and value."""
    if isinstance(item, Rate):
        return _create_rate_text(item, inputs, min_exposure)
    feature, plain = item.feature or item.name, _get_definition(item, inputs)
    label = plain.label or feature.replace("_", " ")
    template = plain.text or f"{feature.replace('_', ' ')}: {{value:.4g}}"
    return FeatureText(item.name, feature, template, plain.text_at_zero or template, label)


def _get_definition(item: PlainInput, inputs: InputParameters) -> Plain:
    """Return the definition of a plain input, or one without texts if the parameters have none."""
    return (inputs.plain or {}).get(item.feature or item.name) or Plain(group="")


def _create_rate_text(rate: Rate, inputs: InputParameters, min_exposure: float) -> RateText:
    """Return the text for a rate, with its template in the parameters.

    Uses the default template if the parameters now define a different rate of this name.
    """
    defined = inputs.every_rate.get(rate.name)
    if defined is not None and (defined.count, defined.per) != (rate.count, rate.denominator):
        defined, inputs = None, inputs.model_copy(update={"rates": {}, "segments": None})
    return RateText(
        rate.name,
        rate.count,
        rate.denominator,
        rate.overall,
        inputs.get_rate_template(rate.name),
        (defined and defined.unit) or rate.denominator.replace("_", " "),
        inputs.get_rate_labels(rate.name),
        find_level(rate.denominator),
        rate.prior * min_exposure,
    )


def _create_segment_texts(
    model: PipelineModel, inputs: InputParameters, min_exposure: float
) -> dict[str, SegmentText]:
    """Return the text for segments, by input; all segment inputs share one text."""
    segments = get_segments(model)
    if segments is None:
        return {}
    rates = [_create_rate_text(rate, inputs, min_exposure) for rate in segments.rates]
    shares, values = map(segments.getOrDefault, ("shares", "segment_rates"))
    columns = segments.getOutputCols()
    return dict.fromkeys(columns, SegmentText(rates, columns, shares, values))
