"""What each input adds to a forecast: exact, and summing up to the model's margin.

Classifiers are what a fitted model hands to Spark's Python workers: numbers, and text in formats
of the libraries' own.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from sparkify.ml.log_odds import Array


class Classifier(Protocol):
    """A classifier that can say what each input adds."""

    def contributions(self, inputs: Array) -> Array:
        """Return what each input adds: one row per customer, the margin's base in the last column.

        A row's sum is the classifier's margin: its log-odds, or a forest's probability.
        """
        ...


@dataclass(frozen=True)
class Linear:
    """A linear model of standardised inputs, and of their products with a moderator.

    What an input adds is its own term and that of its product, both measured from the mean of the
    training rows.
    """

    intercept: float
    coefficients: Sequence[float]
    means: Sequence[float]
    deviations: Sequence[float]  # 0 for what never varied, which adds nothing
    moderator: int | None  # its place among the inputs

    def contributions(self, inputs: Array) -> Array:
        """Return what each input adds to the log-odds, and the intercept."""
        vectors = [inputs]
        if self.moderator is not None:
            vectors.append(inputs * inputs[:, [self.moderator]])
        deviations = np.asarray(self.deviations)
        weights = np.divide(
            self.coefficients, deviations, out=np.zeros_like(deviations), where=deviations > 0
        )
        terms = (np.hstack(vectors) - np.asarray(self.means)) * weights
        own = terms.reshape(len(inputs), len(vectors), inputs.shape[1]).sum(axis=1)
        return np.column_stack([own, np.full(len(inputs), self.intercept)])


@dataclass(frozen=True)
class Boosted:
    """XGBoost's trees, as the JSON text it saves; it computes TreeSHAP itself."""

    booster: str

    def contributions(self, inputs: Array) -> Array:
        """Return what each input adds to the log-odds, and their mean in training."""
        import xgboost  # noqa: PLC0415 -- two seconds that a linear model's workers need not wait

        booster = xgboost.Booster(model_file=bytearray(self.booster, "utf-8"))
        added = booster.predict(xgboost.DMatrix(inputs), pred_contribs=True)
        return np.asarray(added, dtype=np.float64)


@dataclass(frozen=True)
class Trees:
    """Spark's trees, as JSON text of the arrays that the shap library takes, for TreeSHAP.

    Lundberg et al., "From local explanations to global understanding with explainable AI for
    trees", Nature Machine Intelligence 2 (2020).
    """

    trees: str
    scale: float  # of the trees' sum in the margin

    def contributions(self, inputs: Array) -> Array:
        """Return what each input adds to the margin, and its mean in training."""
        import shap  # noqa: PLC0415 -- three seconds that other models' workers need not wait

        trees = [
            {name: np.asarray(values) for name, values in tree.items()}
            for tree in json.loads(self.trees)
        ]
        explainer = shap.TreeExplainer({"trees": trees})
        own = explainer.shap_values(inputs, check_additivity=False)
        base = float(np.ravel(explainer.expected_value)[0])
        added = np.column_stack([own.reshape(inputs.shape), np.full(len(inputs), base)])
        return np.asarray(added * self.scale)
