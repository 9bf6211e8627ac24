"""Parameters of the validation pipeline."""

from typing import Annotated

from pydantic import Field, PositiveInt

from sparkify.schemas.parameters import Parameters, Unique


class LeakageParameters(Parameters):
    """The features that measure exposure, and the limits above which a value means a leak."""

    exposure: tuple[str, ...] = Field(min_length=1)
    per: str
    folds: int = Field(ge=2)
    max_users: PositiveInt
    identity_r2: float = Field(gt=0, lt=1)
    max_exposure_auc: float = Field(gt=0.5, lt=1)
    max_feature_auc: float = Field(gt=0.5, lt=1)


class ValidationParameters(Parameters):
    """Sizes and repeats of the tests, and the leakage audit; `validation` in conf/."""

    learning_curve_users: tuple[PositiveInt, ...] = Field(min_length=1)
    learning_curve_repeats: PositiveInt
    label_shuffles: int = Field(ge=2)
    curve_days: Annotated[tuple[PositiveInt, ...], Field(min_length=1), Unique]
    curve_max_customers: PositiveInt
    leakage: LeakageParameters

    @property
    def named_features(self) -> dict[str, str]:
        """The features that the leakage audit reads, by the parameter that names them."""
        exposure = enumerate(self.leakage.exposure)
        return {
            **{f"leakage.exposure[{place}]": name for place, name in exposure},
            "leakage.per": self.leakage.per,
        }
