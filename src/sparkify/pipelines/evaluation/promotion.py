"""Comparison of the challenger with the current champion."""

from datetime import date
from typing import Any

import pandas as pd
from pyspark.ml import PipelineModel
from pyspark.sql import DataFrame

from sparkify.formatting.baseline_comparison import TOO_FEW
from sparkify.ml import metrics
from sparkify.ml.bootstrap import Bootstrap, estimate_metrics
from sparkify.pipelines.evaluation.parameters import EvaluationParameters
from sparkify.pipelines.modelling.model_card import find_missing_fields, is_forecast, read_card
from sparkify.schemas import KEYS
from sparkify.spark.functions import to_sorted_pandas

TASK = ("outcome", "horizon_days", "active_within_days")
HELD_OUT_USERS = ("seed", "held_out_user_share")  # these select the users held out of training
ERRORS_IN_INTERVAL = 2 * 1.96  # width of a 95 % interval in standard errors


def find_obstacle(
    current_champion_model: PipelineModel | None, challenger: dict[str, Any], test: DataFrame
) -> str | None:
    """Return why the current champion cannot be compared with the challenger, or None.

    Args:
        current_champion_model: the current champion; None if there is none.
        challenger: the challenger's card.
        test: the hold-out.
    """
    if current_champion_model is None:
        return "there was no champion before"
    current = read_card(current_champion_model)
    if lacking := find_missing_fields(current):
        return f"the previous champion is of another version of this project: no {lacking}"
    if not current.get("reference"):
        return "the previous champion has no reference for monitoring"
    before, now = current["prediction_task"], challenger["prediction_task"]
    missing = sorted(set(current["features"]) - set(test.columns))
    users_before, users_now = (
        [card["parameters"]["modelling"][name] for name in HELD_OUT_USERS]
        for card in (current, challenger)
    )
    obstacles = {
        "has another prediction task (outcome, horizon or definition of a customer)": any(
            before.get(name) != now.get(name) for name in TASK
        ),
        f"was trained on a {current['source']} log": current["source"] != challenger["source"],
        f"needs features that are missing: {', '.join(missing)}": bool(missing),
        "was trained on other users (seed or held_out_user_share)": users_before != users_now,
        "was trained on days within the hold-out's horizon": not is_forecast(
            current, date.fromisoformat(now["cutoff"])
        ),
    }
    reason = next((reason for reason, applies in obstacles.items() if applies), None)
    return reason and f"the previous champion {reason}"


def compare_models(
    challenger_model: PipelineModel,
    current_champion_model: PipelineModel,
    test: DataFrame,
    metric: str,
    evaluation: EvaluationParameters,
) -> dict[str, Any]:
    """Return the challenger's gain on the hold-out, whether it replaces the champion, and why.

    Args:
        challenger_model: the winner of this training.
        current_champion_model: the current champion.
        test: the hold-out.
        metric: the score that selects candidates.
        evaluation: resamples, and the rule of the promotion.
    """
    rule, bootstrap = evaluation.promotion, evaluation.bootstrap
    challenger, current = (
        _predict(model, test) for model in (challenger_model, current_champion_model)
    )
    costs = metrics.compare_forecasts(challenger, current, bootstrap)
    gain = costs.get(metric, {"value": 0.0, "ci95": None})
    needed = _compute_needed_gain(gain["ci95"], rule.standard_errors)
    is_better = needed is not None and gain["value"] > needed
    replaced = rule.replace == "always" or (rule.replace == "if_better" and is_better)
    bounds = "[{:+.4f}, {:+.4f}]".format(*gain["ci95"]) if gain["ci95"] else f"({TOO_FEW})"
    by = f"by {gain['value']:+.4f} in {metric.replace('_', ' ')} {bounds}"
    verdict = "the challenger replaces the champion" if replaced else "the champion stays"
    better = "measurably better" if is_better else "not measurably better"
    return {
        "replaced": replaced,
        "reason": f"{verdict}: the challenger is {better}, {by} (replace: {rule.replace})",
        "metric": metric,
        "gain": gain,
        "needed": needed,
        "current_champion": _evaluate(current_champion_model, current, bootstrap),
        "challenger": _evaluate(challenger_model, challenger, bootstrap),
    }


def _compute_needed_gain(ci95: list[float] | None, standard_errors: float) -> float | None:
    """Return the gain above which a challenger is better; None without an interval."""
    if ci95 is None:
        return None
    low, high = ci95
    return standard_errors * (high - low) / ERRORS_IN_INTERVAL


def _predict(model: PipelineModel, test: DataFrame) -> pd.DataFrame:
    forecast = model.transform(test).select(*KEYS, "churned", "probability")
    return to_sorted_pandas(forecast, *KEYS)


def _evaluate(model: PipelineModel, forecast: pd.DataFrame, bootstrap: Bootstrap) -> dict[str, Any]:
    chosen = {name: metrics.RANKING[name] for name in ("auc", "average_precision")}
    chosen["log_loss"] = metrics.PROBABILITY["log_loss"]
    card = read_card(model)
    return {
        "candidate": card["candidate"],
        "label": card["label"],
        "trained_until": card["training"]["last_cutoff"],
        "fingerprint": card["training"]["fingerprint"],
        **estimate_metrics(forecast, chosen, bootstrap),
    }
