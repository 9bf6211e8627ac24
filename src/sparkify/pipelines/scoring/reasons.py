"""The strongest contributions to a forecast, in words that a person reads."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
import pandas as pd

from sparkify.ml.contributions import Classifier
from sparkify.ml.log_odds import Array

Reason = dict[str, Any]  # `input`, `reason` in words, `contribution`


class Said(NamedTuple):
    """What is said, and of which input or rate."""

    of: str
    text: str


class Words(Protocol):
    """What can be said of an input."""

    @property
    def name(self) -> str:
        """The input's name."""
        ...

    def said(self, customer: Mapping[str, float]) -> Said:
        """Say it of a customer, by their features and inputs."""
        ...


@dataclass(frozen=True)
class RateWords:
    """How to say a rate, beside that of all customers the model learnt from."""

    name: str
    count: str
    per: str
    others: float
    words: str  # a template with {rate} and {others}
    of: str  # what the rate is counted on
    known_from: float  # of that, below which a rate says nothing

    def said(self, customer: Mapping[str, float]) -> Said:
        """Say the customer's own rate, or that too little is known for one."""
        per = customer[self.per]
        if per <= 0:
            return Said(self.name, f"no {self.of}")
        if per < self.known_from:
            return Said(self.name, f"too few {self.of} to tell ({per:.0f})")
        text = self.words.format(rate=customer[self.count] / per, others=self.others)
        return Said(self.name, _readable(text))


@dataclass(frozen=True)
class SegmentWords:
    """How to say of which segment a customer is: by the rate that shows it most.

    It is the one with the strongest evidence, against everybody's rate, for the segment that the
    customer is likelier of than anybody is, by the most.
    """

    rates: Sequence[RateWords]
    probabilities: Sequence[str]  # the inputs that are those of the segments but the first
    shares: Sequence[float]  # of the segments
    of_segments: Sequence[Sequence[float]]  # the rates of each segment
    name: str = "segment"

    def said(self, customer: Mapping[str, float]) -> Said:
        """Say the customer's own rate of what shows the segment most."""
        counts = np.array([customer[rate.count] for rate in self.rates])
        pers = np.array([customer[rate.per] for rate in self.rates])
        of_others = np.array([customer[name] for name in self.probabilities])
        likelier = np.array([1 - of_others.sum(), *of_others]) - self.shares
        own = np.array(self.of_segments[int(np.argmax(likelier))])
        others = np.array([rate.others for rate in self.rates])
        evidence = counts * np.log(own / others) - pers * (own - others)
        return self.rates[int(np.argmax(evidence))].said(customer)


@dataclass(frozen=True)
class PlainWords:
    """How to say a feature as it is."""

    name: str
    feature: str
    words: str  # a template with {value}
    at_zero: str  # said instead where the value rounds to 0

    def said(self, customer: Mapping[str, float]) -> Said:
        """Say the customer's value."""
        value = customer[self.feature]
        template = self.words if round(value) else self.at_zero
        return Said(self.name, _readable(template.format(value=value)))


def _readable(text: str) -> str:
    """Put a space before a percent sign, and one of something in the singular."""
    return re.sub(r"(?<![\d.,])1 (\w+)s\b", r"1 \1", text.replace("%", " %"))


@dataclass(frozen=True)
class Explanation:
    """What is needed to explain a model's forecasts."""

    classifier: Classifier
    words: Sequence[Words]  # one per input, in order; inputs of the same name are one reason
    most: int  # reasons for, and as many against
    least: float  # of a customer's strongest contribution, for another to count as a reason

    def reasons(
        self, inputs: Array, features: pd.DataFrame
    ) -> tuple[list[list[Reason]], list[list[Reason]]]:
        """List the strongest reasons for and against churning, of each customer.

        Args:
            inputs: one row per customer, as the model sees them.
            features: the same customers' features, of those that the inputs are made of, and
                their segments' probabilities by the names of these inputs.
        """
        added = self.classifier.contributions(inputs)[:, :-1]
        words = {one.name: one for one in self.words}
        names = [one.name for one in self.words]
        of_words = np.column_stack(
            [added[:, [own == name for own in names]].sum(axis=1) for name in words]
        )
        told = list(words.values()), features.to_dict("records"), of_words
        return self._strongest(*told, 1), self._strongest(*told, -1)

    def _strongest(
        self, words: Sequence[Words], customers: list[Any], added: Array, sign: int
    ) -> list[list[Reason]]:
        order = np.argsort(-sign * added, axis=1, kind="stable")[:, : self.most]
        is_reason = sign * added > self.least * np.abs(added).max(axis=1, keepdims=True)
        return [
            [
                _reason(words[place].said(customer), of_customer[place])
                for place in places
                if counts[place]
            ]
            for places, of_customer, counts, customer in zip(
                order, added, is_reason, customers, strict=True
            )
        ]


def _reason(said: Said, contribution: float) -> Reason:
    return {"input": said.of, "reason": said.text, "contribution": float(contribution)}
