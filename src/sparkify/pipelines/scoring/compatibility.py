"""Whether a model can score these features, and answers what the parameters ask."""

import logging
from collections.abc import Sequence
from typing import Any

from sparkify.errors import UserError
from sparkify.pipelines.feature_engineering.parameters import FeatureEngineeringParameters
from sparkify.pipelines.modelling.model_card import installed_packages

logger = logging.getLogger(__name__)


class ModelMismatchError(UserError):
    """The model does not fit the features, or answers another question."""


def require_compatible(
    card: dict[str, Any], columns: Sequence[str], asked: FeatureEngineeringParameters
) -> None:
    """Refuse a model that cannot score these features, or forecasts something else.

    Other versions of packages than it was trained with are a warning.

    Args:
        card: what the model says of itself.
        columns: the columns of the features that are to be scored.
        asked: the parameters that say what is to be forecast.

    Raises:
        ModelMismatchError: naming what differs.
    """
    if not card:
        raise ModelMismatchError(
            "churn_model has no card that says what it was trained on: it comes from an earlier "
            "version of this project. Train another with `kedro run`."
        )
    if "f1_threshold" not in card:
        raise ModelMismatchError(
            "churn_model comes from an earlier version of this project, whose models decide by a "
            "threshold that training fixed. Train another with `kedro run`; costs and thresholds "
            "are now parameters of the run that makes the list."
        )
    missing = [name for name in card["features"] if name not in columns]
    if missing:
        raise ModelMismatchError(
            f"churn_model was trained on columns that current_features does not have: "
            f"{', '.join(missing)}. Set pages, by_level, windowed and windows_days of "
            f"feature_engineering as they were then, or train another model with `kedro run`."
        )
    question = card["question"]
    task = asked.prediction_task
    if any(question.get(name) != value for name, value in task.items()):
        parameters = ", ".join(f"feature_engineering.{name}" for name in task)
        raise ModelMismatchError(
            f"churn_model forecasts {_format_task(question)}; the parameters ask for "
            f"{_format_task(task)} ({parameters}). Set them as they were, load another model with "
            f"--load-versions, or train one with `kedro run`."
        )
    _warn_of_other_packages(card["packages"])


def _format_task(task: dict[str, Any]) -> str:
    told = f"'{task['outcome']}' within {task['horizon_days']} days"
    if "active_within_days" not in task:
        return told
    return f"{told} of customers seen in the last {task['active_within_days']} days"


def _warn_of_other_packages(trained: dict[str, str]) -> None:
    installed = installed_packages()
    differing = [
        f"{name} {before}, now {installed.get(name, 'missing')}"
        for name, before in trained.items()
        if installed.get(name) != before
    ]
    if differing:
        logger.warning("churn_model was trained with other versions: %s", "; ".join(differing))
