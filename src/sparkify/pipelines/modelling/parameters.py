"""Parameters of the search for a challenger, of its inputs and of its training reference."""

from typing import Annotated, Literal, Self

from pydantic import (
    Field,
    PositiveFloat,
    PositiveInt,
    StrictFloat,
    StrictInt,
    WithJsonSchema,
    model_validator,
)

from sparkify.pipelines.modelling.hyperparameters import require_known_settings
from sparkify.pipelines.modelling.input_definitions import (
    LOG_PREFIX,
    Plain,
    Rate,
    list_rate_features,
)
from sparkify.schemas import NewColumnName
from sparkify.schemas.parameters import Parameters, SampleShare, Seed, Share, wrong_value
from sparkify.schemas.table import ColumnName

Setting = Annotated[StrictInt | StrictFloat, WithJsonSchema({"type": "number"})]


class SegmentParameters(Parameters):
    """The rates by which segments of customers differ, and the search for segments.

    A rate's `prior` shrinks the rate of a segment, not that of a customer. A segment has a name of
    its own if its clearest rate is at least `min_ratio` times the average, or as much below it.
    """

    rates: dict[ColumnName, Rate] = Field(min_length=1)
    max_segments: PositiveInt
    min_ratio: float = Field(ge=1)
    starts: PositiveInt
    max_users: PositiveInt
    seed: Seed

    def drop_group(self, group: str) -> Self | None:
        """Return the parameters without a group of rates; None if no rate is left."""
        rates = {name: rate for name, rate in self.rates.items() if rate.group != group}
        return self.model_copy(update={"rates": rates}) if rates else None


class InputParameters(Parameters):
    """The inputs of a model; `inputs` in conf/.

    Without `plain`, the inputs are the logarithms of all features. `moderator` is the input that
    linear candidates multiply all inputs with.
    """

    segments: SegmentParameters | None = None
    rates: dict[NewColumnName, Rate]
    plain: dict[ColumnName, Plain] | None
    moderator: ColumnName | None

    @property
    def every_rate(self) -> dict[ColumnName, Rate]:
        """All rates: those that are inputs, and those by which segments differ."""
        return {**(self.segments.rates if self.segments else {}), **self.rates}

    def get_rate_template(self, name: str) -> str:
        """Return the template of a rate's text, or a default with its name and numbers."""
        rate, label = self.every_rate.get(name), name.replace("_", " ")
        return (rate and rate.text) or f"{label}: {{rate:.3g}}, average {{average:.3g}}"

    def get_rate_labels(self, name: str) -> tuple[str, str]:
        """Return the labels of customers with a rate above and below the average."""
        rate, label = self.every_rate.get(name), name.replace("_", " ")
        return (rate and rate.more) or f"high {label}", (rate and rate.less) or f"low {label}"

    @property
    def groups(self) -> dict[str, list[str]]:
        """The names of the rates and plain inputs of each group, in alphabetical order."""
        definitions: dict[str, Rate | Plain] = {**self.every_rate, **(self.plain or {})}
        return {
            group: [name for name, definition in definitions.items() if definition.group == group]
            for group in sorted({definition.group for definition in definitions.values()})
        }

    def drop_group(self, group: str) -> Self:
        """Return the parameters without a group of inputs."""
        rates = {name: rate for name, rate in self.rates.items() if rate.group != group}
        plain = {name: item for name, item in (self.plain or {}).items() if item.group != group}
        return self.model_copy(
            update={
                "segments": self.segments.drop_group(group) if self.segments else None,
                "rates": rates,
                "plain": plain,
                "moderator": self.moderator if self.moderator in {*rates, *plain} else None,
            }
        )

    @property
    def named_features(self) -> dict[str, str]:
        """The features of the inputs, by the parameter that names them."""
        segments = self.segments.rates if self.segments else {}
        return {
            **list_rate_features(segments, "segments.rates"),
            **list_rate_features(self.rates, "rates"),
            **{f"plain.{name}": name for name in self.plain or {}},
        }

    @property
    def new_columns(self) -> dict[str, str]:
        """The columns that hold rates and logarithms, by the parameter that adds them."""
        logs = [name for name, definition in (self.plain or {}).items() if definition.log]
        return {
            **{f"rates.{name}": name for name in self.rates},
            **{f"plain.{name}": LOG_PREFIX + name for name in logs},
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
        names = [*self.rates, *(self.plain or {})]
        if self.moderator is not None and self.moderator not in names:
            raise wrong_value("moderator", self.moderator, f"null, or one of {', '.join(names)}")
        return self


class ReferenceParameters(Parameters):
    """What the training keeps for monitoring; `reference` in conf/."""

    window_days: int = Field(gt=0, multiple_of=7)
    rates: dict[str, Rate]
    comparable: tuple[str, ...]
    min_known_share: Share
    bins: int = Field(ge=10)
    max_customers: PositiveInt

    @property
    def named_features(self) -> dict[str, str]:
        """The features that are compared later, by the parameter that names them."""
        comparable = {f"comparable[{place}]": name for place, name in enumerate(self.comparable)}
        return {**list_rate_features(self.rates, "rates"), **comparable}


class ModellingParameters(Parameters):
    """Candidates and folds; `modelling` in conf/."""

    seed: Seed
    held_out_user_share: SampleShare
    folds: int = Field(ge=2)
    fold_repeats: PositiveInt
    selection: Literal["average_precision", "log_loss"]
    candidates: dict[str, dict[str, Annotated[list[Setting], Field(min_length=1)]] | None]
    imbalance: Literal["none", "weights", "smote"]
    smote_max_rows: PositiveInt
    calibrations: tuple[Literal["none", "platt", "isotonic"], ...] = Field(min_length=1)
    max_training_rows: PositiveInt
    curve_prior: PositiveFloat
    partitions: PositiveInt
    parallel_fits: PositiveInt
    min_train_churned: PositiveInt
    min_holdout_churned: PositiveInt

    @model_validator(mode="after")
    def _require_known_settings(self) -> Self:
        require_known_settings(self.candidates)
        return self
