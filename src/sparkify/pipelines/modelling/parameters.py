"""What can be set about the search for a champion and its evaluation."""

from typing import Annotated, Literal, NamedTuple, Self

from pydantic import (
    Field,
    PositiveInt,
    StrictFloat,
    StrictInt,
    WithJsonSchema,
    model_validator,
)

from sparkify.pipelines.modelling.hyperparameters import require_known
from sparkify.pipelines.modelling.input_definitions import LOG, Plain, Rate, rate_features
from sparkify.schemas import NewColumnName
from sparkify.schemas.parameters import Parameters, SampleShare, Seed, Share, wrong_value
from sparkify.schemas.table import ColumnName

Setting = Annotated[StrictInt | StrictFloat, WithJsonSchema({"type": "number"})]


class SegmentParameters(Parameters):
    """By which rates segments of customers differ, and how they are searched for.

    A rate's `prior` is as for an input, of a segment instead of a customer.
    """

    rates: dict[ColumnName, Rate] = Field(min_length=1)
    most: PositiveInt
    starts: PositiveInt
    most_users: PositiveInt
    seed: Seed

    def without(self, group: str) -> Self | None:
        """Return them without a group of rates; None if there are no others."""
        rates = {name: rate for name, rate in self.rates.items() if rate.group != group}
        return self.model_copy(update={"rates": rates}) if rates else None


class InputParameters(Parameters):
    """What a model looks at; `inputs` in conf/.

    Without `plain`, every feature is looked at as its logarithm. `moderator` is the input that
    linear candidates let change the weight of all others.
    """

    segments: SegmentParameters | None = None
    rates: dict[NewColumnName, Rate]
    plain: dict[ColumnName, Plain] | None
    moderator: ColumnName | None

    @property
    def every_rate(self) -> dict[ColumnName, Rate]:
        """The rates that are inputs and those that segments differ by."""
        return {**(self.segments.rates if self.segments else {}), **self.rates}

    def rate_words(self, name: str) -> str:
        """Return the words for a rate, or its name and numbers where there are none."""
        rate, plainly = self.every_rate.get(name), name.replace("_", " ")
        return (rate and rate.words) or f"{plainly}: {{rate:.3g}}, others {{others:.3g}}"

    @property
    def groups(self) -> dict[str, list[str]]:
        """The names of the rates and plain inputs of each group, in alphabetical order."""
        group_of = {name: rate.group for name, rate in self.every_rate.items()}
        group_of |= {name: how.group for name, how in (self.plain or {}).items()}
        return {
            group: [name for name, own in group_of.items() if own == group]
            for group in sorted(set(group_of.values()))
        }

    def without(self, group: str) -> Self:
        """Return what is left when a group is dropped."""
        rates = {name: how for name, how in self.rates.items() if how.group != group}
        plain = {name: how for name, how in (self.plain or {}).items() if how.group != group}
        return self.model_copy(
            update={
                "segments": self.segments.without(group) if self.segments else None,
                "rates": rates,
                "plain": plain,
                "moderator": self.moderator if self.moderator in {*rates, *plain} else None,
            }
        )

    @property
    def named_features(self) -> dict[str, str]:
        """The features that inputs are made of, by the parameter that names them."""
        segments = self.segments.rates if self.segments else {}
        return {
            **rate_features(segments, "segments.rates"),
            **rate_features(self.rates, "rates"),
            **{f"plain.{name}": name for name in self.plain or {}},
        }

    @property
    def new_columns(self) -> dict[str, str]:
        """The columns that hold rates and logarithms, by the parameter that adds them."""
        logs = [name for name, how in (self.plain or {}).items() if how.log]
        return {
            **{f"rates.{name}": name for name in self.rates},
            **{f"plain.{name}": LOG + name for name in logs},
        }

    @model_validator(mode="after")
    def _require_one_definition_per_rate(self) -> Self:
        for name, rate in (self.segments.rates if self.segments else {}).items():
            if self.rates.get(name, rate) != rate:
                raise wrong_value(
                    f"rates.{name}",
                    self.rates[name].model_dump(),
                    f"the same as segments.rates.{name}, or another name",
                )
        return self

    @model_validator(mode="after")
    def _require_moderator_among_inputs(self) -> Self:
        known = [*self.rates, *(self.plain or {})]
        if self.moderator is not None and self.moderator not in known:
            raise wrong_value("moderator", self.moderator, f"null, or one of {', '.join(known)}")
        return self


class ReferenceParameters(Parameters):
    """What of a training is kept for monitoring; `reference` in conf/."""

    window_days: int = Field(gt=0, multiple_of=7)
    rates: dict[str, Rate]
    comparable: tuple[str, ...]
    least_known: Share
    bins: int = Field(ge=10)
    most_customers: PositiveInt

    @property
    def named_features(self) -> dict[str, str]:
        """The features that are compared later, by the parameter that names them."""
        comparable = {f"comparable[{place}]": name for place, name in enumerate(self.comparable)}
        return {**rate_features(self.rates, "rates"), **comparable}


class DecisionParameters(Parameters):
    """From which probability on a customer is called a churner; dollars and shares."""

    threshold: Literal["f1", "profit"]
    contact_cost: float = Field(gt=0)
    contact_success: float = Field(gt=0, le=1)
    kept_customer_value: float = Field(gt=0)

    @property
    def worth_of_contact(self) -> float:
        """Dollars that contacting a customer who would churn keeps, in the mean."""
        return self.contact_success * self.kept_customer_value


class PromotionParameters(Parameters):
    """When a newly trained model takes the place of the champion that stands."""

    replace: Literal["if_better", "always", "never"]
    standard_errors: float = Field(ge=0)


class GroupParameters(Parameters):
    """Which customers count as new, and as seen recently; days."""

    new_customer_days: PositiveInt
    recently_seen_days: PositiveInt


class Bootstrap(NamedTuple):
    """How 95 % intervals are made: resamples of users, their seed, and the churners needed."""

    resamples: int
    seed: int
    min_churned: int


class ModellingParameters(Parameters):
    """Candidates, folds and the evaluation; `modelling` in conf/."""

    seed: Seed
    unseen_user_share: SampleShare
    folds: int = Field(ge=2)
    fold_repeats: PositiveInt
    selection: Literal["average_precision", "log_loss"]
    candidates: dict[str, dict[str, Annotated[list[Setting], Field(min_length=1)]] | None]
    imbalance: Literal["none", "weights", "smote"]
    smote_most_rows: PositiveInt
    calibrations: tuple[Literal["none", "platt", "isotonic"], ...] = Field(min_length=1)
    decision: DecisionParameters
    promotion: PromotionParameters
    groups: GroupParameters
    partitions: PositiveInt
    parallel_fits: PositiveInt
    min_train_churned: PositiveInt
    min_holdout_churned: PositiveInt
    bootstrap_resamples: PositiveInt
    min_interval_churned: PositiveInt
    calibration_bins: PositiveInt
    baselines: dict[ColumnName, ColumnName]

    @property
    def bootstrap(self) -> Bootstrap:
        """How the evaluation makes its intervals."""
        return Bootstrap(self.bootstrap_resamples, self.seed, self.min_interval_churned)

    @property
    def named_features(self) -> dict[str, str]:
        """The features that baselines rank by, by the parameter that names them."""
        return {f"baselines.{name}": feature for name, feature in self.baselines.items()}

    @model_validator(mode="after")
    def _require_known_settings(self) -> Self:
        require_known(self.candidates)
        return self
