"""Reasons for a prediction: the strongest contributions, as text.

Spark's Python workers import this module, so it imports no pipeline.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
import pandas as pd

from sparkify.ml.bootstrap import Array
from sparkify.ml.contributions import Contributions

Reason = dict[str, Any]  # `input`, `label`, `reason` as text, `contribution`
LEVELS = ("free", "paid")
LITTLE_HISTORY = "little history"
MAX_RATIO = 10  # larger ratios come from short histories and rare events
FRACTIONS = {2: "half", 3: "a third", 4: "a quarter", 5: "a fifth"}


class Statement(NamedTuple):
    """A text about a customer.

    `name` is that of the input or rate it describes, `label` a short form that many customers
    share, such as "many adverts".
    """

    name: str
    label: str
    text: str


class InputText(Protocol):
    """Describes a customer by one input."""

    @property
    def name(self) -> str:
        """The input's name."""
        ...

    def describe(self, customer: Mapping[str, Any]) -> Statement:
        """Describe a customer by its level, features and inputs."""
        ...


@dataclass(frozen=True)
class RateText:
    """Compares a customer's rate with the average of all training customers."""

    name: str
    count: str
    denominator: str
    average: float
    template: str  # with {rate}, {average} and {compared}, as in `describe_rate`
    unit: str  # plural noun for what the denominator counts
    labels: tuple[str, str]  # of a rate above the average, and below it
    level: str | None  # free or paid, if the rate only counts that level
    min_exposure: float  # minimum of the denominator for a rate to be stated

    def describe(self, customer: Mapping[str, Any]) -> Statement:
        """Return the customer's rate, or a statement that the history is too short for one."""
        exposure = customer[self.denominator]
        if exposure <= 0:
            return Statement(self.name, LITTLE_HISTORY, f"no {self.unit}")
        if exposure < self.min_exposure:
            text = f"too few {self.unit} to tell ({exposure:.0f})"
            return Statement(self.name, LITTLE_HISTORY, text)
        rate = customer[self.count] / exposure
        label = self.labels[0] if rate > self.average else self.labels[1]
        level = None if customer.get("level") == self.level else self.level
        return Statement(self.name, label, describe_rate(self.template, rate, self.average, level))


def find_level(column: str) -> str | None:
    """Return the level whose events a column counts, by its prefix; None if it counts all."""
    prefix = column.partition("_")[0]
    return prefix if prefix in LEVELS else None


def describe_rate(template: str, rate: float, average: float, level: str | None = None) -> str:
    """Compare a rate with the average in words: {compared} is "2.5 times as often as average".

    Args:
        template: a format string with {rate}, {average} and {compared}.
        rate: of a customer or segment.
        average: of all customers.
        level: free or paid, if the rate is of a level that the customer is not on now.
    """
    ratio = rate / average if average else float("inf") if rate else 0.0
    compared = _compare(ratio) + (f" while on the {level} plan" if level else "")
    return _tidy(template.format(rate=rate, average=average, compared=compared))


def _compare(ratio: float) -> str:
    if ratio == 0:
        return "not at all"
    if ratio > MAX_RATIO:
        return f"more than {MAX_RATIO} times as often as average"
    if ratio >= 1.1:
        return f"{ratio:.{0 if ratio >= 3 else 1}f} times as often as average"
    if ratio > 0.9:
        return "about as often as average"
    if ratio > 0.6:
        return "less often than average"
    return f"{FRACTIONS.get(round(1 / ratio), 'far less than a fifth')} as often as average"


@dataclass(frozen=True)
class SegmentText:
    """Describes a customer's segment by the rate that is the strongest evidence for it.

    The segment is the one whose posterior probability exceeds its prior most. Evidence is the
    log-likelihood of a count under the segment's rate, less that under the average rate.
    """

    rates: Sequence[RateText]
    probability_columns: Sequence[str]  # of all segments but the first
    shares: Sequence[float]
    segment_rates: Sequence[Sequence[float]]  # by segment and rate
    name: str = "segment"

    def describe(self, customer: Mapping[str, Any]) -> Statement:
        """Return the customer's rate that shows the segment best."""
        counts = np.array([customer[rate.count] for rate in self.rates])
        exposures = np.array([customer[rate.denominator] for rate in self.rates])
        later = np.array([customer[name] for name in self.probability_columns])
        excess = np.array([1 - later.sum(), *later]) - self.shares
        rates = np.array(self.segment_rates[int(np.argmax(excess))])
        averages = np.array([rate.average for rate in self.rates])
        evidence = counts * np.log(rates / averages) - exposures * (rates - averages)
        return self.rates[int(np.argmax(evidence))].describe(customer)


@dataclass(frozen=True)
class FeatureText:
    """Describes a customer by the value of a feature."""

    name: str
    feature: str
    template: str  # with {value}
    template_at_zero: str  # where the value rounds to 0
    label: str

    def describe(self, customer: Mapping[str, Any]) -> Statement:
        """Return the customer's value."""
        value = customer[self.feature]
        template = self.template if round(value) else self.template_at_zero
        return Statement(self.name, self.label, _tidy(template.format(value=value)))


def _tidy(text: str) -> str:
    """Put a space before percent signs, and turn "1 days" into "1 day"."""
    return re.sub(r"(?<![\d.,])1 (\w+)s\b", r"1 \1", text.replace("%", " %"))


@dataclass(frozen=True)
class Explanation:
    """Explains a model's predictions by reasons."""

    contributions: Contributions
    texts: Sequence[InputText]  # one per input, in order; inputs with equal names are summed
    max_reasons: int  # for churning, and the same number against it
    min_contribution: float  # of a reason, as a share of the customer's strongest contribution
    unstated: Collection[str] = ()  # names of inputs that are never a reason

    def list_reasons(
        self, inputs: Array, features: pd.DataFrame
    ) -> tuple[list[list[Reason]], list[list[Reason]]]:
        """List each customer's strongest reasons for and against churning.

        Args:
            inputs: one row per customer, as the model reads them.
            features: the same customers' features and segment probabilities, by column.
        """
        contributions = self.contributions.compute(inputs)[:, :-1]
        texts = {text.name: text for text in self.texts if text.name not in self.unstated}
        names = np.array([text.name for text in self.texts])
        by_name = np.column_stack([contributions[:, names == name].sum(axis=1) for name in texts])
        customers = features.to_dict("records")
        strongest = np.abs(by_name).max(axis=1)
        for_churning, against = (
            [
                self._select(list(texts.values()), customer, sign, values, min_value)
                for customer, values, min_value in zip(
                    customers, by_name, self.min_contribution * strongest, strict=True
                )
            ]
            for sign in (1, -1)
        )
        return for_churning, against

    def _select(
        self,
        texts: Sequence[InputText],
        customer: Mapping[Any, float],
        sign: int,
        contributions: Array,
        min_value: float,
    ) -> list[Reason]:
        """List one customer's reasons of one sign, the strongest first."""
        order = np.argsort(-sign * contributions, kind="stable")[: self.max_reasons]
        reasons = []
        for position in order:
            if sign * contributions[position] > min_value:
                name, label, text = texts[position].describe(customer)
                reason = {"input": name, "label": label, "reason": text}
                reasons.append(reason | {"contribution": float(contributions[position])})
        return reasons
