"""The same kinds of model in scikit-learn, for the features of DuckDB and Polars."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import product
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.model_selection import GroupKFold, cross_val_score
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from xgboost import XGBClassifier

from benchmarks.peers.settings import CANDIDATES, HORIZON, INPUTS, MODELLING, RATES


class Inputs(TransformerMixin, BaseEstimator):
    """Turns features into model inputs; rates are shrunk towards those of the training rows."""

    def fit(self, features: pd.DataFrame, _churned: Any = None) -> Self:
        """Learn the rates of all rows together."""
        self.overall_ = {
            name: features[rate["count"]].sum() / max(features[rate["per"]].sum(), 1)
            for name, rate in RATES.items()
        }
        return self

    def transform(self, features: pd.DataFrame) -> pd.DataFrame:
        """Return one column per input."""
        inputs = {}
        for name, rate in RATES.items():
            overall, prior = self.overall_[name], rate["prior"]
            shrunk = (features[rate["count"]] + prior * overall) / (features[rate["per"]] + prior)
            inputs[name] = np.log(shrunk / overall) if overall else 0 * shrunk
        for name, how in INPUTS["plain"].items():
            inputs[name] = np.log1p(features[name]) if how.get("log") else features[name]
        return pd.DataFrame(inputs)


def add_products(inputs: pd.DataFrame) -> np.ndarray:
    """Return every input, and its product with the moderator."""
    return np.hstack([inputs, inputs.mul(inputs[INPUTS["moderator"]], axis="index")])


SEED: int = MODELLING["seed"]
SCIKIT_LEARN = {  # scikit-learn's names of Spark's settings
    "numTrees": "n_estimators",
    "maxIter": "max_iter",
    "stepSize": "learning_rate",
    "maxDepth": "max_depth",
    "minInstancesPerNode": "min_samples_leaf",
}
KINDS: dict[str, Callable[..., list[Any]]] = {
    "logistic_regression": lambda **settings: [
        *[FunctionTransformer(add_products), StandardScaler(), LogisticRegression(**settings)]
    ],
    "random_forest": lambda **settings: [
        RandomForestClassifier(n_jobs=-1, random_state=SEED, **settings)
    ],
    "gradient_boosted_trees": lambda **settings: [
        HistGradientBoostingClassifier(early_stopping=False, random_state=SEED, **settings)
    ],
    "xgboost": lambda **settings: [XGBClassifier(random_state=SEED, **settings)],
}


def list_candidates(rows: int) -> Iterator[tuple[str, Pipeline]]:
    """Yield the name and the model of every candidate of conf/full, for this number of rows."""
    for kind, grid in CANDIDATES.items():
        for values in product(*grid.values()):
            names = [SCIKIT_LEARN.get(name, name) for name in grid]
            settings = dict(zip(names, values, strict=True))
            if "regParam" in settings:  # relative to the mean of the losses; C is to their sum
                settings["C"] = 1 / (settings.pop("regParam") * rows)
            yield f"{kind} {settings}", make_pipeline(Inputs(), *KINDS[kind](**settings))


def evaluate_tables(folder: Path) -> dict[str, Any]:
    """Select a candidate on folds of users, and evaluate it on the hold-out.

    As in the project, a share of the users is left out of training.

    Args:
        folder: with the features and the snapshots.
    """
    features = pd.read_parquet(folder / "features.parquet").merge(
        pd.read_parquet(folder / "snapshots.parquet"), on=["user_id", "cutoff"]
    )
    features["cutoff"] = pd.to_datetime(features["cutoff"])
    holdout = features["cutoff"].max()
    hashed = pd.util.hash_array(features["user_id"].to_numpy(object)) % 1_000
    is_trainable = hashed >= 1_000 * MODELLING["held_out_user_share"]
    train = features[is_trainable & (features["cutoff"] <= holdout - timedelta(days=HORIZON))]
    test = features[features["cutoff"] == holdout]
    models = dict(list_candidates(len(train)))
    scores = {
        name: cross_val_score(
            model,
            train,
            train["churned"],
            groups=train["user_id"],
            cv=GroupKFold(MODELLING["folds"]),
            scoring="average_precision",
        ).mean()
        for name, model in models.items()
    }
    best = max(scores, key=lambda name: scores[name])
    probability = models[best].fit(train, train["churned"]).predict_proba(test)[:, 1]
    return {
        "champion": best,
        "auc": float(roc_auc_score(test["churned"], probability)),
        "average_precision": float(average_precision_score(test["churned"], probability)),
    }
