"""Checks that a model can score the features and predicts what the parameters ask for."""

import logging
from typing import Any

from sparkify.errors import UserError
from sparkify.pipelines.feature_engineering.parameters import FeatureEngineeringParameters
from sparkify.pipelines.modelling.model_card import find_missing_fields

logger = logging.getLogger(__name__)


class ModelMismatchError(UserError):
    """The model does not fit the features or the prediction task."""


def require_compatible(
    card: dict[str, Any],
    feature_engineering: FeatureEngineeringParameters,
    package_versions: dict[str, str],
) -> None:
    """Raise an error if a model cannot score the features or predicts something else.

    A different version of a package is a warning.

    Args:
        card: the model's card.
        feature_engineering: the features to score, and the outcome, horizon and customers to
            predict for.
        package_versions: the installed versions.

    Raises:
        ModelMismatchError: with what differs.
    """
    if lacking := find_missing_fields(card):
        raise ModelMismatchError(
            f"churn_model was trained by another version of this project: its model card has no "
            f"{lacking}. Train another model with `kedro run`."
        )
    columns = feature_engineering.feature_columns
    missing = [name for name in card["features"] if name not in columns]
    if missing:
        raise ModelMismatchError(
            f"churn_model was trained on columns that current_features does not have: "
            f"{', '.join(missing)}. Set pages, by_level, windowed and windows_days of "
            f"feature_engineering as they were then, or train another model with `kedro run`."
        )
    trained, task = card["prediction_task"], feature_engineering.prediction_task
    if any(trained.get(name) != value for name, value in task.items()):
        parameters = ", ".join(f"feature_engineering.{name}" for name in task)
        raise ModelMismatchError(
            f"churn_model predicts {_format_task(trained)}; the parameters ask for "
            f"{_format_task(task)} ({parameters}). Set them as they were, load another model with "
            f"--load-versions, or train one with `kedro run`."
        )
    different = [
        f"{name} {version}, now {package_versions.get(name, 'missing')}"
        for name, version in card["packages"].items()
        if package_versions.get(name) != version
    ]
    if different:
        logger.warning("churn_model was trained with other versions: %s", "; ".join(different))


def _format_task(task: dict[str, Any]) -> str:
    text = f"'{task['outcome']}' within {task['horizon_days']} days"
    if "active_within_days" not in task:
        return text
    return f"{text} of customers seen in the last {task['active_within_days']} days"
