"""Parameters of the evaluation, the promotion and the decision to contact customers."""

from typing import Literal

from pydantic import Field, PositiveInt

from sparkify.ml.bootstrap import Bootstrap
from sparkify.schemas.parameters import Parameters, Seed
from sparkify.schemas.table import ColumnName


class DecisionParameters(Parameters):
    """Threshold, costs and gains of a contact, in dollars and shares."""

    threshold: Literal["f1", "profit"]
    contact_cost: float = Field(gt=0)
    contact_success: float = Field(gt=0, le=1)
    kept_customer_value: float = Field(gt=0)

    @property
    def value_of_contact(self) -> float:
        """Expected dollars that contacting a churner keeps."""
        return self.contact_success * self.kept_customer_value


class PromotionParameters(Parameters):
    """When a challenger replaces the current champion."""

    replace: Literal["if_better", "always", "never"]
    standard_errors: float = Field(ge=0)


class GroupParameters(Parameters):
    """Days within which customers count as new, or as recently seen."""

    new_customer_days: PositiveInt
    recently_seen_days: PositiveInt


class EvaluationParameters(Parameters):
    """Intervals, baselines, groups, decision and promotion; `evaluation` in conf/."""

    seed: Seed
    bootstrap_resamples: PositiveInt
    min_interval_churned: PositiveInt
    max_customers: PositiveInt
    calibration_bins: PositiveInt
    baselines: dict[ColumnName, ColumnName]
    decision: DecisionParameters
    promotion: PromotionParameters
    groups: GroupParameters

    @property
    def bootstrap(self) -> Bootstrap:
        """Settings of 95 % intervals."""
        return Bootstrap(self.bootstrap_resamples, self.seed, self.min_interval_churned)

    @property
    def named_features(self) -> dict[str, str]:
        """The features that baselines rank by, by the parameter that names them."""
        return {f"baselines.{name}": feature for name, feature in self.baselines.items()}
