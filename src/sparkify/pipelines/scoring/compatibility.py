"""Whether a model can score these features, and answers what the parameters ask."""

import logging
from collections.abc import Sequence
from typing import Any

from sparkify.errors import UserError
from sparkify.pipelines.feature_engineering.parameters import FeatureEngineeringParameters
from sparkify.pipelines.modelling.card import installed_packages

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
        asked: the outcome and the horizon that the parameters ask for.

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
            f"{', '.join(missing)}. Set pages, by_level, windowed and windows_days in globals.yml "
            f"as they were then, or train another model with `kedro run`."
        )
    question = card["question"]
    trained = (question["outcome"], question["horizon_days"])
    if trained != (asked.outcome, asked.horizon_days):
        raise ModelMismatchError(
            f"churn_model forecasts '{trained[0]}' within {trained[1]} days; the parameters ask "
            f"for '{asked.outcome}' within {asked.horizon_days} days "
            f"(feature_engineering.outcome, feature_engineering.horizon_days). Set them as they "
            f"were, load another model with --load-versions, or train one with `kedro run`."
        )
    _warn_of_other_packages(card["packages"])


def _warn_of_other_packages(trained: dict[str, str]) -> None:
    installed = installed_packages()
    differing = [
        f"{name} {before}, now {installed.get(name, 'missing')}"
        for name, before in trained.items()
        if installed.get(name) != before
    ]
    if differing:
        logger.warning("churn_model was trained with other versions: %s", "; ".join(differing))
