"""What can be set about the search for a champion and its evaluation."""

from typing import Literal, NamedTuple, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PositiveInt,
    field_validator,
    model_validator,
)

from sparkify.table import ColumnName

Setting = float | int
Share = Field(gt=0, lt=1)


class Parameters(BaseModel):
    """Parameters that are read once and known by name."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Rate(Parameters):
    """An input: a feature per another, shrunk as if `prior` more of those had been seen.

    For people, `words` says the customer's {rate} and that of the {others}, `of` what it is
    counted on.
    """

    count: ColumnName
    per: ColumnName
    prior: float = Field(gt=0)
    group: str
    words: str | None = None
    of: str | None = None

    @field_validator("words")
    @classmethod
    def _can_be_said(cls, words: str | None) -> str | None:
        return _template(words, "rate", "others")


class Plain(Parameters):
    """An input: a feature as it is, or the logarithm of one more than it.

    For people, `words` says its {value}, and `at_zero` is said where that rounds to 0.
    """

    group: str
    log: bool = False
    words: str | None = None
    at_zero: str | None = None

    @field_validator("words", "at_zero")
    @classmethod
    def _can_be_said(cls, words: str | None) -> str | None:
        return _template(words, "value")


def _template(words: str | None, *names: str) -> str | None:
    """Return a template, if numbers can be put into it by these names."""
    try:
        (words or "").format(**dict.fromkeys(names, 0.5))
    except (IndexError, KeyError, ValueError) as error:
        may = ", ".join(f"{{{name}}}" for name in names)
        raise ValueError(f"'{words}' cannot be said: a template may hold {may}") from error
    return words


class SegmentParameters(Parameters):
    """By which rates segments of customers differ, and how they are searched for.

    A rate's `prior` is as for an input, of a segment instead of a customer.
    """

    rates: dict[ColumnName, Rate] = Field(min_length=1)
    most: PositiveInt
    starts: PositiveInt
    most_users: PositiveInt
    seed: int

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
    rates: dict[ColumnName, Rate]
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

    @model_validator(mode="after")
    def _rates_of_a_name_are_one(self) -> Self:
        segments = self.segments.rates if self.segments else {}
        doubled = sorted(
            name for name in segments if self.rates.get(name, segments[name]) != segments[name]
        )
        if doubled:
            raise ValueError(
                f"inputs.rates and inputs.segments.rates have {', '.join(doubled)} in two ways"
            )
        return self

    @model_validator(mode="after")
    def _moderator_is_an_input(self) -> Self:
        known = {*self.rates, *(self.plain or {})}
        if self.moderator is not None and self.moderator not in known:
            raise ValueError(f"inputs.moderator '{self.moderator}' is not among the inputs")
        return self


class ReferenceParameters(Parameters):
    """What of a training is kept for monitoring; `reference` in conf/."""

    window_days: int = Field(gt=0, multiple_of=7)
    rates: dict[str, Rate]
    comparable: tuple[str, ...]
    least_known: float = Share
    bins: int = Field(ge=10)
    most_customers: PositiveInt


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

    seed: int
    unseen_user_share: float = Share
    folds: int = Field(ge=2)
    fold_repeats: PositiveInt
    selection: Literal["average_precision", "log_loss"]
    candidates: dict[str, dict[str, list[Setting]] | None] = Field(min_length=1)
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
