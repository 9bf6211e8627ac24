"""Champion and challenger: which of them is in service once this run has evaluated it."""

import logging
from datetime import date
from typing import Any

import pandas as pd
from pyspark.ml import PipelineModel
from pyspark.sql import DataFrame

from sparkify.formatting.baseline_comparison import TOO_FEW
from sparkify.ml import metrics as evaluation
from sparkify.ml.bootstrap import Bootstrap, estimate_metrics
from sparkify.pipelines.modelling.inputs import feature_columns
from sparkify.pipelines.modelling.model_card import (
    card_of,
    installed_packages,
    is_forecast,
    trained_on,
    with_card,
)
from sparkify.pipelines.modelling.parameters import ModellingParameters
from sparkify.schemas import KEYS
from sparkify.spark.functions import to_sorted_pandas

logger = logging.getLogger(__name__)
ASKED = ("outcome", "horizon_days", "active_within_days")
KEPT_OUT = ("seed", "unseen_user_share")  # they say which users are never learnt from
ERRORS_IN_INTERVAL = 2 * 1.96  # standard errors that a 95 % interval is wide


def described_challenger(
    challenger: dict[str, Any],
    fitted_challenger: PipelineModel,
    train: DataFrame,
    question: dict[str, Any],
    training_reference: dict[str, Any],
    data_quality: dict[str, Any],
    parameters: dict[str, Any],
) -> PipelineModel:
    """Return the challenger with a card on what it is and what it learnt from.

    The card has what `challenger` says, the names of the features, the question, the training
    rows with a fingerprint of their content, versions of packages, parameters, and the
    `reference` that monitoring compares later snapshots with.
    """
    wanted = ("modelling", "inputs", "feature_engineering")
    card = {
        **challenger,
        "features": feature_columns(train),
        "question": question,
        "source": data_quality["source"],
        "training": trained_on(train),
        "reference": training_reference,
        "packages": installed_packages(),
        "parameters": {name: _plain(parameters[name]) for name in wanted},
    }
    return with_card(fitted_challenger, card)


def _plain(parameters: Any) -> Any:
    return parameters.model_dump(mode="json") if hasattr(parameters, "model_dump") else parameters


def compare_with_champion(
    challenger_model: PipelineModel,
    standing_model: PipelineModel | None,
    test: DataFrame,
    modelling: ModellingParameters,
) -> tuple[dict[str, Any], PipelineModel, dict[str, Any]]:
    """Choose the next champion: the challenger or the current one, by the same newest hold-out.

    The challenger is chosen if its gain, by the score that selects, is larger than
    `modelling.promotion.standard_errors` of the gain's standard errors over users; or if the
    current champion cannot be asked the same. The choice takes effect in `promote_champion`.

    Returns:
        What the next champion is, its model, and why it was chosen.
    """
    obstacle = _obstacle(standing_model, card_of(challenger_model), test)
    if standing_model is None or obstacle:
        promotion: dict[str, Any] = {"replaced": True, "reason": obstacle}
    else:
        promotion = _compared(challenger_model, standing_model, test, modelling)
    champion_model = challenger_model if promotion["replaced"] else standing_model
    assert champion_model is not None  # noqa: S101 -- one that is missing was replaced
    card = card_of(champion_model)
    described = {name: what for name, what in card.items() if name != "parameters"}
    return described, champion_model, promotion


def promote_champion(
    next_champion: dict[str, Any],
    next_model: PipelineModel,
    comparison: dict[str, Any],
    *evaluation: object,  # noqa: ARG001 -- waited for, not read
) -> tuple[dict[str, Any], dict[str, Any], PipelineModel]:
    """Put the next champion into service, unchanged, now that its evaluation is saved.

    Args:
        next_champion: what it is.
        next_model: the model itself.
        comparison: why it was chosen.
        evaluation: every dataset that says how good it is. They are inputs so that a run whose
            evaluation fails stops before this step and leaves the current champion in service.

    Returns:
        `promotion`, `champion` and, as the last to be saved, `churn_model`: all that scoring and
        monitoring read of a champion is inside the model.
    """
    logger.info("Champion: %s", comparison["reason"])
    return comparison, next_champion, next_model


def _obstacle(
    standing_model: PipelineModel | None, challenger: dict[str, Any], test: DataFrame
) -> str | None:
    """Say why the model that stands cannot be compared, if so."""
    if standing_model is None:
        return "no model stood before"
    standing = card_of(standing_model)
    if not standing:
        return "the model that stood has no card: what it learnt from is not known"
    if not standing.get("reference"):
        return "the model that stood holds nothing to monitor it by"
    if "f1_threshold" not in standing:
        return "the model that stood is of an earlier version, which fixed the threshold in it"
    asked, own = standing["question"], challenger["question"]
    gone = sorted(set(standing["features"]) - set(test.columns))
    before, now = (card["parameters"]["modelling"] for card in (standing, challenger))
    obstacles = {
        "answers another question (outcome, horizon or who is a customer)": any(
            asked.get(name) != own.get(name) for name in ASKED
        ),
        f"learnt from a {standing['source']} log": standing["source"] != challenger["source"],
        f"needs features that are gone: {', '.join(gone)}": bool(gone),
        "learnt from other users (seed or unseen_user_share)": any(
            before[name] != now[name] for name in KEPT_OUT
        ),
        "has learnt from days that the hold-out asks about": not is_forecast(
            standing, date.fromisoformat(own["cutoff"])
        ),
    }
    found = [reason for reason, stands in obstacles.items() if stands]
    return f"the model that stood {found[0]}" if found else None


def _compared(
    challenger_model: PipelineModel,
    standing_model: PipelineModel,
    test: DataFrame,
    modelling: ModellingParameters,
) -> dict[str, Any]:
    metric, rule = modelling.selection, modelling.promotion
    challenger, standing = (_forecast(model, test) for model in (challenger_model, standing_model))
    costs = evaluation.compare_forecasts(challenger, standing, modelling.bootstrap)
    gain = costs.get(metric, {"value": 0.0, "ci95": None})
    needed = _needed_gain(gain["ci95"], rule.standard_errors)
    is_better = needed is not None and gain["value"] > needed
    replaced = rule.replace == "always" or (rule.replace == "if_better" and is_better)
    name = metric.replace("_", " ")
    bounds = "[{:+.4f}, {:+.4f}]".format(*gain["ci95"]) if gain["ci95"] else f"({TOO_FEW})"
    by = f"by {gain['value']:+.4f} in {name} {bounds}"
    verdict = "the challenger takes its place" if replaced else "the one that stood stays"
    told = "measurably better" if is_better else "not measurably better"
    return {
        "replaced": replaced,
        "reason": f"{verdict}: the challenger is {told}, {by} (replace: {rule.replace})",
        "metric": metric,
        "gain": gain,
        "needed": needed,
        "standing": _judged(standing_model, standing, modelling.bootstrap),
        "challenger": _judged(challenger_model, challenger, modelling.bootstrap),
    }


def _needed_gain(ci95: list[float] | None, standard_errors: float) -> float | None:
    """Return the gain from which on a challenger is better, None where it is not known."""
    if ci95 is None:
        return None
    low, high = ci95
    return standard_errors * (high - low) / ERRORS_IN_INTERVAL


def _forecast(model: PipelineModel, test: DataFrame) -> pd.DataFrame:
    forecast = model.transform(test).select(*KEYS, "churned", "probability")
    return to_sorted_pandas(forecast, *KEYS)


def _judged(model: PipelineModel, forecast: pd.DataFrame, bootstrap: Bootstrap) -> dict[str, Any]:
    wanted = {name: evaluation.RANKING[name] for name in ("auc", "average_precision")}
    wanted["log_loss"] = evaluation.PROBABILITY["log_loss"]
    card = card_of(model)
    return {
        "label": card["label"],
        "trained_until": card["training"]["last_cutoff"],
        "fingerprint": card["training"]["fingerprint"],
        **estimate_metrics(forecast, wanted, bootstrap),
    }
