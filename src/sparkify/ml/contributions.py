"""Exact contributions of each input to a prediction; with a base value they sum to the margin.

The classes hold only numbers and text, since they are sent to Spark's Python workers.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from sparkify.ml.bootstrap import Array


class Contributions(Protocol):
    """Computes what each input adds to a classifier's margin."""

    def compute(self, inputs: Array) -> Array:
        """Return one row per customer: what each input adds, and in the last column the base value.

        A row's sum is the classifier's margin: its log-odds, or a forest's probability.
        """
        ...


@dataclass(frozen=True)
class LinearContributions:
    """A linear model of standardised inputs, and of their products with a moderator.

    An input contributes its own term and its product's, each relative to the training mean.
    """

    intercept: float
    coefficients: Sequence[float]
    means: Sequence[float]
    deviations: Sequence[float]  # 0 for a constant input, which adds nothing
    moderator: int | None  # position among the inputs

    def compute(self, inputs: Array) -> Array:
        """Return what each input adds to the log-odds, and the intercept."""
        vectors = [inputs]
        if self.moderator is not None:
            vectors.append(inputs * inputs[:, [self.moderator]])
        deviations = np.asarray(self.deviations)
        weights = np.divide(
            self.coefficients, deviations, out=np.zeros_like(deviations), where=deviations > 0
        )
        terms = (np.hstack(vectors) - np.asarray(self.means)) * weights
        added = terms.reshape(len(inputs), len(vectors), inputs.shape[1]).sum(axis=1)
        return np.column_stack([added, np.full(len(inputs), self.intercept)])


@dataclass(frozen=True)
class XGBoostContributions:
    """XGBoost's trees, in its JSON format; XGBoost computes TreeSHAP itself."""

    booster: str

    def compute(self, inputs: Array) -> Array:
        """Return what each input adds to the log-odds, and their mean in training."""
        import xgboost  # noqa: PLC0415 -- two seconds that a linear model's workers do not need

        booster = xgboost.Booster(model_file=bytearray(self.booster, "utf-8"))
        added = booster.predict(xgboost.DMatrix(inputs), pred_contribs=True)
        return np.asarray(added, dtype=np.float64)


@dataclass(frozen=True)
class TreeContributions:
    """Spark's trees, as JSON text of the arrays that the shap library reads, for TreeSHAP.

    Lundberg et al., "From local explanations to global understanding with explainable AI for
    trees", Nature Machine Intelligence 2 (2020).
    """

    trees: str
    scale: float  # margin = scale * sum of the trees

    def compute(self, inputs: Array) -> Array:
        """Return what each input adds to the margin, and its mean in training."""
        import shap  # noqa: PLC0415 -- three seconds that other models' workers do not need

        trees = [
            {name: np.asarray(values) for name, values in tree.items()}
            for tree in json.loads(self.trees)
        ]
        explainer = shap.TreeExplainer({"trees": trees})
        added = explainer.shap_values(inputs, check_additivity=False).reshape(inputs.shape)
        base = float(np.ravel(explainer.expected_value)[0])
        return np.column_stack([added, np.full(len(inputs), base)]) * self.scale
